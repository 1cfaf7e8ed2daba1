"""Faces follow their pixels: trembling goes, real movement passes at once, what is not sure stays as it was found."""

from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest
from found_faces import face_at
from portraits import person

from core.jobs.alignments.time.smooth import HAND
from core.jobs.merge.anchor import anchored
from core.jobs.merge.cues import FaceSettings
from core.jobs.merge.faces_of_film import FilmFaces
from core.video.film.frames import Frame

COUNT, JUMP = 24, 12  # frames; the one in which the head moves at once
CLOCK = Fraction(1, 25)
STRENGTH = 0.5


def path() -> np.ndarray:
    """Where the face is (COUNT, 2), pixels beside its place: it sways, and once it jumps."""
    time = np.arange(COUNT)
    return np.column_stack([3 * np.sin(time / 4) + 6 * (time >= JUMP), 2 * np.cos(time / 5)])


@pytest.fixture(scope="module")
def film():
    image = person(0)[0]
    size = image.shape[1], image.shape[0]
    moves = (np.array([[1, 0, x], [0, 1, y]]) for x, y in path())
    return [cv2.warpAffine(image, move, size, borderMode=cv2.BORDER_REFLECT) for move in moves]


def frames(images):
    return [Frame(number, number, CLOCK, image) for number, image in enumerate(images, start=1)]


def trembling(**changes) -> tuple[FilmFaces, np.ndarray]:
    """Faces as they are found, and where they truly are (COUNT, 68, 2)."""
    truth = person(0)[1] + path()[:, None]
    found = truth + np.random.default_rng(3).normal(0, 0.5, (COUNT, 1, 2))
    faces = [
        replace(face_at(f"{number:05d}.png", 100), landmarks=points, **changes)
        for number, points in enumerate(found, start=1)
    ]
    by_number = {number: (face,) for number, face in enumerate(faces, start=1)}
    told = {number: (FaceSettings(),) for number in by_number}
    ids = [face.id for face in faces]
    return FilmFaces(by_number, told, track=dict.fromkeys(ids, 1), calmed=frozenset(ids)), truth


def places(faces: FilmFaces) -> np.ndarray:
    return np.array([there[0].landmarks for there in faces.by_number.values()])


def errors(points: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Movement of the face's middle from frame to frame that is none (COUNT - 1,), pixels."""
    return np.linalg.norm(np.diff((points - truth).mean(axis=1), axis=0), axis=1)


def test_trembling_goes_and_a_jump_passes_at_once(film):
    faces, truth = trembling()
    before, after = errors(places(faces), truth), errors(places(anchored(faces, frames(film), STRENGTH)), truth)
    assert after.mean() < 0.25 * before.mean()
    assert after[JUMP - 1] < 0.3, "of six pixels"


def test_deep_films_too(film):
    faces, truth = trembling()
    deep = [image.astype(np.uint16) * 257 for image in film]
    points = places(anchored(faces, frames(deep), STRENGTH))
    np.testing.assert_allclose(points, places(anchored(faces, frames(film), STRENGTH)), atol=0.05)


def test_pixels_that_tell_nothing_or_something_else_change_nothing_much(film):
    faces, truth = trembling()
    flat = [np.full_like(film[0], 128)] * COUNT
    limit = 0.015 * np.ptp(truth[0], axis=0).max() * 1.5
    for images in (flat, film[::-1]):
        moved = np.linalg.norm((places(anchored(faces, frames(images), STRENGTH)) - places(faces)).mean(axis=1), axis=1)
        assert moved.max() < limit


def test_what_a_hand_placed_and_what_was_smoothed_before_stays(film):
    for faces in (trembling(origin=HAND)[0], replace(trembling()[0], calmed=frozenset())):
        np.testing.assert_array_equal(places(anchored(faces, frames(film), STRENGTH)), places(faces))


def test_frames_without_the_face_and_behind_the_last_are_no_matter(film):
    faces, truth = trembling()
    gone = {number: there for number, there in faces.by_number.items() if number not in (5, 6)}
    found = anchored(replace(faces, by_number=gone), frames([*film, film[0], film[0]]), STRENGTH)
    assert list(found.by_number) == list(gone)
    kept = [number - 1 for number in gone]
    assert errors(places(found)[6:], truth[kept][6:]).mean() < 0.25 * errors(places(faces)[6:], truth[6:]).mean()
