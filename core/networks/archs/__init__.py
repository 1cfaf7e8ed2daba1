"""Face-swap architectures. A module here is named as its type in an architecture string and offers

``networks(config)`` -> dict, name of the file without prefix and suffix -> Network,
``src_code(graph, x)`` -> what ``DECODER_SRC`` turns into the source face,
``dst_codes(graph, x, morph=None)`` -> (what ``DECODER_DST`` turns into the target face, what ``DECODER_SRC`` turns into
the swap),
``src_codes(graph, x, morph=None)`` -> the same for the swap the other way: (what ``DECODER_SRC`` turns into the source
face, what ``DECODER_DST`` turns into the target's face with the expression of the source).
"""

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

from core.networks.builder import Network
from core.networks.config import ModelConfig, validate


def load(config: ModelConfig) -> ModuleType:
    """The module of an architecture. Raises UsageError for an unknown one."""
    return importlib.import_module(f"core.networks.archs.{config.parsed().kind}")


def direction(arch: ModuleType, reverse: bool) -> tuple[Callable[..., Any], str, str]:
    """What swaps: the function of the codes, the decoder of the face that is put on, that of the face beneath."""
    if reverse:
        return arch.src_codes, arch.DECODER_DST, arch.DECODER_SRC
    return arch.dst_codes, arch.DECODER_SRC, arch.DECODER_DST


def networks(config: ModelConfig) -> dict[str, Network]:
    """The networks of a model by the names of their files. Raises UsageError for a config that cannot be built."""
    return load(validate(config)).networks(config)
