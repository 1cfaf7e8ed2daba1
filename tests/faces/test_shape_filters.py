"""The filters of the points, each by its number, and their order."""

import numpy as np
import pytest
from drawn_faces import landmarks

from core.faces import shape_filters
from core.faces.shape_filters import NO_LIMITS, ShapeLimits, reason_of
from core.geometry.face_shape import average_distance, face_side, levelled

GOOD = landmarks(200)
SIDE = face_side(GOOD)


def upside_down_features():
    points = GOOD.copy()
    points[48:68], points[36:48] = GOOD[48:68] - (0, 60), GOOD[36:48] + (0, 60)
    return points


def test_a_good_face_passes():
    assert reason_of(GOOD, 400, ShapeLimits()) == ""


def test_features():
    assert reason_of(upside_down_features(), 400, ShapeLimits()) == shape_filters.FEATURES
    assert reason_of(upside_down_features(), 400, ShapeLimits(features=False, distance=0)) == ""


def test_scales():
    short = int(SIDE * 10)
    assert reason_of(GOOD, short, ShapeLimits(min_scale=0.11)) == shape_filters.MIN_SCALE
    assert reason_of(GOOD, short, ShapeLimits(min_scale=0.09)) == ""
    short = int(SIDE / 2)
    assert reason_of(GOOD, short, ShapeLimits(max_scale=1.9)) == shape_filters.MAX_SCALE
    assert reason_of(GOOD, short, ShapeLimits(max_scale=2.1)) == reason_of(GOOD, short, ShapeLimits(max_scale=0)) == ""


def test_distance():
    bent = GOOD + np.random.default_rng(0).normal(0, 6, GOOD.shape)
    percent = 100 * average_distance(levelled(bent))
    assert reason_of(bent, 400, ShapeLimits(distance=percent - 0.1, features=False)) == shape_filters.DISTANCE
    assert reason_of(bent, 400, ShapeLimits(distance=percent + 0.1, features=False)) == ""


def test_roll_is_what_is_left_after_levelling():
    turned = GOOD @ np.array([[0.6, 0.8], [-0.8, 0.6]])
    assert reason_of(turned, 400, ShapeLimits(roll=10)) == ""
    sheared = GOOD + np.stack([0.7 * GOOD[:, 1], np.zeros(68)], axis=1)
    assert reason_of(sheared, 400, ShapeLimits(roll=2, distance=0)) == shape_filters.ROLL


def test_points_in_one_place_and_no_limits():
    same = np.zeros((68, 2))
    assert reason_of(same, 400, ShapeLimits()) == shape_filters.NO_SHAPE
    assert reason_of(same, 400, NO_LIMITS) == ""


@pytest.mark.parametrize("field", ["min_scale", "max_scale", "distance", "roll"])
def test_zero_switches_a_test_off(field):
    limits = ShapeLimits(features=False, min_scale=0, max_scale=0, distance=0, roll=0)
    assert reason_of(upside_down_features(), 400, limits._replace(**{field: 0})) == ""
