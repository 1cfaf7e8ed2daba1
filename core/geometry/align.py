"""From landmarks to the square crop of a frame: similarity fit (Umeyama 1991), face types, affine helpers.

Matrices are 2 x 3, map source to destination, and follow OpenCV's convention: a face matrix of size N sends the corners
of the face square to (0, 0), (N, 0), (N, N). The construction is that of the DeepFaceLab format, whose sums run in
float32.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import InputError, UsageError
from core.geometry import landmarks as lm
from core.geometry.polygons import polygon_area

Matrix = NDArray[np.float64]


class FaceType(IntEnum):
    """How much around the face is in a crop; each contains the ones before it.

    The numbers are those of packed facesets.
    """

    HALF = 0
    MID_FULL = 1
    FULL = 2
    FULL_NO_ALIGN = 3
    WHOLE_FACE = 4
    HEAD = 10
    HEAD_NO_ALIGN = 20
    MARK_ONLY = 100

    @property
    def file_name(self) -> str:
        """The name inside face files."""
        return _FILE_NAMES[self]

    @property
    def padding(self) -> float:
        """The margin around the unit face square, as a part of its diagonal.

        Raises:
            UsageError: for MARK_ONLY.
        """
        if self not in _PADDING:
            raise UsageError("mark_only faces are not cut out, so they have no matrix")
        return _PADDING[self]

    @property
    def rotated(self) -> bool:
        """Whether the crop turns with the face."""
        return self not in (FaceType.FULL_NO_ALIGN, FaceType.HEAD_NO_ALIGN)

    @classmethod
    def parse(cls, text: str) -> "FaceType":
        """From a name in a file or a short name (h mf f wf head).

        Raises:
            InputError: there is no such face type.
        """
        found = _BY_NAME.get(text.strip().lower())
        if found is None:
            raise InputError("unknown face type", where=repr(text[:60]), hint=f"one of {', '.join(_BY_NAME)}")
        return found


_FILE_NAMES = {
    FaceType.HALF: "half_face",
    FaceType.MID_FULL: "midfull_face",
    FaceType.FULL: "full_face",
    FaceType.FULL_NO_ALIGN: "full_face_no_align",
    FaceType.WHOLE_FACE: "whole_face",
    FaceType.HEAD: "head",
    FaceType.HEAD_NO_ALIGN: "head_no_align",
    FaceType.MARK_ONLY: "mark_only",
}
_SHORT = {"h": FaceType.HALF, "mf": FaceType.MID_FULL, "f": FaceType.FULL, "wf": FaceType.WHOLE_FACE}
_BY_NAME = {name: kind for kind, name in _FILE_NAMES.items()} | _SHORT
_PADDING = {
    FaceType.HALF: 0.0,
    FaceType.MID_FULL: 0.0675,
    FaceType.FULL: 0.2109375,
    FaceType.FULL_NO_ALIGN: 0.2109375,
    FaceType.WHOLE_FACE: 0.40,
    FaceType.HEAD: 0.70,
    FaceType.HEAD_NO_ALIGN: 0.70,
}
# Corners of the unit square, clockwise from the top left, and its centre.
_UNIT = np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0.5, 0.5)], np.float32)
# How far a whole face and a head reach up from the face's centre, in heights of the unit square; the latter makes room
# for the hair.
_RISE_WHOLE_FACE, _RISE_HEAD = 0.07, 0.5


def similarity_fit(src: ArrayLike, dst: ArrayLike) -> Matrix:
    """The rotation, uniform scale and shift that best send ``src`` to ``dst``, both (n, 2): float64 (2, 3).

    Best in the sense of least squares, and never a reflection (Umeyama 1991).

    Raises:
        InputError: the points do not determine one: fewer than two, all equal, not finite.
    """
    a, b = np.asarray(src, np.float64), np.asarray(dst, np.float64)
    _validate_pairs(a, b)
    mean_a, mean_b = a.mean(0), b.mean(0)
    centred = a - mean_a
    covariance = (b - mean_b).T @ centred / len(a)
    variance = centred.var(0).sum()
    rank = np.linalg.matrix_rank(covariance)
    # The original goes on with NaN here, and crops nothing without a word.
    if rank == 0 or variance <= 1e-12 * (1 + np.abs(a).max()) ** 2:
        raise InputError(
            "degenerate landmarks",
            why="all points are (nearly) the same",
            hint="the face was not found there; delete it or extract it again",
        )
    u, s, vt = np.linalg.svd(covariance)
    # The sign of the last axis is what makes a rotation of what would be a reflection.
    signs = np.array([1.0, _sign(np.linalg.det(covariance) >= 0)])
    turn = signs
    if rank == 1:
        turn = np.array([1.0, _sign(np.linalg.det(u) * np.linalg.det(vt) > 0)])
    linear = (s @ signs) / variance * (u @ np.diag(turn) @ vt)
    return np.column_stack([linear, mean_b - linear @ mean_a])


def _validate_pairs(a: NDArray[np.float64], b: NDArray[np.float64]) -> None:
    fits = a.ndim == 2 and a.shape == b.shape and a.shape[1] == 2 and len(a) >= 2
    if not fits or not np.isfinite(a).all() or not np.isfinite(b).all():
        raise InputError(
            "a similarity fit needs two equal lists of finite points", why=f"got shapes {a.shape} and {b.shape}"
        )


def _sign(positive: bool | np.bool_) -> float:
    return 1.0 if positive else -1.0


def face_matrix(landmarks: ArrayLike, size: int, face_type: FaceType, scale: float = 1.0) -> Matrix:
    """Frame -> face: the matrix, float64 (2, 3), of the square crop of ``size`` pixels.

    landmarks: (68, 2), frame pixels.
    scale: above 1 crops closer.

    Raises:
        InputError: degenerate landmarks.
        UsageError: for MARK_ONLY.
    """
    points = lm.validated(landmarks)
    padding = face_type.padding
    to_unit = similarity_fit(points[list(lm.MEAN_33_INDICES)], lm.MEAN_33)
    # From here to the corners in float32, as in the format.
    p = transform_points(_UNIT, invert(to_unit)).astype(np.float32)
    u, v = _unit_vector(p[2] - p[0]), _unit_vector(p[1] - p[3])
    diagonal = np.float32(np.linalg.norm(p[0] - p[2]))
    # A margin on each side is longer along the diagonal by the square root of 2.
    half_diagonal = np.float32(1.0 / scale) * diagonal * np.float32(padding * np.sqrt(2.0) + 0.5)
    centre = _centre(p, points, to_unit, face_type)
    if face_type.rotated:
        corners = np.stack([centre - u * half_diagonal, centre + v * half_diagonal, centre + u * half_diagonal])
    else:
        corners = _upright(centre, u * half_diagonal, v * half_diagonal)
    return affine_from_points(corners, [(0, 0), (size, 0), (size, size)])


def whole_face_points(landmarks: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Landmarks of many faces, (n, 68, 2), frame pixels, in the whole-face crop of each; NaN for degenerate ones."""
    found = landmarks[:, lm.MEAN_33_INDICES]
    middle, mean = found.mean(axis=1, keepdims=True), lm.MEAN_33.astype(np.float64)
    # The similarity fit in two dimensions as a complex number, which turns and scales.
    source, target = _complex(found - middle), _complex(mean - mean.mean(axis=0))
    spread = (source.real**2 + source.imag**2).sum(axis=1)
    known = spread > len(mean) * 1e-12 * (1 + np.abs(landmarks).max(axis=(1, 2))) ** 2
    turn = np.where(known, np.conj(source) @ target / np.where(known, spread, 1), np.nan)
    unit = _complex(landmarks - middle) * turn[:, None]
    shift = mean.mean(axis=0) - (0.5, 0.5 - _RISE_WHOLE_FACE)
    side = 2 * (FaceType.WHOLE_FACE.padding * np.sqrt(2.0) + 0.5)
    return (np.stack([unit.real, unit.imag], axis=-1) + shift) * (size / side) + size / 2


def _complex(points: NDArray[np.float64]) -> NDArray[np.complex128]:
    return points[..., 0] + 1j * points[..., 1]


def _centre(
    p: NDArray[np.float32], points: NDArray[np.float64], to_unit: Matrix, face_type: FaceType
) -> NDArray[np.float32]:
    """The middle of the crop; whole faces and heads are shifted toward the forehead, heads against their yaw too."""
    up, across = p[0] - p[3], p[0] - p[1]
    if face_type is FaceType.WHOLE_FACE:
        return p[4] + up * np.float32(_RISE_WHOLE_FACE)
    if face_type is FaceType.HEAD:
        yaw = lm.averaged_yaw(transform_points(points, to_unit))
        # The format's formula: a small yaw hardly counts, a large one counts in full.
        yaw *= abs(np.tanh(2 * yaw))
        return p[4] - across * np.float32(yaw / 2) + up * np.float32(_RISE_HEAD)
    return p[4]


def _upright(centre: NDArray[np.float32], u: NDArray[np.float32], v: NDArray[np.float32]) -> NDArray[np.float32]:
    """The corners of the unturned square with the area of the turned one."""
    half = np.sqrt(polygon_area(np.stack([centre - u, centre + v, centre + u, centre - v]))) / 2
    return centre + np.array([(-half, -half), (half, -half), (half, half)], np.float32)


def _unit_vector(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    return vector / np.linalg.norm(vector)


def affine_from_points(src: ArrayLike, dst: ArrayLike) -> Matrix:
    """The affine map, float64 (2, 3), that sends three points (3, 2) to three points (3, 2).

    Raises:
        InputError: the points are in one line.
    """
    system = np.column_stack([np.asarray(src, np.float64), np.ones(3)])
    try:
        return np.linalg.solve(system, np.asarray(dst, np.float64)).T
    except np.linalg.LinAlgError:
        raise InputError("no affine map goes through these points", why="the three points are in one line") from None


def transform_points(points: ArrayLike, matrix: ArrayLike) -> NDArray[np.float64]:
    """``points`` (n, 2) sent through ``matrix`` (2, 3), in float64."""
    m = np.asarray(matrix, np.float64)
    return np.asarray(points, np.float64) @ m[:, :2].T + m[:, 2]


def invert(matrix: ArrayLike) -> Matrix:
    """The map back of a 2 x 3 matrix.

    Raises:
        InputError: there is none.
    """
    m = np.asarray(matrix, np.float64)
    determinant = m[0, 0] * m[1, 1] - m[0, 1] * m[1, 0]
    if not np.isfinite(m).all() or abs(determinant) < 1e-300:
        raise InputError("a matrix that cannot be inverted", why=f"its determinant is {determinant}")
    linear = np.array([[m[1, 1], -m[0, 1]], [-m[1, 0], m[0, 0]]]) / determinant
    return np.column_stack([linear, -linear @ m[:, 2]])


def compose(first: ArrayLike, then: ArrayLike) -> Matrix:
    """The map that does ``first`` and ``then``."""
    a, b = np.asarray(first, np.float64), np.asarray(then, np.float64)
    return np.column_stack([b[:, :2] @ a[:, :2], b[:, :2] @ a[:, 2] + b[:, 2]])


def landmarks_rect(landmarks: ArrayLike) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of the upright square around the face, in the unit of the landmarks (68, 2).

    Raises:
        InputError: degenerate landmarks.
    """
    # 255 in a crop of 256: the format's rectangle ends at the center of the last pixel.
    corners = transform_points([(0, 0), (255, 255)], invert(face_matrix(landmarks, 256, FaceType.FULL_NO_ALIGN)))
    (left, top), (right, bottom) = corners.tolist()
    return left, top, right, bottom
