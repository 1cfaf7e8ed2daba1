"""Who goes with whom: the best one-to-one choice among scored pairs (Hungarian method), for many small problems at
once."""

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.intp]


def best_pairs(left: Indices, right: Indices, gain: NDArray[np.float64], count: int) -> Indices:
    """Which pairs to take, as positions in the arrays, so that the sum of their gains is largest.

    left, right: int (pairs,), 0 .. count - 1, the two parties of each pair; each is taken once at most on each
    side, and no pair is given twice.
    gain: above 0 for every pair.
    """
    if not len(left):
        return np.empty(0, np.intp)
    # Where the best of each left one are all different, they are the best choice.
    best = _best_of_each(left, gain)
    clash = np.bincount(right[best], minlength=count)[right[best]] > 1
    if not clash.any():
        return np.sort(best)
    group = _groups(left, right, count)
    hard = np.zeros(int(group.max()) + 1, bool)
    hard[group[best[clash]]] = True
    rest = np.flatnonzero(hard[group])
    rest = rest[np.argsort(group[rest], kind="stable")]
    parts = np.split(rest, np.flatnonzero(np.diff(group[rest])) + 1) if len(rest) else []
    solved = [part[_solve(left[part], right[part], gain[part])] for part in parts]
    return np.sort(np.concatenate([best[~hard[group[best]]], *solved]))


def _groups(left: Indices, right: Indices, count: int) -> Indices:
    """The number of the small problem that each pair is part of: what no pair connects is decided by itself."""
    # Takes a third of a second, and faces that stay apart need none of it.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(left), np.int8), (left, right + count)), shape=(2 * count, 2 * count))
    return connected_components(graph, directed=False)[1][left]


def _best_of_each(left: Indices, gain: NDArray[np.float64]) -> Indices:
    order = np.lexsort((-gain, left))
    return order[np.flatnonzero(np.diff(left[order], prepend=-1))]


def _solve(left: Indices, right: Indices, gain: NDArray[np.float64]) -> Indices:
    from scipy.optimize import linear_sum_assignment

    rows, row = np.unique(left, return_inverse=True)
    columns, column = np.unique(right, return_inverse=True)
    table = np.zeros((len(rows), len(columns)))
    table[row, column] = gain
    pair = np.full(table.shape, -1, np.intp)
    pair[row, column] = np.arange(len(left))
    chosen = pair[linear_sum_assignment(table, maximize=True)]
    return chosen[chosen >= 0]
