"""The faces that a model is judged on: read once, chosen the same way every time."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, PipelineError
from core.faceset.identity import face_id
from core.faceset.store import Faceset
from core.geometry.align import FaceType, Matrix, face_matrix, transform_points
from core.imaging.codec import decode_image
from core.imaging.masks import best_mask
from core.imaging.warp import warp_face
from core.types import FaceRecord

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class QualityFace:
    """An aligned face. image: uint8 BGR; landmarks: (68, 2) in it; mask: (H, W), 0..1, its best one."""

    id: str
    name: str
    image: NDArray[np.uint8]
    landmarks: NDArray[np.float64]
    mask: FloatArray


@dataclass(frozen=True)
class Crop:
    """A face as a model sees it. image: (R, R, 3), 0..1. mask: (R, R), its best. hull: (R, R), of its landmarks."""

    image: FloatArray
    mask: FloatArray
    hull: FloatArray


def crop_of(face: QualityFace, size: int, face_type: FaceType) -> Crop:
    """The square of ``size`` pixels that a model of this face type takes."""
    matrix = face_matrix(face.landmarks, size, face_type)
    image = warp_face(face.image, matrix, size).astype(np.float32) / np.float32(255)
    return Crop(image, np.clip(warp_face(face.mask, matrix, size), 0, 1), hull(face.landmarks, matrix, size))


def hull(landmarks: NDArray[np.float64], matrix: Matrix, size: int) -> FloatArray:
    """1 inside the convex hull of the landmarks sent through ``matrix``, else 0; (size, size)."""
    points = transform_points(landmarks, matrix).astype(np.int32)
    return np.asarray(cv2.fillConvexPoly(np.zeros((size, size), np.float32), cv2.convexHull(points), 1.0), np.float32)


def spread(count: int, wanted: int) -> list[int]:
    """``wanted`` of ``count`` numbers, evenly; all where there are fewer."""
    return [number * count // wanted for number in range(wanted)] if wanted < count else list(range(count))


def read_faces(faces: Faceset, indices: Sequence[int]) -> tuple[list[QualityFace], list[str]]:
    """The faces that can be read, and what is wrong with the others.

    Raises:
        InputError: none can be read.
    """
    found, problems = [], []
    for index in indices:
        try:
            found.append(_face(*faces.read_face(index)))
        except PipelineError as error:
            problems.append(str(error).replace("\n", " "))
    if not found:
        why = problems[0] if problems else "there are none"
        raise InputError("none of the faces can be read", where=faces.folder, why=why)
    return found, problems


def _face(record: FaceRecord, data: bytes) -> QualityFace:
    image = decode_image(data, record.name)
    landmarks = np.asarray(record.landmarks, np.float64)
    face_matrix(landmarks, 64, FaceType.WHOLE_FACE)  # degenerate landmarks are said now
    mask = best_mask(record)[0][..., 0]
    if mask.shape != image.shape[:2]:
        mask = cv2.resize(mask, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return QualityFace(face_id(record), record.name, image, landmarks, np.asarray(mask, np.float32))


def longest_run(records: Sequence[FaceRecord], most: int) -> list[int]:
    """Places of the faces of the longest run of consecutive frames, at most ``most`` from its middle; [] without any.

    Of a frame with several faces the first counts.
    """
    by_frame: dict[int, int] = {}
    for place, record in enumerate(records):
        number = _frame_number(record.source_filename or "")
        if number is not None:
            by_frame.setdefault(number, place)
    numbers = sorted(by_frame)
    runs = np.split(np.array(numbers, int), np.flatnonzero(np.diff(numbers) != 1) + 1) if numbers else []
    longest = max(runs, key=len, default=np.array([], int))
    start = max(0, (len(longest) - most) // 2)
    return [by_frame[int(number)] for number in longest[start : start + most]]


def _frame_number(name: str) -> int | None:
    found = re.search(r"(\d+)\D*$", name.rsplit(".", 1)[0])
    return int(found[1]) if found else None


def alike(face: QualityFace, others: Sequence[QualityFace]) -> QualityFace:
    """The face among the others that looks into about the same direction, with about the same expression."""
    places = np.stack([_placed(other) for other in others])
    return others[int(np.linalg.norm(places - _placed(face), axis=(1, 2)).argmin())]


def _placed(face: QualityFace) -> NDArray[np.float64]:
    return face.landmarks / face.image.shape[0]
