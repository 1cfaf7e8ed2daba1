"""Several looks at a face: what they are given, which of them count, and that they are the same every time."""

import numpy as np
import pytest
from drawn_faces import landmarks

from core.faces.landmarkers import facemesh
from core.faces.refeed import Looks, mark
from core.types import Face

IMAGE = np.zeros((300, 300, 3), np.uint8)
FACE = Face(np.array([100, 100, 200, 220], np.float32), 0.9, frame="00007.png")
SHAPE = landmarks(100)


class Landmarker:
    """Points at a fixed place of the box, with its own remarks on what it saw."""

    device = "CPU"

    def __init__(self):
        self.boxes, self.shapes = [], []

    def landmarks(self, image, face):
        self.boxes.append(face.box.copy())
        self.shapes.append(image.shape)
        return (SHAPE + face.box[:2]).astype(np.float32), 1 / len(self.boxes)


def looked(looks, passes=lambda points: True, face=FACE):
    landmarker = Landmarker()
    return landmarker, *mark(landmarker, IMAGE, face, looks, passes)


def test_one_look_is_what_the_landmarker_says():
    landmarker, points, sure = looked(Looks())
    np.testing.assert_allclose(points, SHAPE + 100, atol=1e-4)
    assert sure == 1 and len(landmarker.boxes) == 1 and points.dtype == np.float64


def test_boxes_move_by_at_most_a_twentieth_and_the_mean_counts():
    landmarker, points, sure = looked(Looks(refeed=10))
    boxes = np.array(landmarker.boxes)
    assert len(boxes) == 11 and (boxes[0] == FACE.box).all()
    moved = boxes[1:] - FACE.box
    assert np.abs(moved[:, :2]).max() <= 5.01 and np.abs(moved[:, 2:] - moved[:, :2]).max() <= 5.01
    assert (moved.std(axis=0) > 0.5).all()
    np.testing.assert_allclose(points, SHAPE + boxes[:, :2].mean(axis=0), atol=1e-3)
    assert sure == pytest.approx(np.mean(1 / np.arange(1, 12)))


def test_the_same_frame_gives_the_same_points_and_another_one_others():
    _, one, _ = looked(Looks(refeed=3))
    _, again, _ = looked(Looks(refeed=3))
    _, other, _ = looked(Looks(refeed=3), face=Face(FACE.box, 0.9, frame="00008.png"))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_looks_that_pass_no_filter_do_not_count():
    first = SHAPE + 100
    _, points, _ = looked(Looks(refeed=10), passes=lambda points: bool(points[0, 0] > first[0, 0] - 0.01))
    assert (points[:, 0] > first[:, 0] - 0.01).all() and points[0, 0] > first[0, 0] + 0.1
    _, points, sure = looked(Looks(refeed=5), passes=lambda points: False)
    np.testing.assert_allclose(points, first, atol=1e-4)
    assert sure == 1
    _, all_of_them, _ = looked(Looks(refeed=5, filter_refeed=False), passes=lambda points: False)
    assert np.abs(all_of_them - first).max() > 0.01


def test_the_second_look_is_at_the_levelled_face():
    landmarker, points, sure = looked(Looks(realign=True))
    assert landmarker.shapes == [IMAGE.shape, (384, 384, 3)] and sure == 0.5
    left, top, right, bottom = landmarker.boxes[1]
    assert 0 < left < right < 384 and 0 < top < bottom < 384
    # It answers at a fixed place of that box again, which is mapped back into the frame.
    assert np.ptp(points[:, 0]) == pytest.approx(np.ptp(SHAPE[:, 0]) * np.ptp(SHAPE[17:, 0]) / 144, rel=0.2)
    landmarker, _, _ = looked(Looks(realign=True), passes=lambda points: False)
    assert len(landmarker.boxes) == 1
    landmarker, _, _ = looked(Looks(realign=True, filter_realign=False), passes=lambda points: False)
    assert len(landmarker.boxes) == 2
    landmarker, _, _ = looked(Looks(refeed=2, realign=True))
    assert len(landmarker.boxes) == 6


def test_points_in_one_place_are_not_looked_at_again(monkeypatch):
    monkeypatch.setattr(Landmarker, "landmarks", lambda self, image, face: (np.zeros((68, 2), np.float32), 0.1))
    _, points, sure = looked(Looks(realign=True))
    assert not points.any() and sure == 0.1


def test_a_real_face_stays_where_it_is(astronaut):
    landmarker = facemesh.create()
    face = Face(np.array([178, 63, 268, 176], np.float32), 0.9, frame="a.png")
    plain, _ = mark(landmarker, astronaut, face, Looks(), lambda points: True)
    for looks in (Looks(refeed=2), Looks(realign=True)):
        points, sure = mark(landmarker, astronaut, face, looks, lambda points: True)
        assert np.abs(points - plain).mean() < 1.5 and sure > 0.9


@pytest.mark.parametrize("way", ["clahe", "hist", "mean"])
def test_evened_out_light_helps_in_the_dark(astronaut, way):
    face = Face(np.array([178, 63, 268, 176], np.float32), 0.9)
    bright, _ = facemesh.create().landmarks(astronaut, face)
    dark = (astronaut * 0.12).astype(np.uint8)
    points, sure = facemesh.create(normalisation=way).landmarks(dark, face)
    assert np.abs(points - bright).mean() < 3 and sure > 0.8
