"""Faces are looked for now and then, followed in between, smoothed, and let go when they are gone."""

import numpy as np
from moving_faces import heads
from portraits import person

from core.live.follow import Follower
from core.live.play import LiveChoices, new_follower
from core.types import Face
from core.workspace import Workspace

IMAGE = np.zeros((480, 640, 3), np.uint8)


class Scene:
    """A detector and a landmarker that see the heads at these places."""

    device = "CPU"

    def __init__(self, *places, width=100.0):
        self.places, self.width, self.asked = list(places), width, 0

    def detect(self, image):
        return [Face(box_of(points), 0.9) for points in self.points()]

    def landmarks(self, image, face):
        self.asked += 1
        centre = (face.box[:2] + face.box[2:]) / 2
        near = [p for p in self.points() if np.linalg.norm(p.mean(axis=0) - centre) < self.width]
        return (near[0].astype(np.float32), 1.0) if near else (np.zeros((68, 2), np.float32), 0.0)

    def points(self):
        return list(heads(np.array(self.places), self.width)) if self.places else []


def box_of(points):
    return np.concatenate([points.min(axis=0), points.max(axis=0)]).astype(np.float32)


def test_a_search_every_few_pictures_and_landmarks_in_all():
    scene = Scene((300, 200))
    follower = Follower(scene, scene, every=6)
    for number in range(12):
        assert len(follower.faces(IMAGE, number / 30)) == 1
    assert follower.searches == 2
    assert scene.asked == 12


def test_a_lost_face_is_looked_for_at_once():
    scene = Scene((300, 200))
    follower = Follower(scene, scene, every=100)
    follower.faces(IMAGE, 0)
    scene.places = [(500, 400)]
    (face,) = follower.faces(IMAGE, 1 / 30)
    assert np.allclose(face.landmarks, scene.points()[0], atol=0.01)
    scene.places = []
    assert follower.faces(IMAGE, 2 / 30) == []


def test_trembling_is_taken_out():
    scene, rng = Scene((300, 200)), np.random.default_rng(0)
    follower, raw, calm = Follower(scene, scene), [], []
    for number in range(60):
        scene.places = [(300 + rng.normal(), 200 + rng.normal())]
        raw.append(scene.points()[0])
        calm.append(follower.faces(IMAGE, number / 30)[0].landmarks)
    trembling = [np.diff(np.array(points)[20:], axis=0).std() for points in (raw, calm)]
    assert trembling[1] < 0.6 * trembling[0]


def test_after_a_jump_nothing_drags_behind():
    scene = Scene((300, 200))
    follower = Follower(scene, scene)
    for number in range(5):
        follower.faces(IMAGE, number / 30)
    scene.places = [(360, 200)]
    (face,) = follower.faces(IMAGE, 5 / 30)
    assert np.allclose(face.landmarks, scene.points()[0], atol=0.01)


def test_the_followed_face_keeps_its_place_and_the_number_is_kept():
    scene = Scene((200, 200))
    follower = Follower(scene, scene, every=1)
    follower.faces(IMAGE, 0)
    scene.places = [(200, 200), (450, 200)]
    (face,) = follower.faces(IMAGE, 1 / 30)
    assert face.landmarks.mean(axis=0)[0] < 300
    both = Follower(scene, scene, every=1, most=2)
    assert len(both.faces(IMAGE, 0)) == 2
    assert len(both.faces(IMAGE, 1 / 30)) == 2


def test_a_face_that_no_search_finds_is_let_go():
    scene = Scene((300, 200))
    follower = Follower(scene, scene, every=1)
    follower.faces(IMAGE, 0)
    scene.detect = lambda image: []
    seen = [len(follower.faces(IMAGE, number / 30)) for number in range(1, 5)]
    assert seen == [1, 1, 0, 0]


def test_the_real_networks_follow_a_portrait(tmp_path):
    follower = new_follower(LiveChoices(), Workspace(tmp_path, tmp_path))
    image, points = person(0)
    for number in range(3):
        moved = np.roll(image, 4 * number, axis=1)
        (face,) = follower.faces(moved, number / 30)
        apart = np.linalg.norm(face.landmarks - points - (4 * number, 0), axis=1)
        assert np.median(apart) < 0.06 * np.ptp(points[:, 0])
    assert follower.searches == 1
