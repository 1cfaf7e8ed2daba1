"""Weights as a plain dict, key -> array: first values, and the check that nothing is missing, extra or mis-shaped."""

import math
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.networks.builder import Network
from core.networks.shapes import Variable, variables

Weights = dict[str, NDArray[np.float32]]
_LISTED = 12  # names shown of each kind in a message


def initial_weights(name: str, network: Network, seed: int) -> Weights:
    """First values of a network: Glorot uniform kernels, constants elsewhere.

    A tensor depends on ``seed``, the network's ``name`` and its own key only, so the start is the same on every
    backend.
    """
    return {key: _initial(f"{name}/{key}", variable, seed) for key, variable in variables(network).items()}


def _initial(path: str, variable: Variable, seed: int) -> NDArray[np.float32]:
    if variable.init != "glorot":
        return np.full(variable.shape, variable.init, np.float32)
    *field, fan_in, fan_out = variable.shape
    limit = np.float32(math.sqrt(6 / (math.prod(field) * (fan_in + fan_out))))
    # A generator by counters: the same numbers on every machine, and no tensor depends on the one before.
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, zlib.crc32(path.encode())])))
    values = rng.random(variable.shape, np.float32)
    values *= 2 * limit
    values -= limit
    return values


def check_weights(network: Network, weights: Mapping[str, NDArray], where: str | Path) -> None:
    """Raises InputError naming every tensor that is missing, extra or has another shape.

    where: the file of the weights, for the message.
    """
    expected = variables(network)
    missing = [k for k in expected if k not in weights]
    extra = [k for k in weights if k not in expected]
    wrong = [k for k, v in expected.items() if k in weights and np.shape(weights[k]) != v.shape]
    shapes = [f"{k} {np.shape(weights[k])} instead of {expected[k].shape}" for k in wrong]
    problems = [_list("missing", missing), _list("not part of this network", extra), _list("other shape", shapes)]
    if any(problems):
        raise InputError(
            "the weights do not fit the network",
            where=where,
            why="; ".join(p for p in problems if p),
            hint="the file belongs to a model with other dimensions or another architecture, or to another network",
        )


def _list(title: str, names: list[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"{title}: {', '.join(names[:_LISTED])}{more}"


def parameter_count(network: Network) -> int:
    """How many numbers the weights of a network have."""
    return sum(math.prod(v.shape) for v in variables(network).values())
