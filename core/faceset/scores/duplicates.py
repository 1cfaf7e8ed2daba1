"""Pictures that show (nearly) the same: small grey thumbnails compared all with all, blockwise."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

# Root mean square difference of the thumbnails, in grey levels, up to which two pictures are one.
SAME_LEVELS = 1.0
_BLOCK = 1024


def duplicate_groups(thumbs: NDArray[np.uint8], levels: float = SAME_LEVELS) -> NDArray[np.intp]:
    """Group number (n,) of each picture; pictures whose thumbnails differ by at most ``levels`` (root mean square) share one. thumbs: uint8, n x s x s."""
    flat = thumbs.reshape(len(thumbs), -1).astype(np.float32)
    flat -= flat.mean(axis=0)  # small numbers keep float32 products exact enough
    pairs = [_pairs(flat, start, levels) for start in range(0, len(flat), _BLOCK)]
    left, right = (np.concatenate(side) if side else np.zeros(0, np.intp) for side in zip(*pairs, strict=True))
    graph = coo_array((np.ones(len(left), bool), (left, right)), shape=(len(flat), len(flat)))
    return connected_components(graph, directed=False)[1].astype(np.intp)


def _pairs(flat: NDArray[np.float32], start: int, levels: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs of one block with itself and all that follow."""
    block = flat[start : start + _BLOCK]
    limit = flat.shape[1] * levels * levels
    left, right = [], []
    for other in range(start, len(flat), _BLOCK):
        rest = flat[other : other + _BLOCK]
        square = (block**2).sum(axis=1)[:, None] + (rest**2).sum(axis=1) - 2 * block @ rest.T
        rows, columns = np.nonzero(square <= limit)
        keep = columns + other > rows + start
        left.append(rows[keep] + start)
        right.append(columns[keep] + other)
    return np.concatenate(left), np.concatenate(right)
