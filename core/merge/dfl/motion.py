"""How far a face moves from frame to frame, as DeepFaceLab's motion blur has it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.geometry.align import FaceType, face_matrix, invert, transform_points

_SIZE, _MIDDLE = 256, (127, 127)


def motion_vectors(landmarks: Sequence[ArrayLike | None]) -> list[tuple[float, float]]:
    """(power, degrees) of each frame: the way from the frame before to the one after, in pixels, and its direction.

    landmarks: (68, 2) of the first face of each frame in the order of the film, None where there is none. A frame
    without a face, or beside one, has (0, 0).

    Raises:
        InputError: degenerate landmarks.
    """
    middles = [None if points is None else _middle(points) for points in landmarks]
    last = len(middles) - 1
    vectors = []
    for i in range(len(middles)):
        before, here, after = middles[max(i - 1, 0)], middles[i], middles[min(i + 1, last)]
        vectors.append((0.0, 0.0) if before is None or here is None or after is None else _vector(after - before))
    return vectors


def _middle(landmarks: ArrayLike) -> NDArray[np.float64]:
    """Rounded before the subtraction, as the original does."""
    return np.rint(transform_points([_MIDDLE], invert(face_matrix(landmarks, _SIZE, FaceType.FULL)))[0])


def _vector(way: NDArray[np.float64]) -> tuple[float, float]:
    return float(np.hypot(*way)), float(-np.degrees(np.arctan2(way[1], way[0])))
