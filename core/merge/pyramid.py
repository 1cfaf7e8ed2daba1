"""Multiband blending (Burt and Adelson 1983): coarse structure is mixed widely, fine structure narrowly."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # float32

_MOST_LEVELS = 4


def levels(side: int) -> int:
    """How many times the picture is halved for a mask of ``side`` pixels: 1..4."""
    return int(np.clip(int(np.log2(max(side, 1))) - 3, 1, _MOST_LEVELS))


def reach(count: int) -> int:
    """How many pixels beyond the mask are changed at most with ``count`` levels."""
    return 4 * 2**count


def blended(back: Array, front: Array, mask: Array, count: int) -> Array:
    """``front`` over ``back``, both (h, w, 3), by ``mask`` (h, w), with ``count`` levels; not clipped."""
    sizes, details = [], []
    for _ in range(count):
        sizes.append((back.shape[1], back.shape[0]))
        low_back, low_front = cv2.pyrDown(back), cv2.pyrDown(front)
        band_back = back - cv2.pyrUp(low_back, dstsize=sizes[-1])
        band_front = front - cv2.pyrUp(low_front, dstsize=sizes[-1])
        details.append(band_back + (band_front - band_back) * mask[..., None])
        back, front, mask = low_back, low_front, cv2.pyrDown(mask)
    out = back + (front - back) * mask[..., None]
    for size, detail in zip(reversed(sizes), reversed(details), strict=True):
        out = cv2.pyrUp(out, dstsize=size) + detail
    return np.asarray(out, np.float32)
