"""A face cut out of its frame: the square, what is measured of it, and the file."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.formats import dfl_image
from core.geometry.align import FaceType, face_matrix, transform_points, whole_face_points
from core.geometry.face_shape import face_side
from core.geometry.head_pose import head_pose
from core.geometry.many_poses import pitches_yaws_rolls
from core.geometry.pose import pitch_yaw_roll
from core.imaging.codec import encode_jpeg
from core.imaging.warp import warp_face
from core.types import Face, FaceRecord

_USUAL_SIZE = 256  # pixels of a crop of which only the pose is asked
_SMALLEST = 4  # pixels of the frame that a face must have to be written


@dataclass(frozen=True)
class CropSettings:
    """How faces are cropped and stored.

    face_type: how much around the face.
    size: side of the crop, pixels.
    quality: of the JPEG, 1..100.
    exact: bilinear and 4:2:0 as DeepFaceLab writes; else anti-aliased and 4:4:4.
    debug: also draw what was found into a copy of the frame.
    files: make files of faces that are kept.
    filtered: make files of the others, too.
    min_scale: per cent of ``size`` that the face-centred square must have in the frame, or there is no file.
    """

    face_type: FaceType = FaceType.WHOLE_FACE
    size: int = 512
    quality: int = 90
    exact: bool = False
    debug: bool = False
    files: bool = True
    filtered: bool = False
    min_scale: float = 0.0


def large_enough(points: NDArray[np.float64], crop: CropSettings) -> bool:
    """Whether a face gets a file: its square in the frame is as large as ``min_scale`` asks."""
    return not crop.min_scale or face_side(points) >= max(crop.size * crop.min_scale / 100, _SMALLEST)


def record_of(face: Face, name: str, crop: CropSettings) -> FaceRecord:
    """All of the crop but its pixels. name: of the file.

    Raises:
        InputError: no square fits the landmarks.
    """
    points = np.asarray(face.landmarks)
    matrix = face_matrix(points, crop.size, crop.face_type)
    # Cut off and not rounded, as the original writes it; without a box the points have one.
    box = face.box if np.isfinite(face.box).all() else np.concatenate([points.min(axis=0), points.max(axis=0)])
    left, top, right, bottom = (int(value) for value in box)
    return FaceRecord(
        name=name,
        shape=(crop.size, crop.size),
        landmarks=transform_points(points, matrix),
        face_type=crop.face_type.file_name,
        source_filename=face.frame,
        source_rect=(left, top, right, bottom),
        source_landmarks=points,
        image_to_face_mat=matrix,
        face_id=face.id,
    )


def cut(image: NDArray[np.uint8], record: FaceRecord, crop: CropSettings) -> NDArray[np.uint8]:
    """The square of a frame (uint8, H x W x 3, BGR) that the record describes."""
    return warp_face(image, np.asarray(record.image_to_face_mat), crop.size, exact=crop.exact)


def encoded(aligned: NDArray[np.uint8], record: FaceRecord, crop: CropSettings) -> bytes:
    """The face file. Raises InputError when the metadata does not fit into it."""
    return dfl_image.embed(encode_jpeg(aligned, crop.quality, "420" if crop.exact else "444"), record)


def pose_scores(record: FaceRecord, pose: tuple[float, float, float] | None = None) -> dict[str, float]:
    """Pitch and yaw of the crop by the formula of the format, the roll of the eyes in the frame, and ``head_pitch`` and
    ``head_yaw``, the turn of the head, which does not saturate in profile: radians.

    pose: of the head, where more is known of it than the landmarks.

    Raises:
        InputError: no pose fits the landmarks.
    """
    pitch, yaw, _ = pitch_yaw_roll(record.landmarks, record.shape[0])
    points = np.asarray(record.source_landmarks)
    head_pitch, head_yaw, _ = pose or head_pose(points)
    own = {"head_pitch": head_pitch, "head_yaw": head_yaw}
    return {"pitch": pitch, "yaw": yaw, "roll": eyes_roll(points), **own}


def whole_face_poses(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pitch and yaw (n, 2) of the whole-face crops of many faces, landmarks (n, 68, 2) in their frames: radians.

    NaN where no pose fits the landmarks.
    """
    return pitches_yaws_rolls(whole_face_points(points, _USUAL_SIZE), _USUAL_SIZE)[:, :2]


def sharpness(aligned: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian of the middle of an aligned face, at 256 pixels a side so that sizes compare."""
    grey = cv2.cvtColor(cv2.resize(aligned, (256, 256), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    return float(cv2.Laplacian(grey[32:224, 32:224], cv2.CV_64F).var())


def eyes_roll(points: NDArray[np.float64]) -> float:
    """The clockwise turn of the line through the eyes, radians."""
    return float(eyes_rolls(points[None])[0])


def eyes_rolls(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same of many faces, landmarks (n, 68, 2): (n,)."""
    eyes = points[:, 42:48].mean(axis=1) - points[:, 36:42].mean(axis=1)
    return np.arctan2(eyes[:, 1], eyes[:, 0])
