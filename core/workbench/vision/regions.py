"""Parts of frames around faces, small enough to be sent to the vision process quickly."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import InputError

_AROUND = 1.0  # of the longer side of the box, on each side
_MOST = 768  # pixels; the network looks at 192 of them


@dataclass(frozen=True)
class Region:
    """A part of a frame. corner: where it begins. scale: its pixels for one of the frame."""

    left: int
    top: int
    right: int
    bottom: int
    scale: float

    def cut(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        part = frame[self.top : self.bottom, self.left : self.right]
        if self.scale == 1:
            return part
        size = round((self.right - self.left) * self.scale), round((self.bottom - self.top) * self.scale)
        return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)

    def inward(self, points: ArrayLike) -> NDArray[np.float64]:
        """Points (n, 2) of the frame in the region. Centres of pixels are whole numbers in both."""
        return (np.asarray(points, np.float64) + 0.5 - (self.left, self.top)) * self.scale - 0.5

    def outward(self, points: ArrayLike) -> NDArray[np.float64]:
        return (np.asarray(points, np.float64) + 0.5) / self.scale - 0.5 + (self.left, self.top)


def around(box: Sequence[float], frame: NDArray[np.uint8]) -> Region:
    """The part of a frame that shows what is in a box and around it.

    Raises:
        InputError: it lies outside of the frame.
    """
    height, width = frame.shape[:2]
    reach = _AROUND * max(box[2] - box[0], box[3] - box[1])
    left, top = max(0, int(box[0] - reach)), max(0, int(box[1] - reach))
    right, bottom = min(width, int(box[2] + reach) + 1), min(height, int(box[3] + reach) + 1)
    if right - left < 2 or bottom - top < 2:
        raise InputError("this box lies outside of the frame")
    return Region(left, top, right, bottom, min(1.0, _MOST / max(right - left, bottom - top)))
