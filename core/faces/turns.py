"""Images turned by quarters, and boxes and points in them.

``quarters`` counts counter-clockwise turns: a head with a roll of 90 degrees is upright after one. Boxes have their
numbers at the edges of pixels, points at the centres, so that both come back exactly.
"""

import math

import numpy as np
from numpy.typing import NDArray


def quarters_of(roll: float) -> int:
    """The turns, 0..3, after which a head with this roll (radians) is most nearly upright."""
    return round(roll / (math.pi / 2)) % 4


def roll_of(quarters: int) -> float:
    """The roll of a head that is upright after ``quarters`` turns: radians, -pi/2 .. pi."""
    return (0.0, math.pi / 2, math.pi, -math.pi / 2)[quarters]


def turned(image: NDArray, quarters: int) -> NDArray:
    """The image (H, W, C) turned; the very same for 0 quarters."""
    return np.ascontiguousarray(np.rot90(image, quarters)) if quarters else image


def boxes_back(boxes: NDArray, quarters: int, height: int, width: int) -> NDArray:
    """Boxes (n, 4) of the turned image, in the image of ``height`` x ``width`` before the turn."""
    left, top, right, bottom = np.asarray(boxes).reshape(-1, 4).T
    sides = {
        0: (left, top, right, bottom),
        1: (width - bottom, left, width - top, right),
        2: (width - right, height - bottom, width - left, height - top),
        3: (top, height - right, bottom, height - left),
    }[quarters]
    return np.stack(sides, axis=1)


def boxes_there(boxes: NDArray, quarters: int, height: int, width: int) -> NDArray:
    """Boxes (n, 4) of the image of ``height`` x ``width``, in the turned one."""
    if quarters % 2:
        height, width = width, height
    return boxes_back(boxes, -quarters % 4, height, width)


def points_back(points: NDArray, quarters: int, height: int, width: int) -> NDArray:
    """Points (n, 2) of the turned image, in the image of ``height`` x ``width`` before the turn."""
    x, y = np.asarray(points).reshape(-1, 2).T
    before = {
        0: (x, y),
        1: (width - 1 - y, x),
        2: (width - 1 - x, height - 1 - y),
        3: (y, height - 1 - x),
    }[quarters]
    return np.stack(before, axis=1)
