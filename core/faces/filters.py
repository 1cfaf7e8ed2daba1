"""Which of the faces found in a frame are kept, and for which reason the others are not."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.faces import shape_filters
from core.faces.shape_filters import ShapeLimits
from core.geometry.align import FaceType, face_matrix, landmarks_rect
from core.geometry.boxes import intersection_over_union
from core.types import Face

# Reasons, as people read them and as the database keeps them.
SMALL = "smaller than --min-face-size"
LARGE = "larger than --max-face-size"
NO_FACE = "not a face to the landmarker"
ODD = "landmarks do not fit the box"
OUTSIDE = "mostly outside the picture"
TWICE = "found twice"
MANY = "beyond --max-faces"

_INNER = slice(17, 68)
# DeepFaceLab asks it of faces up to the full type, and only whether the square is too large.
_AREA_RATIO = 4.0  # of the face square by the landmarks to the detector's box, either way
_OVERLAP = 0.5


class Extent(NamedTuple):
    """A size, in pixels or in per cent of the frame's shorter side."""

    value: float
    percent: bool = False

    def pixels(self, height: int, width: int) -> float:
        return self.value * min(height, width) / 100 if self.percent else self.value

    @classmethod
    def parse(cls, text: str) -> "Extent":
        """From ``40`` or ``5%``. Raises ValueError for anything else."""
        number = text.strip().removesuffix("px").removesuffix("%")
        value = float(number)
        if not 0 <= value < 1e6:
            raise ValueError(f"{text} is no size")
        return cls(value, text.strip().endswith("%"))


class Limits(NamedTuple):
    """What a face must be to be kept.

    min_size, max_size: of the shorter side of the detector's box; a max_size of 0 is none.
    landmark_confidence: 0..1, the least that the landmarker must be sure.
    max_faces: how many of a frame, the largest; 0 for all.
    shape: how much the points must look like a face.
    """

    min_size: Extent = Extent(40)
    max_size: Extent = Extent(0)
    landmark_confidence: float = 0.5
    max_faces: int = 0
    shape: ShapeLimits = ShapeLimits()


def sift(faces: list[Face], height: int, width: int, limits: Limits) -> tuple[list[Face], list[Face]]:
    """(the faces that pass, largest first; the others, each with its reason). All have landmarks.

    height, width: of the frame, pixels.
    """
    passed: list[Face] = []
    others: list[Face] = []
    # The surest come first: of two that overlap, the later one is dropped.
    for face in sorted(faces, key=lambda face: -face.landmark_confidence * face.confidence):
        reason = reason_of(face, height, width, limits)
        if not reason and _overlaps(face, passed):
            reason = TWICE
        if reason:
            others.append(filtered(face, reason))
        else:
            passed.append(face)
    # The first face of a frame gets the index 0 and so has to be the largest; the box decides between equals.
    passed.sort(key=lambda face: (-_area(face.box), *face.box.tolist()))
    return passed, others


def filtered(face: Face, reason: str) -> Face:
    """The face, not kept for this reason."""
    return replace(face, status="filtered", reason=reason)


def size_reason(face: Face, height: int, width: int, limits: Limits) -> str:
    """Why a face is too small or too large; empty when it is neither. Needs no landmarks."""
    side = float(min(face.box[2] - face.box[0], face.box[3] - face.box[1]))
    if side < limits.min_size.pixels(height, width):
        return SMALL
    most = limits.max_size.pixels(height, width)
    return LARGE if most and side > most else ""


def reason_of(face: Face, height: int, width: int, limits: Limits) -> str:
    """Why a face with landmarks is not kept, whatever others the frame has; the first reason, or empty."""
    if too := size_reason(face, height, width, limits):
        return too
    if face.landmark_confidence < limits.landmark_confidence:
        return NO_FACE
    if not _fits(face):
        return ODD
    inner = _points(face)[_INNER]
    inside = ((inner >= 0) & (inner <= (width - 1, height - 1))).all(axis=1)
    if inside.mean() < 0.5:
        return OUTSIDE
    return shape_filters.reason_of(_points(face), min(height, width), limits.shape)


def _fits(face: Face) -> bool:
    """Whether the face square of the landmarks is about as large as the box, and its middle is in the box."""
    points = _points(face)
    try:
        matrix = face_matrix(points, 1, FaceType.FULL)
    except InputError:
        return False
    # The matrix makes a unit square of the face's, so the inverse of its determinant is the face's area.
    ratio = 1 / abs(np.linalg.det(matrix[:, :2])) / max(_area(face.box), 1e-6)
    middle = points[_INNER].mean(axis=0)
    in_the_box = (middle >= face.box[:2]).all() and (middle <= face.box[2:]).all()
    return bool(1 / _AREA_RATIO <= ratio <= _AREA_RATIO and in_the_box)


def _overlaps(face: Face, kept: list[Face]) -> bool:
    if not kept:
        return False
    boxes = np.array([landmarks_rect(_points(other)) for other in [face, *kept]])
    return bool((intersection_over_union(boxes[0], boxes[1:]) > _OVERLAP).any())


def _points(face: Face) -> NDArray[np.float64]:
    if face.landmarks is None:
        raise ValueError("this face has no landmarks yet")
    return face.landmarks


def _area(box: NDArray) -> float:
    return float((box[2] - box[0]) * (box[3] - box[1]))
