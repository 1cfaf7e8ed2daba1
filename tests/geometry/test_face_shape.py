"""The measures of a face's shape against golden numbers."""

import itertools
import math

import numpy as np
import pytest
from golden_files import golden_json

from core.errors import InputError
from core.geometry.centring import axes, pose_degrees
from core.geometry.face_shape import (
    average_distance,
    average_distances,
    eye_mouth_gap,
    face_side,
    levelled,
    residual_roll,
    unlikeness,
)
from core.geometry.head_pose import View


def cases():
    points = golden_json("faceswap/landmarks.json")
    for name, expected in golden_json("faceswap/newest/expected_geometry.json").items():
        image, index = name.split(":")
        yield np.array(points[image][int(index)]), expected


def test_equal_to_golden():
    for points, expected in cases():
        level = levelled(points)
        assert average_distance(level) == pytest.approx(expected["avg_distance"], abs=1e-6)
        assert eye_mouth_gap(level) == pytest.approx(expected["rel_eye_mouth"], abs=1e-5)
        assert face_side(points) == pytest.approx(expected["filter_size"], rel=1e-5)
        pose = expected["pose"]
        np.testing.assert_allclose(pose_degrees(level), (pose["pitch"], pose["yaw"], pose["roll"]), atol=2e-3)


def test_a_profile_is_no_rolled_face_however_it_looks_up_or_down():
    for pitch, yaw in itertools.product((-25, 0, 25), (-90, -75, 0, 75, 90)):
        view = View(math.radians(pitch), math.radians(yaw), 0.4, 90.0, np.array([200.0, 150.0]))
        assert abs(residual_roll(levelled(view.landmarks()))) < 14
    front = View(0.0, 0.0, 0.0, 1.0, np.zeros(2)).landmarks()
    assert residual_roll(front @ [[0.8, 0.6], [-0.6, 0.8]]) == pytest.approx(36.9, abs=0.1)


def test_axes_point_where_the_head_does():
    points, _ = next(cases())
    centre, right, up, forward = axes(levelled(points))
    assert right[0] > centre[0] + 0.2 or right[0] < centre[0] - 0.2
    assert up[1] < centre[1] - 0.2
    assert np.hypot(*(forward - centre)) < np.hypot(*(up - centre))


def test_a_face_upside_down_is_no_matter_and_scrambled_points_are():
    points, _ = next(cases())
    assert eye_mouth_gap(levelled(-points)) == pytest.approx(eye_mouth_gap(levelled(points)))
    scrambled = points[np.random.default_rng(0).permutation(68)]
    assert average_distance(levelled(scrambled)) > 0.15
    with pytest.raises(InputError):
        levelled(np.zeros((68, 2)))


def test_many_at_once_are_measured_as_one_by_one():
    points = np.stack([case for case, _ in cases()])
    turned = np.concatenate([points, points[..., ::-1] * [1, -1], np.zeros((1, 68, 2))])
    expected = [average_distance(levelled(one)) for one in turned[:-1]]
    found = average_distances(turned)
    np.testing.assert_allclose(found[:-1], expected, atol=1e-6)
    assert np.isnan(found[-1])


def test_a_profile_is_like_a_face_and_scrambled_points_are_not():
    poses = itertools.product((-25, 0, 25), (-90, -70, 70, 90))
    turned = [View(math.radians(p), math.radians(y), 0.7, 90.0, np.array([200.0, 150.0])).landmarks() for p, y in poses]
    assert (average_distances(np.stack(turned)) > 0.06).all()
    np.testing.assert_allclose(unlikeness(np.stack(turned)), 0, atol=1e-9)
    points = np.stack([case for case, _ in cases()])
    assert (unlikeness(points) <= average_distances(points)).all()
    scrambled = points[:, np.random.default_rng(0).permutation(68)]
    assert (unlikeness(scrambled) > 0.1).all()
    assert np.isnan(unlikeness(np.zeros((1, 68, 2)))).all()
