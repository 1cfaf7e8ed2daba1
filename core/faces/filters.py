"""Which of the faces found in a frame are kept, and under which name the others are counted."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.geometry.align import FaceType, face_matrix, landmarks_rect
from core.geometry.boxes import intersection_over_union
from core.types import Face

SMALL = "smaller than --min-face-size"
NO_FACE = "not a face to the landmarker"
ODD = "landmarks do not fit the box"
OUTSIDE = "mostly outside the picture"
TWICE = "found twice"
MANY = "beyond --max-faces"

_INNER = slice(17, 68)
_AREA_RATIO = 4.0  # of the face square by the landmarks to the detector's box, either way
_OVERLAP = 0.5


@dataclass(frozen=True)
class Candidate:
    """A face with landmarks. landmarks: float32 (68, 2), frame pixels; sure: 0..1, that it is a face at all."""

    face: Face
    landmarks: NDArray[np.float32]
    sure: float


@dataclass(frozen=True)
class Limits:
    """min_size: shorter side of the detector's box, pixels; sure: 0..1; max_faces: 0 for all."""

    min_size: float = 40
    sure: float = 0.5
    max_faces: int = 0


def large_enough(faces: list[Face], limits: Limits) -> list[Face]:
    """The faces of at least the smallest size: asked before the costly landmarks."""
    return [face for face in faces if min(face.box[2] - face.box[0], face.box[3] - face.box[1]) >= limits.min_size]


def sift(candidates: list[Candidate], height: int, width: int, limits: Limits) -> tuple[list[Candidate], Counter[str]]:
    """(the faces to keep, largest first; how many were dropped under which name)."""
    dropped: Counter[str] = Counter()
    kept: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda item: -item.sure * item.face.confidence):
        reason = _reason(candidate, height, width, limits) or (TWICE if _overlaps(candidate, kept) else "")
        if reason:
            dropped[reason] += 1
        else:
            kept.append(candidate)
    kept.sort(key=lambda item: (-_area(item.face.box), *item.face.box.tolist()))
    if limits.max_faces and len(kept) > limits.max_faces:
        dropped[MANY] += len(kept) - limits.max_faces
        kept = kept[: limits.max_faces]
    return kept, dropped


def _reason(candidate: Candidate, height: int, width: int, limits: Limits) -> str:
    if candidate.sure < limits.sure:
        return NO_FACE
    if not _fits(candidate):
        return ODD
    inner = candidate.landmarks[_INNER]
    inside = ((inner >= 0) & (inner <= (width - 1, height - 1))).all(axis=1)
    return OUTSIDE if inside.mean() < 0.5 else ""


def _fits(candidate: Candidate) -> bool:
    """Whether the face square of the landmarks is about as large as the box, and its middle is in the box."""
    try:
        matrix = face_matrix(candidate.landmarks, 1, FaceType.FULL)
    except InputError:
        return False
    ratio = 1 / abs(np.linalg.det(matrix[:, :2])) / max(_area(candidate.face.box), 1e-6)
    middle, box = candidate.landmarks[_INNER].mean(axis=0), candidate.face.box
    return bool(1 / _AREA_RATIO <= ratio <= _AREA_RATIO and (middle >= box[:2]).all() and (middle <= box[2:]).all())


def _overlaps(candidate: Candidate, kept: list[Candidate]) -> bool:
    if not kept:
        return False
    boxes = np.array([landmarks_rect(item.landmarks) for item in [candidate, *kept]])
    return bool((intersection_over_union(boxes[0], boxes[1:]) > _OVERLAP).any())


def _area(box: NDArray) -> float:
    return float((box[2] - box[0]) * (box[3] - box[1]))
