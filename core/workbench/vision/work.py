"""What the vision process can do. Points and boxes are in pixels of the pictures that it gets."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core import plugins
from core.faces import orientation
from core.faces.contract import Landmarker
from core.faces.cropping import eyes_roll
from core.geometry.align import transform_points
from core.types import Face, FaceRecord

Picture = NDArray[np.uint8]
Points = NDArray[np.float64]
LANDMARKER = "facemesh"
_SURE = 0.5  # confidence from which on points of the network are believed
_NEAR = 0.25  # of the size of a face: farther from where the picture moved the network saw something else


def open_eyes() -> Landmarker:
    """The network for points, warm."""
    eyes: Landmarker = plugins.load("landmarkers", LANDMARKER).create()
    eyes.landmarks(np.zeros((64, 64, 3), np.uint8), Face(np.array([8, 8, 56, 56], np.float32), 1.0))
    return eyes


def landmarks(eyes: Landmarker, pictures: Sequence[Picture], box: list[float], roll: float | None) -> dict[str, Any]:
    """The points of the face in a box. roll: radians, of the head; None where nobody knows it."""
    (picture,) = pictures
    place = np.array(box, np.float32)
    if roll is None:
        roll = orientation.find(picture, place).roll
    points, confidence = eyes.landmarks(picture, Face(place, 1.0, roll))
    return {"points": points.astype(float).tolist(), "confidence": confidence}


def follow(eyes: Landmarker, pictures: Sequence[Picture], box: list[float], points: list[Any]) -> dict[str, Any]:
    """Where the face of the first picture is in the second: moved with the picture, then looked for anew.

    What a hand had corrected in the first stays corrected. aligned: whether the network saw the face there.
    """
    first, second = pictures
    before = np.array(points, np.float64)
    matrix = _motion(first, second, before)
    moved = transform_points(before, matrix)
    corners = np.array(box, np.float64).reshape(2, 2)
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    middle = transform_points([corners.mean(axis=0)], matrix)[0]
    half = (corners[1] - corners[0]) / 2 * scale
    place = np.concatenate([middle - half, middle + half])
    found, sure = _looked(eyes, second, place, moved)
    old, was_sure = _looked(eyes, first, np.array(box), before)
    size = float(np.ptp(moved, axis=0).max())
    aligned = bool(sure >= _SURE and np.linalg.norm(found - moved, axis=1).mean() < _NEAR * size)
    if aligned:
        correction = before - old if was_sure >= _SURE else np.zeros_like(before)
        found = found + correction @ matrix[:, :2].T
    return {
        "points": (found if aligned else moved).tolist(),
        "box": place.tolist(),
        "confidence": sure,
        "aligned": aligned,
    }


def mask(
    eyes: Landmarker,
    pictures: Sequence[Picture],
    landmarks: list[Any],
    face_type: str,
    root: str,
    tolerance: float | None,
) -> dict[str, Any]:
    """Polygons of the mask that XSeg makes of a face. landmarks: of the picture. root: of the workspace."""
    (picture,) = pictures
    # Only who asks for masks pays for it.
    from core.workbench.vision.mask_network import polygons_by_network

    record = FaceRecord("face", picture.shape[:2], np.array(landmarks, np.float64), face_type)  # type: ignore[arg-type]
    found = polygons_by_network(picture, record, Path(root), tolerance)
    return {"polygons": [{"include": one.include, "points": one.points.astype(float).tolist()} for one in found]}


QUESTIONS: dict[str, Callable[..., dict[str, Any]]] = {"landmarks": landmarks, "follow": follow, "mask": mask}


def _looked(eyes: Landmarker, picture: Picture, box: NDArray, points: Points) -> tuple[Points, float]:
    face = Face(box.astype(np.float32), 1.0, eyes_roll(points))
    found, confidence = eyes.landmarks(picture, face)
    return found.astype(np.float64), confidence


def _motion(first: Picture, second: Picture, points: Points) -> NDArray[np.float64]:
    """How the picture moved at the points: shift, turn and size, (2, 3)."""
    before, after = (cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) for picture in (first, second))
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(before, after, None)
    low, high = np.zeros(2), np.array(before.shape[::-1]) - 1
    inside = np.clip(points.round(), low, high).astype(int)
    shift = flow[inside[:, 1], inside[:, 0]].astype(np.float64)
    matrix, _ = cv2.estimateAffinePartial2D(points, points + shift, ransacReprojThreshold=2.0)
    if matrix is None or not np.isfinite(matrix).all() or not 0.5 < np.hypot(matrix[0, 0], matrix[1, 0]) < 2:
        return np.column_stack([np.eye(2), np.median(shift, axis=0)])
    return np.asarray(matrix, np.float64)
