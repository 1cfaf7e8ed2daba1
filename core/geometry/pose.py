"""Where a face looks, from its landmarks: perspective-n-point against a mean head."""

import cv2
import numpy as np
from numpy.typing import ArrayLike

from core.errors import InputError
from core.geometry import landmarks as lm

POINTS = [*range(27), *range(30, 36)]  # no eyes, no mouth: they move


def pitch_yaw_roll(landmarks: ArrayLike, size: int) -> tuple[float, float, float]:
    """(pitch, yaw, roll) in radians, within +-pi/2, of a face in a square image of ``size`` pixels.

    landmarks: (68, 2), pixels of that image. pitch > 0: looking up; yaw > 0: nose toward the image's left. The roll of
    an aligned face is unreliable.

    Raises:
        InputError: no pose fits the landmarks.
    """
    image_points = lm.validated(landmarks)[POINTS].astype(np.float32)
    # A focal length of one image side is the format's; another one gives other angles.
    camera = np.array([[size, 0, size / 2], [0, size, size / 2], [0, 0, 1]], np.float64)
    try:
        _, rotation, _ = cv2.solvePnP(lm.HEAD_3D[POINTS], image_points, camera, np.zeros((4, 1)))
    except cv2.error as error:
        raise InputError("no pose fits these landmarks", why=str(error).strip().splitlines()[-1]) from None
    # The solver often finds the head turned over; the clip makes a roll of a quarter turn of that.
    pitch, yaw, roll = np.clip(_euler(cv2.Rodrigues(rotation)[0]), -np.pi / 2, np.pi / 2)
    # The solver's pitch grows when the face looks down.
    return float(-pitch), float(yaw), float(roll)


def _euler(r: np.ndarray) -> tuple[float, float, float]:
    """Angles about x, y and z of a rotation matrix (3, 3); the last is 0 where the head looks straight up or down."""
    q = np.hypot(r[0, 0], r[1, 0])
    if q >= 1e-6:
        return np.arctan2(r[2, 1], r[2, 2]), np.arctan2(-r[2, 0], q), np.arctan2(r[1, 0], r[0, 0])
    return np.arctan2(-r[1, 2], r[1, 1]), np.arctan2(-r[2, 0], q), 0.0
