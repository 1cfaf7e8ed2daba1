"""Upside down is told by the face, not by the light on it or by what is behind it."""

import cv2
import numpy as np
from portraits import person

from core.faceset.scores.misalignment import upside_down
from core.geometry.align import FaceType, face_matrix


def thumbs(count: int) -> np.ndarray:
    """A face in light that comes from one side in one half of the images, from the other side in the others."""
    frame, points = person(0)
    face = cv2.warpAffine(frame, face_matrix(points, 128, FaceType.WHOLE_FACE), (128, 128))
    grey = cv2.resize(cv2.cvtColor(face, cv2.COLOR_BGR2GRAY), (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    light = np.linspace(-120, 120, 32, dtype=np.float32)
    sides = np.resize([1, 1, 1, -1], count)
    return np.clip(grey / 2 + 64 + sides[:, None, None] * light, 0, 255).astype(np.uint8)


def test_light_from_the_other_side_turns_no_face():
    images = thumbs(20)
    faces = np.ones(20, bool)
    assert upside_down(images, faces).max() < 0
    images[[3, 8]] = images[[3, 8], ::-1, ::-1]
    found = upside_down(images, faces)
    assert set(np.flatnonzero(found > 0.1)) == {3, 8}


def test_few_faces_say_nothing():
    assert not upside_down(thumbs(7), np.ones(7, bool)).any()
