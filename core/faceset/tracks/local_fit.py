"""Smoothing without delay: a line or a parabola is fitted to the neighbours of each moment, the nearer the more."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Keeps the fit determined where too few neighbours are near; what they cannot tell is then 0.
_RIDGE = 1e-9


def local_fit(time: Floats, values: Floats, width: float, order: int, weights: Floats | None = None) -> Floats:
    """The fitted values (n, d) at each moment; see ``fitting``."""
    return fitting(time, width, order, weights)(values)


def fitting(time: Floats, width: float, order: int, weights: Floats | None = None) -> Callable[[Floats], Floats]:
    """The fit of values (n, d): a function that may be used for some of them at a time.

    time: (n,), ascending.
    width: standard deviation of the Gaussian weights, in the unit of ``time``.
    order: 1 fits lines, 2 parabolas. weights: (n,), how much each moment counts; all alike by default.
    """
    count = len(time)
    radius = min(math.ceil(3 * width), count - 1)
    offsets = np.arange(-radius, radius + 1)
    neighbour = np.arange(count)[:, None] + offsets
    inside = (neighbour >= 0) & (neighbour < count)
    neighbour = np.clip(neighbour, 0, count - 1)
    kernel = _kernel(
        time[neighbour] - time[:, None], inside * (1.0 if weights is None else weights[neighbour]), width, order
    )

    def fit(values: Floats) -> Floats:
        out = np.zeros_like(values)
        for column in range(len(offsets)):
            out += kernel[:, column, None] * values[neighbour[:, column]]
        return out

    return fit


def _kernel(away: Floats, weights: Floats, width: float, order: int) -> Floats:
    """What each neighbour (n, k), ``away`` in time, contributes to the value of the fit in the middle."""
    near = weights * np.exp(-0.5 * (away / width) ** 2)
    powers = (away / width)[..., None] ** np.arange(order + 1)
    moments = np.einsum("nk,nki,nkj->nij", near, powers, powers)
    moments[:, range(1, order + 1), range(1, order + 1)] += _RIDGE
    first = np.zeros((len(away), order + 1, 1))
    first[:, 0] = 1
    return near * (powers @ np.linalg.solve(moments, first))[..., 0]
