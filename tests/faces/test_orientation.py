"""Faces at any angle in the image plane are found, once, and their landmarks are those of the upright one."""

import math

import cv2
import numpy as np
import pytest

from core.faces.contract import DetectorSettings
from core.faces.detectors import yunet
from core.faces.landmarkers import facemesh
from core.faces.orientation import crop_square
from core.geometry.align import transform_points


def turned(image, degrees):
    """The image turned clockwise on a canvas that holds all of it, and the matrix from one to the other."""
    height, width = image.shape[:2]
    side = math.ceil(math.hypot(height, width))
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1)
    matrix[:, 2] += ((side - width) / 2, (side - height) / 2)
    return cv2.warpAffine(image, matrix, (side, side)), matrix


@pytest.mark.parametrize("degrees", [0, 30, 45, 90, 135, 180, 225, 270, 330])
@pytest.mark.parametrize("person", ["astronaut", "admiral"])
def test_any_angle(person, degrees, request):
    image = request.getfixturevalue(person)
    detector, landmarker = yunet.create(DetectorSettings()), facemesh.create()
    upright, _ = landmarker.landmarks(image, detector.detect(image)[0])
    canvas, matrix = turned(image, degrees)
    (face,) = [item for item in detector.detect(canvas) if landmarker.landmarks(canvas, item)[1] > 0.5]
    points, _ = landmarker.landmarks(canvas, face)
    expected = transform_points(upright, matrix)
    eye_distance = np.linalg.norm(expected[36:42].mean(axis=0) - expected[42:48].mean(axis=0))
    assert np.linalg.norm(points - expected, axis=1)[17:].mean() < 0.08 * eye_distance


def test_a_face_that_fills_the_picture(astronaut):
    close = cv2.resize(astronaut[55:185, 165:285], (1200, 1300), interpolation=cv2.INTER_CUBIC)
    (face,) = yunet.create(DetectorSettings()).detect(close)
    assert face.box[2] - face.box[0] > 600


def test_a_small_face_is_found_when_asked_for(astronaut):
    canvas = np.zeros((2160, 3840, 3), np.uint8)
    canvas[1000:1160, 3000:3160] = cv2.resize(astronaut, (160, 160), interpolation=cv2.INTER_AREA)
    (face,) = yunet.create(DetectorSettings(size=1920)).detect(canvas)
    assert 3050 < (face.box[0] + face.box[2]) / 2 < 3090


def test_crop_square_agrees_with_its_matrix_at_any_scale():
    image = np.zeros((900, 900, 3), np.uint8)
    cv2.circle(image, (500, 420), 20, (255, 255, 255), -1)
    for side in (150.0, 700.0):
        crop, matrix = crop_square(image, np.array([470.0, 440.0]), side, 0.6, 96)
        ys, xs = np.nonzero(crop[..., 0] > 127)
        np.testing.assert_allclose((xs.mean(), ys.mean()), transform_points([(500, 420)], matrix)[0], atol=0.5)
