"""Frames turned by one angle after the other."""

import math

import cv2
import numpy as np
import pytest

from core.errors import UsageError
from core.faces.at_angles import AtAngles, angles_of
from core.faces.contract import DetectorSettings
from core.faces.detectors import yunet
from core.types import Face


@pytest.mark.parametrize(
    ("text", "angles"),
    [
        ("90", (0, 90, 180, 270)),
        ("100", (0, 100, 200, 300)),
        ("0", (0,)),
        ("45,315", (0, 45, 315)),
        ("180, 0,180", (0, 180)),
        ("-90,10", (0, 270, 10)),
    ],
)
def test_a_list_or_one_step(text, angles):
    assert angles_of(text) == angles


@pytest.mark.parametrize("text", ["", "nonsense", "10,,20", "nan", "inf", "0.001"])
def test_what_is_no_list_of_degrees(text):
    with pytest.raises(UsageError):
        angles_of(text)


class Marks:
    """Finds the red mark of an image, but only where it is straight above the green one."""

    device = "CPU"

    def __init__(self):
        self.views = []

    def detect(self, image):
        self.views.append(image.shape[:2])
        red, green = (np.argwhere(image[..., channel] > 150) for channel in (2, 1))
        if not len(red) or not len(green):
            return []
        down, across = green.mean(axis=0) - red.mean(axis=0)
        if down < 15 or abs(across) > 8:
            return []
        (top, left), (bottom, right) = red.min(axis=0), red.max(axis=0) + 1
        return [Face(np.array([left, top, right, bottom], np.float32), 0.9)]


def turned_marks(angle):
    """Red above green, turned clockwise about the middle of a wide image."""
    image = np.zeros((100, 160, 3), np.uint8)
    cv2.rectangle(image, (70, 20), (89, 34), (0, 0, 255), -1)
    cv2.rectangle(image, (70, 60), (89, 74), (0, 255, 0), -1)
    matrix = cv2.getRotationMatrix2D((79.5, 49.5), -angle, 1)
    return cv2.warpAffine(image, matrix, (160, 100))


def test_the_first_view_with_a_face_ends_the_search():
    marks = Marks()
    (face,) = AtAngles(marks, (0, 90, 180), "CPU").detect(turned_marks(0))
    assert marks.views == [(100, 160)] and face.roll == 0
    marks = Marks()
    (face,) = AtAngles(marks, (0, 90, 180), "CPU").detect(turned_marks(180))
    assert marks.views == [(100, 160), (160, 100), (100, 160)]
    assert abs(face.roll) == pytest.approx(math.pi)


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_quarter_turns_are_exact(angle):
    image = turned_marks(angle)
    red = np.argwhere(image[..., 2] > 150)
    expected = [*red.min(axis=0)[::-1], *(red.max(axis=0) + 1)[::-1]]
    (face,) = AtAngles(Marks(), (angle,), "CPU").detect(image)
    np.testing.assert_allclose(face.box, expected, atol=1.01)
    assert math.degrees(face.roll) % 360 == pytest.approx(angle)


def test_a_slanted_box_keeps_its_middle_and_its_area():
    image = turned_marks(45)
    (face,) = AtAngles(Marks(), (0, 45), "CPU").detect(image)
    red = np.argwhere(image[..., 2] > 150).mean(axis=0)[::-1]
    np.testing.assert_allclose((face.box[:2] + face.box[2:]) / 2, red + 0.5, atol=1.5)
    assert np.prod(face.box[2:] - face.box[:2]) == pytest.approx(20 * 15, rel=0.15)


def test_a_frame_without_a_face_has_none_at_any_angle():
    marks = Marks()
    assert AtAngles(marks, (0, 120, 240), "CPU").detect(np.zeros((30, 40, 3), np.uint8)) == []
    assert len(marks.views) == 3


def test_a_real_face_on_its_side(astronaut):
    lying = np.ascontiguousarray(np.rot90(astronaut, -1))
    detector = AtAngles(yunet.create(DetectorSettings(rotations="none")), angles_of("90"), "CPU")
    (face,) = detector.detect(lying)
    assert math.degrees(face.roll) == pytest.approx(90, abs=15)
    # The box of the upright face is at 178 .. 268, 63 .. 176 of 512.
    np.testing.assert_allclose(face.box, (512 - 176, 178, 512 - 63, 268), atol=35)
