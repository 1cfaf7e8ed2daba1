"""What files say of their origin."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from core.formats.origin.reading import read_label
from core.inference.dfm import open_dfm
from core.inference.sessions import CPU_ONLY

_MODEL = (".dfm", ".onnx")
_TELLING = ("generator", "model_name", "iteration", "created", "consent_sha256", "digital_source_type")


@dataclass(frozen=True)
class Origin:
    """What a file says. said: what -> value; empty where it says nothing."""

    path: Path
    said: dict[str, str]


def origins(paths: Sequence[Path]) -> tuple[Origin, ...]:
    """What each of these pictures, films and models says of its origin.

    Raises:
        InputError: one is not there.
        CorruptFileError: a model cannot be read.
    """
    for path in paths:
        if not path.is_file():
            raise InputError("no such file", where=path)
    return tuple(Origin(path, _said(path)) for path in paths)


def _said(path: Path) -> dict[str, str]:
    if path.suffix.lower() in _MODEL:
        metadata = open_dfm(path, CPU_ONLY).session.metadata
        return {name: metadata[name] for name in _TELLING if name in metadata}
    label = read_label(path)
    return {"made by": label.tool, "digital source type": label.source_type} if label else {}
