"""Smoothing in the database: away and exactly back."""

from dataclasses import replace

import numpy as np
import pytest
from film_databases import Actor, all_faces, walking, write_film

from core.errors import CorruptFileError, InputError
from core.faceset.database.changes import changing
from core.faceset.database.connection import open_database
from core.faceset.tracks.motion import motion_of
from core.jobs.alignments import history
from core.jobs.alignments.time.smooth import smooth
from core.jobs.alignments.time.tracks import TrackSettings, find_tracks
from core.workspace import Workspace

FRAMES = range(1, 61)


def trembling(actor: Actor, seed: int) -> Actor:
    return replace(actor, points=actor.points + np.random.default_rng(seed).normal(0, 0.2, actor.points.shape))


@pytest.fixture
def workspace(tmp_path):
    workspace = Workspace(tmp_path).create()
    actors = [trembling(walking(FRAMES, (100, 100), who=0), 0), trembling(walking(FRAMES, (600, 100), who=1), 1)]
    write_film(workspace.side("src"), actors, FRAMES)
    find_tracks(workspace, "src", TrackSettings())
    return workspace


def points(workspace) -> dict[str, np.ndarray]:
    return {face.id: np.asarray(face.landmarks) for face in all_faces(workspace.side("src"))}


def same(one: dict, other: dict) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[face], other[face]) for face in one)


def edit(workspace, face, **fields):
    with open_database(workspace.side("src").database) as connection, changing(connection, "hand") as change:
        change.update(face, **fields)


def test_trembling_goes(workspace):
    done = smooth(workspace, "src", 0.5)
    assert (done.faces, done.tracks, done.changed, done.fixed) == (120, 2, 120, 0)
    assert done.motion < 0.6
    assert done.shape < 0.6
    assert done.plot is not None
    assert done.plot.is_file()


def test_it_always_begins_with_the_points_as_found(workspace):
    raw = points(workspace)
    smooth(workspace, "src", 0.5)
    once = points(workspace)
    smooth(workspace, "src", 1.0)
    assert not same(points(workspace), once)
    assert smooth(workspace, "src", 0.5).changed == 120
    assert same(points(workspace), once)
    assert smooth(workspace, "src", 0.5).changed == 0
    smooth(workspace, "src", 0.0)
    assert same(points(workspace), raw)
    assert all(not face.extra for face in all_faces(workspace.side("src")))


def test_undo_puts_the_points_back_and_they_are_smoothed_from_where_they_were_found(workspace):
    raw = points(workspace)
    smooth(workspace, "src", 0.5)
    once = points(workspace)
    smooth(workspace, "src", 1.0)
    history.undo(workspace, "src")
    assert same(points(workspace), once)
    history.undo(workspace, "src")
    assert same(points(workspace), raw)
    history.redo(workspace, "src")
    assert same(points(workspace), once)
    assert smooth(workspace, "src", 0.5).changed == 0
    smooth(workspace, "src", 0.0)
    assert same(points(workspace), raw)


def test_many_tracks_are_smoothed_some_at_a_time(workspace, monkeypatch):
    smooth(workspace, "src", 0.5)
    once = points(workspace)
    history.undo(workspace, "src")
    monkeypatch.setattr("core.jobs.alignments.time.smooth._AT_ONCE", 1)
    assert smooth(workspace, "src", 0.5).changed == 120
    assert same(points(workspace), once)


def test_faces_corrected_by_hand_stay(workspace):
    smooth(workspace, "src", 0.5)
    face = all_faces(workspace.side("src"))[30]
    edit(workspace, face, landmarks=face.landmarks + 3, origin="hand")
    for strength in (0.8, 0.0):
        assert smooth(workspace, "src", strength).fixed == 1
        assert np.array_equal(points(workspace)[face.id], face.landmarks + 3)


def test_points_that_somebody_else_moved_are_the_new_beginning(workspace):
    smooth(workspace, "src", 0.5)
    face = all_faces(workspace.side("src"))[30]
    edit(workspace, face, landmarks=face.landmarks + 3)
    smooth(workspace, "src", 0.0)
    assert np.array_equal(points(workspace)[face.id], face.landmarks + 3)


def test_one_person_alone(workspace):
    raw = points(workspace)
    assert smooth(workspace, "src", 0.5, "2").faces == 60
    moved = {face for face, value in points(workspace).items() if not np.array_equal(value, raw[face])}
    assert moved == {face.id for face in all_faces(workspace.side("src")) if face.person == "2"}
    with pytest.raises(InputError, match="nobody"):
        smooth(workspace, "src", 0.5, "Ann")


def test_without_tracks(workspace):
    history.undo(workspace, "src")
    with pytest.raises(InputError, match="no tracks"):
        smooth(workspace, "src", 0.5)


@pytest.mark.parametrize(
    "kept", ["text", b"AAAA", 7, np.full(136, np.nan).tobytes()], ids=["text", "short", "number", "nowhere"]
)
def test_damaged_points(workspace, kept):
    smooth(workspace, "src", 0.5)
    face = all_faces(workspace.side("src"))[0]
    with open_database(workspace.side("src").database) as connection, connection:
        connection.execute("UPDATE smoothed SET landmarks = ? WHERE face = ?", (kept, face.id))
    with pytest.raises(CorruptFileError, match="damaged"):
        smooth(workspace, "src", 0.5)


def test_a_fitted_face_is_turned_as_its_neighbours_are(workspace):
    first = [face for face in all_faces(workspace.side("src")) if face.track == 1]
    true, off = first[20], np.radians(25)
    turned = rotated(true.landmarks, off)
    edit(workspace, true, landmarks=turned, origin="yunet, fitted")
    smooth(workspace, "src", 0.5)
    angle = motion_of(np.stack([true.landmarks, points(workspace)[true.id]]))[:, 3]
    assert abs(np.degrees(angle[1] - angle[0])) < 2
    smooth(workspace, "src", 0)
    np.testing.assert_array_equal(points(workspace)[true.id], turned)


def rotated(landmarks, angle):
    middle = landmarks.mean(axis=0)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return (landmarks - middle) @ turn + middle
