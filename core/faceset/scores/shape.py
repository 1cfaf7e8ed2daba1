"""What the landmarks and the metadata of a face tell; the image is not decoded."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.faceset.gallery import record_of
from core.geometry import landmarks as lm
from core.geometry.align import similarity_fit, transform_points
from core.geometry.head_pose import head_pose
from core.geometry.pose import pitch_yaw_roll
from core.imaging.masks import mask_origin
from core.types import FaceRecord

_NUMBERS = (
    "pitch",
    "yaw",
    "head_pitch",
    "head_yaw",
    "roll",
    "tilt",
    "rect_area",
    "size",
    "distance",
    "eye_mouth",
    "residual",
    "fit_error",
    "skew",
    "stretch",
)
# Column -> what stands for "no value".
COLUMNS: dict[str, Any] = {
    "is_face": np.nan,
    "source_filename": "",
    "mask_origin": "",
    **dict.fromkeys(_NUMBERS, np.nan),
}

# The mean head with a column of ones: times (4, 2) it is seen by a distant camera. Its inverse finds that camera.
_HEAD = np.column_stack([lm.HEAD_3D.astype(np.float64), np.ones(lm.COUNT)])
_TO_CAMERA = np.linalg.pinv(_HEAD)
_BROWS_AND_EYES = [*range(17, 27), *range(36, 48)]
_MOUTH = slice(48, 68)


def shape(data: bytes, name: str) -> dict[str, Any]:
    """The columns of a face file. Angles in radians, areas and sizes in frame pixels; NaN for what is no face.

    pitch and yaw are by the formula of the format, head_pitch and head_yaw do not saturate in profile.
    """
    record = record_of(data, name)
    if record is None:
        return {"is_face": 0.0, "source_filename": "", "mask_origin": "", **dict.fromkeys(_NUMBERS, np.nan)}
    pitch, yaw, _ = pitch_yaw_roll(record.landmarks, record.shape[1])
    return {
        "is_face": 1.0,
        "source_filename": record.source_filename or "",
        "mask_origin": mask_origin(record),
        "pitch": pitch,
        "yaw": yaw,
        **dict(zip(("head_pitch", "head_yaw"), head_pose(record.landmarks), strict=False)),
        **_in_frame(record),
        **_alignment(record),
        **head_fit(record.landmarks),
    }


def _in_frame(record: FaceRecord) -> dict[str, float]:
    """Area of the detector's box, and the edge of the face square in the frame with its turn there, clockwise."""
    # Files of other programs may not know the frame: then the crop has to do.
    points = record.source_landmarks if record.source_landmarks is not None else record.landmarks
    # Without the jaw, of which the mean face has no points.
    to_mean = similarity_fit(points[17:], lm.MEAN_51)
    scale = float(np.hypot(to_mean[0, 0], to_mean[1, 0]))
    return {
        "rect_area": _box_area(record),
        "size": 2 / scale,
        "tilt": float(-np.arctan2(to_mean[1, 0], to_mean[0, 0])),
    }


def _box_area(record: FaceRecord) -> float:
    if record.source_rect is None:
        return np.nan
    left, top, right, bottom = map(float, record.source_rect)
    return abs((right - left) * (bottom - top))


def _alignment(record: FaceRecord) -> dict[str, float]:
    """How well the landmarks fit a face and the metadata each other.

    distance: from the average face, in its units. eye_mouth: how far the mouth is below the eyes, a part of the image's
    height. residual: how far matrix and landmarks disagree, a part of its width.
    """
    # Without the jaw, whose points slide along it: the mean face has none.
    normal = transform_points(record.landmarks, similarity_fit(record.landmarks[17:], lm.MEAN_51))
    residual = 0.0
    if record.image_to_face_mat is not None and record.source_landmarks is not None:
        moved = transform_points(record.source_landmarks, record.image_to_face_mat)
        residual = float(np.abs(moved - record.landmarks).mean() / record.shape[1])
    height = record.landmarks[:, 1]
    return {
        "distance": float(np.abs(normal[17:] - lm.MEAN_51).mean()),
        "eye_mouth": float(height[_MOUTH].min() - height[_BROWS_AND_EYES].max()) / record.shape[0],
        "residual": residual,
    }


def head_fit(landmarks: NDArray[np.float64]) -> dict[str, float]:
    """The mean head seen by a distant camera, fitted to the landmarks (68, 2) without constraints.

    fit_error: what is left, as a part of the spread of the points.
    skew, stretch: how far the fit is from a view of a rigid head; 0: it is one.
    roll: turn of the head in the image, radians, clockwise, over the full circle, where a perspective fit often jumps
        by half a turn.
    """
    camera = _TO_CAMERA @ landmarks
    spread = landmarks - landmarks.mean(axis=0)
    (right, down), rest = camera[:3].T, landmarks - _HEAD @ camera
    lengths = np.maximum(np.linalg.norm(camera[:3], axis=0), 1e-9)
    return {
        "fit_error": float(np.sqrt((rest**2).sum() / max((spread**2).sum(), 1e-9))),
        "skew": float(abs(right @ down) / lengths.prod()),
        "stretch": float(abs(np.log(lengths[0] / lengths[1]))),
        "roll": float(np.arctan2(down[0] - right[1], right[0] + down[1])),
    }
