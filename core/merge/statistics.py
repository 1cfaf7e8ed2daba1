"""What is measured of the colors of a face and of a frame, so that it can be averaged over frames."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

_SMALL = 96  # px, the longer side of the frame whose light is measured
_AROUND = 0.5  # of a face's extent, which is left out around it


@dataclass(frozen=True, eq=False)
class FaceColors:
    """color: the transfer. values: float64 (2, 12), statistics (``core.imaging.color_statistics``) of the face of the
    model and of that of the film.
    """

    color: str
    values: NDArray[np.float64]


def light_of(frame: NDArray[Any], faces: Sequence[ArrayLike]) -> NDArray[np.float64]:
    """The mean color of a frame outside of its faces, Lab (3,); of all of it where faces are everywhere.

    frame: uint8 or uint16 (H, W, 3), BGR. faces: the landmarks (68, 2) of each.
    """
    height, width = frame.shape[:2]
    ratio = min(1.0, _SMALL / max(height, width))
    size = max(1, round(width * ratio)), max(1, round(height * ratio))
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA).astype(np.float32) / np.iinfo(frame.dtype).max
    outside = np.ones(small.shape[:2], bool)
    for points in faces:
        low, high = np.min(points, axis=0), np.max(points, axis=0)
        margin = _AROUND * (high - low)
        left, top = np.maximum((low - margin) * ratio, 0).astype(int)
        right, bottom = np.maximum((high + margin) * ratio, 0).astype(int)
        outside[top : bottom + 1, left : right + 1] = False
    lab = cv2.cvtColor(small.astype(np.float32), cv2.COLOR_BGR2LAB)
    return np.asarray(lab[outside if outside.any() else ~outside].mean(0), np.float64)
