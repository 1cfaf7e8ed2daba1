"""How much 68 points look like a face: the measures by which faceswap filters what its landmarkers found.

All are taken in the unit square that the points are levelled to, so that neither size nor tilt in the frame counts.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.geometry import landmarks as lm
from core.geometry.align import transform_points
from core.geometry.centring import MEAN, level_matrix
from core.geometry.head_pose import HEAD, head_turn, views

_EYES = (*range(17, 27), *range(36, 48))  # with the eyebrows
_MOUTH = slice(48, 68)
_NEAR_MEAN = 0.05
# Widths of the mean head are so many sides of the unit square in which the mean face lies.
_HEAD_SIZE = float(np.ptp(MEAN[:, 0]) / np.ptp(HEAD[17:, 0]))


def levelled(landmarks: ArrayLike) -> NDArray[np.float64]:
    """The points (68, 2) laid over the mean face in the unit square.

    Raises:
        InputError: degenerate landmarks.
    """
    points = lm.validated(landmarks)
    return transform_points(points, level_matrix(points))


def average_distance(level: NDArray[np.float64]) -> float:
    """How far levelled points are off the mean face: the mean over 51 points and both coordinates, sides of the square.

    About 0.01 for a face from the front, 0.03 for a profile; above 0.15 it is hardly ever a face.
    """
    return float(np.abs(level[17:] - MEAN).mean())


def average_distances(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same of many faces at once: (n,), of their landmarks (n, 68, 2) in any pixels; NaN for degenerate ones."""
    inner = points[:, 17:]
    centred = inner - inner.mean(axis=1, keepdims=True)
    mean = MEAN - MEAN.mean(axis=0)
    spread = (centred**2).sum(axis=(1, 2))
    # The closed form of the similarity fit in two dimensions.
    with np.errstate(divide="ignore", invalid="ignore"):
        along = (centred * mean).sum(axis=(1, 2)) / spread
        across = (centred[..., 0] * mean[:, 1] - centred[..., 1] * mean[:, 0]).sum(axis=1) / spread
    turn = np.stack([np.stack([along, across], axis=-1), np.stack([-across, along], axis=-1)], axis=1)
    return np.abs(centred @ turn - mean).mean(axis=(1, 2))


def unlikeness(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far landmarks (n, 68, 2) are off any face: (n,), as ``average_distances``, NaN for degenerate ones.

    Where those are beyond ``_NEAR_MEAN``, a mean head turned as the points are counts where it is nearer, so that a
    profile is like a face, too.
    """
    distances = average_distances(points)
    far = np.flatnonzero(distances > _NEAR_MEAN)
    distances[far] = np.minimum(distances[far], _distances(points[far, 17:], views(points[far])[:, 17:] * _HEAD_SIZE))
    return distances


def _distances(inner: NDArray[np.float64], targets: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean distance (n,) of points (n, 51, 2) laid over targets of the same shape, over points and coordinates."""
    ours, theirs = (np.ascontiguousarray(each).view(np.complex128)[..., 0] for each in (inner, targets))
    ours, theirs = ours - ours.mean(axis=1, keepdims=True), theirs - theirs.mean(axis=1, keepdims=True)
    laid = (ours.conj() * theirs).sum(axis=1) / (abs(ours) ** 2).sum(axis=1)
    off = laid[:, None] * ours - theirs
    return (abs(off.real) + abs(off.imag)).mean(axis=1) / 2


def eye_mouth_gap(level: NDArray[np.float64]) -> float:
    """How far the highest point of the mouth is below the lowest of eyes and eyebrows; negative where it is above."""
    return float(level[_MOUTH, 1].min() - level[list(_EYES), 1].max())


def face_side(landmarks: ArrayLike) -> float:
    """The side of the face-centred square in the frame, pixels of the frame. landmarks: (68, 2).

    Raises:
        InputError: degenerate landmarks.
    """
    matrix = level_matrix(lm.validated(landmarks))
    return float(2 / np.hypot(matrix[0, 0], matrix[1, 0]))


def residual_roll(level: NDArray[np.float64]) -> float:
    """The turn of the head in the image that is left in levelled points: degrees, near 0 for a good face.

    It is that of a mean head without a camera: below 14 also in profile, where the roll by the format's formula jumps.

    Raises:
        InputError: no pose fits them.
    """
    return math.degrees(head_turn(level))
