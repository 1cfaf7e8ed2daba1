"""Closed outlines: the corners are rows of an (n, 2) array."""

import numpy as np
from numpy.typing import ArrayLike


def polygon_area(points: ArrayLike) -> float:
    """Area of a simple polygon, corners (n, 2), in the square of their unit."""
    x, y = np.asarray(points, np.float64).T
    return float(0.5 * abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)))
