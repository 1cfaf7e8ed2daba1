"""The crops of faceswap: a square around the nose (legacy), the face or the whole head, centred by the head's pose.

Masking networks made for it expect these crops. Matrices are 2 x 3, frame -> crop pixels.
"""

import math
from typing import Literal

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import InputError
from core.geometry import landmarks as lm
from core.geometry.align import Matrix, similarity_fit, transform_points

Centring = Literal["legacy", "face", "head"]

# Share of the crop's side that is padding around the unit square of the mean face.
_PADDING = {"legacy": 0.375, "face": 0.5, "head": 0.625}
# The point of the head (x right, y up, z to the viewer) that a crop is centred on.
_CENTRE = {"face": (0.0, -1.5, 4.2), "head": (0.0, 0.0, -2.3)}
# The mean face of this format is the 51-point one, moved to the middle.
MEAN = lm.MEAN_51.astype(np.float64) + (0.009873, 0.0)
_AXES = ((6.0, 0.0, -2.3), (0.0, 6.0, -2.3), (0.0, 0.0, 3.7))
# Landmarks that the pose is solved from, and where they lie on the model of a head (same axes as _CENTRE).
_POSE_POINTS = (6, 7, 8, 9, 10, 17, 21, 22, 26, 31, 32, 33, 34, 35, 36, 39, 42, 45, 48, 50, 51, 52, 54, 56, 57, 58)
# fmt: off
_HEAD = np.array([
    (4.056931, -11.432347, 1.636229), (1.833492, -12.542305, 4.061275), (0.0, -12.901019, 4.070434),
    (-1.833492, -12.542305, 4.061275), (-4.056931, -11.432347, 1.636229), (6.825897, 1.275284, 4.402142),
    (1.330353, 1.636816, 6.903745), (-1.330353, 1.636816, 6.903745), (-6.825897, 1.275284, 4.402142),
    (1.930245, -5.060977, 5.914376), (0.746313, -5.136947, 6.263227), (0.0, -5.485328, 6.76343),
    (-0.746313, -5.136947, 6.263227), (-1.930245, -5.060977, 5.914376), (5.311432, 0.0, 3.987654),
    (1.78993, -0.091703, 4.413414), (-1.78993, -0.091703, 4.413414), (-5.311432, 0.0, 3.987654),
    (2.774015, -7.566103, 5.048531), (0.509714, -7.056507, 6.566167), (0.0, -7.131772, 6.704956),
    (-0.509714, -7.056507, 6.566167), (-2.774015, -7.566103, 5.048531), (-0.589441, -8.443925, 6.109526),
    (0.0, -8.601736, 6.097667), (0.589441, -8.443925, 6.109526),
])
# fmt: on
# A camera whose image is the unit square, its focal length four sides of that.
_CAMERA = np.array([[4.0, 0, 0.5], [0, 4.0, 0.5], [0, 0, 1]])


def crop_matrix(landmarks: ArrayLike, size: int, centring: Centring, coverage: float = 1.0) -> Matrix:
    """Frame -> crop of ``size`` pixels: float64 (2, 3). landmarks: (68, 2), frame pixels.

    coverage: the part of the crop's side that a model sees, which is then the crop.

    Raises:
        InputError: degenerate landmarks.
    """
    points = lm.validated(landmarks)
    matrix = level_matrix(points)
    matrix[:, 2] -= centre_offset(transform_points(points, matrix), centring)
    core = core_size(size, centring, coverage)
    matrix *= core
    matrix[:, 2] += (size - core) // 2
    return matrix


def core_size(size: int, centring: Centring, coverage: float = 1.0) -> int:
    """The side, in pixels of a crop of ``size``, of the unit square of the mean face."""
    return size - 2 * round(size * (_PADDING[centring] + coverage - 1) / (2 * coverage))


def cut_out_of(
    other: Centring, size: int, centring: Centring, coverage: float, shift: ArrayLike
) -> tuple[NDArray[np.int64], int]:
    """Where a crop lies within another one of the same face: centre (x, y) and side, in pixels of the other.

    other, size: centring and side of the crop that is there.
    shift: (2,), the ``centre_offset`` of the wanted crop minus that of the other.
    """
    inner = size * (1 - _PADDING[other])
    centre = np.rint(np.asarray(shift, np.float64) * inner + size / 2).astype(np.int64)
    return centre, 2 * round(inner / (1 - _PADDING[centring]) * coverage / 2)


def extracted_size(size: int, centring: Centring) -> int:
    """The side of a head crop out of which a crop of ``size`` pixels with another centring comes; an even number."""
    return 2 * math.ceil(size * (1 - _PADDING[centring]) / (1 - _PADDING["head"]) / 2)


def level_matrix(points: NDArray[np.float64]) -> Matrix:
    """Frame -> unit square: float64 (2, 3), by which the points (68, 2) best lie on the mean face."""
    return similarity_fit(points[17:], MEAN)


def pose_degrees(normalised: ArrayLike) -> tuple[float, float, float]:
    """(pitch, yaw, roll) of the head in degrees. normalised: landmarks (68, 2) in the unit square.

    Raises:
        InputError: no pose fits them.
    """
    r = cv2.Rodrigues(_pose(np.asarray(normalised, np.float64))[0])[0]
    pitch, yaw = np.arctan2(r[2, 1], r[2, 2]), np.arctan2(-r[2, 0], np.hypot(r[2, 1], r[2, 2]))
    pitch, yaw, roll = np.degrees([pitch, yaw, np.arctan2(r[1, 0], r[0, 0])])
    return float(pitch), float(yaw), float(roll)


def axes(normalised: ArrayLike) -> NDArray[np.float64]:
    """The head's centre and the ends of its axes to the right, up and forward: (4, 2) in the unit square.

    Raises:
        InputError: no pose fits the landmarks (68, 2).
    """
    ends = np.array([_CENTRE["head"], *_AXES])
    projected, _ = cv2.projectPoints(ends, *_pose(np.asarray(normalised, np.float64)), _CAMERA, np.zeros(4))
    return projected.reshape(4, 2)


def centre_offset(normalised: ArrayLike, centring: Centring) -> NDArray[np.float64]:
    """How far the crop's centre is off the middle of the unit square: (2,).

    normalised: landmarks (68, 2) in that square.
    """
    if centring not in _CENTRE:
        return np.zeros(2)
    rotation, translation = _pose(np.asarray(normalised, np.float64))
    projected, _ = cv2.projectPoints(np.array([_CENTRE[centring]]), rotation, translation, _CAMERA, np.zeros(4))
    return projected.reshape(2) - 0.5


def _pose(normalised: NDArray[np.float64]) -> tuple[NDArray, NDArray]:
    """Rotation and translation vectors; y of the model points up, so the wanted solution lies behind the camera."""
    start = np.zeros((3, 1)), np.array([[0.0], [3.3], [-58.0]])
    found, rotation, translation = cv2.solvePnP(
        _HEAD,
        normalised[list(_POSE_POINTS)],
        _CAMERA,
        np.zeros(4),
        *start,
        useExtrinsicGuess=True,
        flags=cv2.SOLVEPNP_ITERATIVE,
    )
    if not found or not (np.isfinite(rotation).all() and np.isfinite(translation).all()):
        raise InputError(
            "the head's pose cannot be found from these landmarks",
            hint="the face was not found there; delete it or extract it again",
        )
    return rotation, translation
