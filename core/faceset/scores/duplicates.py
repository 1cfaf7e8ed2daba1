"""Images that show (nearly) the same: small grey thumbnails compared all with all, blockwise."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

# Root mean square difference of the thumbnails, in grey levels, up to which two images are one.
SAME_LEVELS = 1.0
_BLOCK = 1024


def duplicate_groups(thumbs: NDArray[np.uint8], levels: float = SAME_LEVELS) -> NDArray[np.intp]:
    """Group number (n,) of each image; those whose thumbnails differ by at most ``levels`` share one, and their likes.

    thumbs: uint8, n x s x s. levels: root mean square difference in grey levels.
    """
    flat = thumbs.reshape(len(thumbs), -1).astype(np.float32)
    flat -= flat.mean(axis=0)  # small numbers keep float32 products exact enough
    pairs = [_pairs(flat, start, levels) for start in range(0, len(flat), _BLOCK)]
    left, right = np.concatenate([np.zeros((2, 0), np.intp), *pairs], axis=1)
    graph = coo_array((np.ones(len(left), bool), (left, right)), shape=(len(flat), len(flat)))
    # Likeness is passed on: a scene that hardly moves is one group.
    return connected_components(graph, directed=False)[1].astype(np.intp)


def _pairs(flat: NDArray[np.float32], start: int, levels: float) -> NDArray[np.intp]:
    """Pairs (2, k) of like images, the first one in the block that begins at ``start``, the second one after it."""
    block = flat[start : start + _BLOCK]
    limit = flat.shape[1] * levels * levels
    found = []
    for other in range(start, len(flat), _BLOCK):
        rest = flat[other : other + _BLOCK]
        square = (block**2).sum(axis=1)[:, None] + (rest**2).sum(axis=1) - 2 * block @ rest.T
        rows, columns = np.nonzero(square <= limit)
        pairs = np.stack([rows + start, columns + other])
        found.append(pairs[:, pairs[1] > pairs[0]])
    return np.concatenate(found, axis=1)
