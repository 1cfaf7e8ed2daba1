"""The second look at faces that the mesh network does not believe or gets wrong; poses; the 68 points of a mesh."""

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest

from core.errors import InputError
from core.faces import blaze_net, second_look
from core.faces.contract import DetectorSettings
from core.faces.detectors import yunet
from core.faces.filters import Limits
from core.faces.finding import Finder
from core.faces.landmarkers import facemesh
from core.faces.mesh_points import FIRST, points_68
from core.geometry import landmarks as lm
from core.geometry.head_pose import HEAD, View, angles, fit_view, head_pose, head_turn, pose_by_depth, rotation

POSE = (0.2, -1.2, 0.3)


@pytest.fixture(scope="module")
def finder():
    return Finder(yunet.create(DetectorSettings()), facemesh.create(), Limits())


def test_a_clear_face_needs_no_second_look(finder, admiral):
    (face,), _ = finder.find("a.png", admiral)
    (first,), _ = replace(finder, second=False).find("a.png", admiral)
    np.testing.assert_array_equal(face.landmarks, first.landmarks)
    assert second_look.believed(first) and face.origin == "detector" and first.five.shape == (5, 2)
    assert not second_look.believed(replace(first, landmark_confidence=0.4))
    assert not second_look.believed(replace(first, five=first.five + 60))


def test_points_of_a_blurred_face_are_found_and_near_those_of_the_clear_one(finder, admiral):
    (clear,), _ = finder.find("a.png", admiral)
    size = float(np.ptp(clear.landmarks[:, 1]))
    blurred = cv2.GaussianBlur(admiral, (0, 0), 0.06 * size)
    found = second_look.look_again(finder.landmarker, blurred, clear)
    assert found.confidence > 0.5 and not found.fitted
    assert np.linalg.norm(found.points - clear.landmarks, axis=1)[17:].mean() < 0.05 * size
    nothing = np.full_like(admiral, 90)
    assert second_look.look_again(finder.landmarker, nothing, clear) is None
    unseen = second_look.improved(finder.landmarker, None, nothing, clear)
    assert unseen.landmark_confidence < 0.5 and unseen.landmarks is clear.landmarks


def test_what_is_fitted_says_so_and_a_spare_network_is_asked_first(finder, admiral, monkeypatch):
    (face,), _ = finder.find("a.png", admiral)
    monkeypatch.setattr(second_look, "_AGREES", -1.0)
    fitted = second_look.improved(finder.landmarker, None, admiral, face)
    assert fitted.origin == "detector, fitted" and len(fitted.pose) == 3
    size = float(np.ptp(face.landmarks[:, 1]))
    assert np.linalg.norm(fitted.landmarks - face.landmarks, axis=1)[17:].mean() < 0.08 * size
    spare = second_look.improved(finder.landmarker, finder.landmarker, admiral, face)
    assert spare.origin == "fan2d"
    np.testing.assert_allclose(spare.landmarks, face.landmarks, atol=0.02 * size)


def test_of_a_profile_the_fitted_head_counts_unless_half_a_face_is_covered(finder, admiral, monkeypatch):
    (face,), _ = finder.find("a.png", admiral)
    unsure = replace(face, landmark_confidence=0.1)
    profile = View(0.0, 1.2, 0.0, 100.0, np.array([150.0, 150.0]))
    monkeypatch.setattr(second_look, "fit_view", lambda *_: profile)
    monkeypatch.setattr(second_look, "_SURE", 1.1)  # no mesh is so sure
    found = second_look.look_again(finder.landmarker, admiral, unsure)
    assert found.fitted and found.pose[1] == pytest.approx(1.2 * 1.1)
    assert head_pose(found.points)[1] > 1.2
    monkeypatch.setattr(second_look, "_SURE", 0.9)
    assert second_look.look_again(finder.landmarker, admiral, face).pose[1] == pytest.approx(1.2)


@pytest.mark.parametrize("left", [True, False])
def test_points_of_a_profile_tell_its_turn(left):
    upright = np.zeros((6, 2))
    shape = blaze_net._PROFILE * (1 if left else -1, 1)
    upright[blaze_net._SEEN_LEFT if left else blaze_net._SEEN_RIGHT] = shape
    for turn in (-2.5, 0.0, 0.4):
        (cos, sin), unlike = (math.cos(turn), math.sin(turn)), np.array([(30, -20)])
        turned = upright @ np.array([[cos, sin], [-sin, cos]]) * 70 + unlike
        assert blaze_net._turn_of(turned, left=left) == pytest.approx(turn)


def test_the_turn_of_a_profile_follows_that_of_the_image_and_of_its_mirror_image(admiral):
    height, width = admiral.shape[:2]
    middle = np.array([width - 1, height - 1]) / 2
    (face,) = yunet.create(DetectorSettings()).detect(admiral)
    centre, side = (face.box[:2] + face.box[2:]) / 2, float(max(face.box[2:] - face.box[:2]))
    found = blaze_net.profile_turn(admiral, centre, side, 0.0, left=True)
    mirrored = np.ascontiguousarray(admiral[:, ::-1])
    there = np.array([width - 1 - centre[0], centre[1]])
    assert blaze_net.profile_turn(mirrored, there, side, 0.0, left=False) == pytest.approx(-found)
    matrix = cv2.getRotationMatrix2D(tuple(middle), -20, 1.0)  # clockwise
    turned = cv2.warpAffine(admiral, matrix, (width, height))
    again = blaze_net.profile_turn(turned, matrix[:, :2] @ centre + matrix[:, 2], side, math.radians(20), left=True)
    assert math.degrees(again - found) == pytest.approx(20, abs=3)


def test_where_nothing_is_seen_the_turn_stays(monkeypatch):
    monkeypatch.setattr(blaze_net, "look", lambda *_: blaze_net.Sight(0.0, None))
    assert blaze_net.profile_turn(np.zeros((50, 50, 3), np.uint8), np.full(2, 25.0), 20.0, 0.3, left=True) == 0.3


def test_a_profile_is_turned_as_the_other_detector_says(finder, admiral, monkeypatch):
    (face,), _ = finder.find("a.png", admiral)
    profile = View(0.0, 1.2, 0.1, 100.0, np.array([150.0, 150.0]))
    monkeypatch.setattr(second_look, "fit_view", lambda *_: profile)
    monkeypatch.setattr(second_look, "_SURE", 1.1)
    monkeypatch.setattr(blaze_net, "profile_turn", lambda *_, left: 0.6 if left else -0.6)
    found = second_look.look_again(finder.landmarker, admiral, face)
    assert head_turn(found.points) == pytest.approx((3 * 0.6 + profile.turn()) / 4, abs=0.01)


def test_five_points_of_a_profile_speak_against_a_mesh_that_looks_ahead(finder, admiral):
    (face,), _ = replace(finder, second=False).find("a.png", admiral)
    size = float(max(face.box[2:] - face.box[:2]))
    turned = second_look._FIVE @ rotation(0, 1.1, 0)[:2].T * 0.8 * size
    five = turned - turned.mean(axis=0) + face.five.mean(axis=0)
    assert not second_look.believed(replace(face, five=five))


def test_the_turn_of_a_head_in_the_image_is_its_roll_from_the_front():
    for roll in (-2.0, 0.0, 0.5):
        view = View(0.1, 0.0, roll, 80, np.zeros(2))
        assert view.turn() == pytest.approx(roll) and head_turn(view.landmarks()) == pytest.approx(roll)


def test_a_view_is_turned_about_its_middle_and_its_square_holds_it():
    view = View(0.1, 0.8, 0.2, 80, np.array([40.0, 60.0]))
    turned = view.turned(0.5)
    assert turned.turn() == pytest.approx(view.turn() + 0.5)
    np.testing.assert_allclose(turned.landmarks()[17:].mean(axis=0), view.landmarks()[17:].mean(axis=0))
    centre, side = view.square(view.turn())
    assert np.abs(view.landmarks() - centre).max() < side * math.sqrt(2) / 2
    np.testing.assert_allclose(turned.square(turned.turn())[1], side)


def test_confidence_grows_with_both_networks():
    assert second_look.likely(0.9, 0.9) > second_look.likely(0.9, 0.1) > second_look.likely(0.5, 0.1)
    assert second_look.likely(0.9, 0.2) > 0.5 > second_look.likely(0.8, 0.05)
    assert second_look.likely(0.75, 0.0, aside=True) > 0.5 > second_look.likely(0.55, 0.0, aside=True)


def test_poses_of_a_turned_head_come_back():
    turned = HEAD @ rotation(*POSE).T
    np.testing.assert_allclose(angles(rotation(*POSE)), POSE)
    np.testing.assert_allclose(head_pose(turned[:, :2] * 80 + 300), POSE, atol=1e-9)
    np.testing.assert_allclose(pose_by_depth(turned * 80 + 7), POSE, atol=1e-9)
    chosen, size = [36, 45, 30, 48, 54], 80.0
    view = fit_view(turned[chosen, :2] * size + 300, HEAD[chosen], np.full(5, 0.001), 0.0, 70.0)
    np.testing.assert_allclose((view.pitch, view.yaw, view.roll), POSE, atol=0.02)
    assert view.size == pytest.approx(size, rel=0.01)
    with pytest.raises(InputError):
        head_pose(np.zeros((68, 2)))
    front = View(0, 0, 0, 100, np.zeros(2)).landmarks()
    assert head_pose(front) == pytest.approx((0, 0, 0), abs=1e-9)
    assert math.degrees(head_pose(lm.mirror(View(0, 0.7, 0, 100, np.zeros(2)).landmarks(), 500))[1]) == pytest.approx(
        -40.1, abs=0.5
    )


def test_the_points_of_a_mesh_are_its_vertices_or_sums_of_them():
    mesh = np.random.default_rng(0).normal(size=(468, 3))
    np.testing.assert_array_equal(points_68(mesh, 1), mesh[list(FIRST)])
    moved = points_68(mesh + [3, -2, 1]) - points_68(mesh)
    np.testing.assert_allclose(moved, np.tile([3, -2, 1], (68, 1)), atol=0.01)
    np.testing.assert_array_equal(points_68(mesh)[48:55], points_68(mesh, 1)[48:55])
