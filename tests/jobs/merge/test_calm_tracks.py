"""Landmarks without trembling for one film: track by track, never over a cut, never twice."""

from dataclasses import replace

import numpy as np
import pytest
from found_faces import face_at

from core.faceset.database import faces
from core.faceset.database.connection import open_database
from core.faceset.database.faces import FaceRow
from core.faceset.database.frames import FrameRow
from core.faceset.database.measured import note_found_points
from core.faceset.identity import geometry_of
from core.faceset.tracks.timeline import Timeline
from core.jobs.merge.tracks import calmed

COUNT = 40
NAMES = tuple(f"{number:05d}.png" for number in range(1, COUNT + 1))


def timeline(cut: int = COUNT) -> Timeline:
    number = np.arange(COUNT)
    return Timeline(NAMES, number, (number >= cut).astype(np.intp), number, 1, 1)


def trembling(track: int = 0, **changes) -> list:
    random = np.random.default_rng(5)
    made = [face_at(name, 100 + k, track=track, **changes) for k, name in enumerate(NAMES)]
    return [replace(face, landmarks=face.landmarks + random.normal(0, 0.3, 2)) for face in made]


def jitter(faces) -> float:
    return float(np.diff([face.landmarks.mean(axis=0) for face in faces], 2, axis=0).std())


@pytest.fixture
def connection(tmp_path):
    with open_database(tmp_path / "faces.db", create=True) as opened:
        yield opened


@pytest.mark.parametrize("track", [0, 3])
def test_trembling_goes_whether_tracks_are_known_or_not(connection, track):
    found = trembling(track)
    faces.add(connection, [(FrameRow(face.frame), [FaceRow(face)]) for face in found])
    calm = calmed(connection, timeline(), found, 0.5)
    assert [face.id for face in calm.faces] == [face.id for face in found]
    assert jitter(calm.faces) < 0.7 * jitter(found)
    assert len(calm.smoothed) == COUNT
    assert len(set(calm.track.values())) == 1


def test_a_track_ends_at_a_cut(connection):
    found = trembling(3)
    calm = calmed(connection, timeline(20), found, 0.5)
    assert [calm.track[face.id] for face in found] == [1] * 20 + [2] * 20
    alone = calmed(connection, timeline(20), found[:20], 0.5)
    for one, other in zip(calm.faces[:20], alone.faces, strict=True):
        np.testing.assert_array_equal(one.landmarks, other.landmarks)


def test_what_was_smoothed_before_and_what_a_hand_placed_stays(connection):
    found = trembling(3)
    with connection:
        faces.add(connection, [(FrameRow(found[0].frame), [FaceRow(found[0])])])
        raw = (found[0].landmarks + 1).astype("<f8").tobytes()
        note_found_points(connection, [(found[0].id, geometry_of(found[0].frame, found[0].landmarks), raw)])
    calm = calmed(connection, timeline(), found, 0.5)
    assert not calm.smoothed
    assert jitter(calm.faces) == jitter(found)
    found[7] = replace(found[7], origin="hand")
    calm = calmed(connection, timeline(), found, 0.5)
    np.testing.assert_array_equal(calm.faces[7].landmarks, found[7].landmarks)


def test_faces_without_landmarks_are_passed_on(connection):
    found = [replace(face, landmarks=None) for face in trembling()]
    assert calmed(connection, timeline(), found, 0.5).faces == tuple(found)
