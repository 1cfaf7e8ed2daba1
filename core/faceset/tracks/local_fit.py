"""Smoothing without delay: a line or a parabola is fitted to the neighbours of each moment, the nearer the more."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

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
    neighbour = np.arange(count)[:, None] + np.arange(-radius, radius + 1)
    inside = (neighbour >= 0) & (neighbour < count)
    neighbour = np.clip(neighbour, 0, count - 1)
    near = inside * (1.0 if weights is None else weights[neighbour])
    kernel = _kernel((time[neighbour] - time[:, None]) / width, near, order)
    # A sparse matrix with a band: each row makes a moment of its neighbours.
    rows = np.arange(0, kernel.size + 1, kernel.shape[1])
    band = csr_array((kernel.ravel(), neighbour.ravel(), rows), shape=(count, count))
    return lambda values: band @ values


def _kernel(away: Floats, weights: Floats, order: int) -> Floats:
    """What each neighbour (n, k), so many widths ``away``, contributes to the value of the fit in the middle."""
    near = weights * np.exp(-0.5 * away**2)
    terms = [near]
    for _ in range(2 * order):
        terms.append(terms[-1] * away)
    moments = np.stack([term.sum(axis=1) for term in terms], axis=1)
    system = moments[:, np.add.outer(np.arange(order + 1), np.arange(order + 1))]
    system[:, range(1, order + 1), range(1, order + 1)] += _RIDGE
    first = np.zeros((len(away), order + 1, 1))
    first[:, 0] = 1
    share = np.linalg.solve(system, first)
    kernel = terms[0] * share[:, 0]
    for power in range(1, order + 1):
        kernel += terms[power] * share[:, power]
    return kernel
