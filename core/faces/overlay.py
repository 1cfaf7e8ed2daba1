"""What was found in a frame, drawn over it."""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.geometry.align import FaceType, face_matrix, invert, transform_points
from core.geometry.centring import axes, level_matrix, pose_degrees
from core.imaging.drawing import draw_text, text_width
from core.types import Face

_BOX, _POINT, _SQUARE, _TEXT = (255, 0, 0), (0, 255, 0), (0, 220, 255), (255, 255, 255)
_NOT_KEPT, _REASON = (0, 0, 255), (110, 110, 255)
# Right, up, forward.
_AXES = ((255, 128, 255), (255, 255, 0), (0, 165, 255))


def draw(
    image: NDArray[np.uint8], kept: Iterable[Face], others: Iterable[Face], face_type: FaceType
) -> NDArray[np.uint8]:
    """A copy of the frame with box, points, square (thick side up) and axes of the head of each face, and its index.

    others: faces that are not kept, drawn in red with their reason.
    """
    canvas = image.copy()
    for face in others:
        _box(canvas, face, _NOT_KEPT)
        _points(canvas, face, _NOT_KEPT)
        _label(canvas, face, face.reason, _REASON)
    for index, face in enumerate(kept):
        _box(canvas, face, _BOX)
        _points(canvas, face, _POINT)
        _label(canvas, face, f"{index}{_head(canvas, face, face_type)}", _TEXT)
    return canvas


def _box(canvas: NDArray[np.uint8], face: Face, color: tuple[int, int, int]) -> None:
    left, top, right, bottom = _corners(face)
    cv2.rectangle(canvas, (left, top), (right, bottom), color, 2)


def _corners(face: Face) -> list[int]:
    """The box in whole pixels; of a face that only older versions knew nothing is known but that it was there."""
    return np.clip(np.nan_to_num(face.box), -1e6, 1e6).astype(int).tolist()


def _points(canvas: NDArray[np.uint8], face: Face, color: tuple[int, int, int]) -> None:
    if face.landmarks is None:
        return
    for x, y in np.clip(face.landmarks, -1e6, 1e6).round().astype(int).tolist():
        cv2.circle(canvas, (x, y), 2, color, -1, cv2.LINE_AA)


def _head(canvas: NDArray[np.uint8], face: Face, face_type: FaceType) -> str:
    """Draw square and axes; returns the pose in words."""
    try:
        points = np.asarray(face.landmarks, np.float64)
        to_level = level_matrix(points)
        level = transform_points(points, to_level)
        square = transform_points([(0, 0), (1, 0), (1, 1), (0, 1)], invert(face_matrix(points, 1, face_type)))
        centre, *ends = transform_points(axes(level), invert(to_level)).round().astype(int).tolist()
        pitch, yaw, _ = pose_degrees(level)
    except InputError:  # points that no face can be fitted to
        return ""
    corners = square.round().astype(np.int32)
    cv2.polylines(canvas, [corners], True, _SQUARE, 2, cv2.LINE_AA)
    cv2.line(canvas, corners[0].tolist(), corners[1].tolist(), _SQUARE, 5, cv2.LINE_AA)
    for end, color in zip(ends, _AXES, strict=True):
        cv2.line(canvas, centre, end, color, 2, cv2.LINE_AA)
    return f": pitch {pitch:.0f}, yaw {yaw:.0f}"


def _label(canvas: NDArray[np.uint8], face: Face, text: str, color: tuple[int, int, int]) -> None:
    left, top, *_ = _corners(face)
    x = max(min(left, canvas.shape[1] - text_width(text, 0.5)), 0)
    corner = (x, max(top - 6, 14))
    for offset, shade in ((1, (0, 0, 0)), (0, color)):
        draw_text(canvas, text, (corner[0] + offset, corner[1] + offset), 0.5, shade)
