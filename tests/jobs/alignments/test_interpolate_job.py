"""Gaps of tracks filled in the database."""

import numpy as np
import pytest
from film_databases import all_faces, walking, write_film

from core.errors import InputError
from core.faceset.database.changes import changing
from core.faceset.database.connection import open_database
from core.jobs.alignments import history
from core.jobs.alignments.time.interpolate import fill_gaps
from core.jobs.alignments.time.smooth import smooth
from core.jobs.alignments.time.tracks import TrackSettings, find_tracks
from core.workspace import Workspace

FRAMES = range(1, 41)
FULL = walking(FRAMES, (100, 100), who=0)
HIDDEN = (10, 11, 12, 20, 30, 31, 32, 33, 34, 35, 36)


@pytest.fixture
def workspace(tmp_path):
    workspace = Workspace(tmp_path).create()
    found = [number for number in FRAMES if number not in HIDDEN]
    write_film(workspace.side("src"), [walking(found, (100, 100), who=0)], FRAMES)
    find_tracks(workspace, "src", TrackSettings())
    return workspace


def added(workspace):
    return {int(face.frame[:5]): face for face in all_faces(workspace.side("src")) if face.origin == "interpolated"}


def test_short_gaps_are_filled_where_the_face_was(workspace):
    done = fill_gaps(workspace, "src", 5)
    assert (done.faces, done.gaps, done.too_long, done.by_person) == (4, 2, 1, {"1": 4})
    assert sorted(added(workspace)) == [10, 11, 12, 20]
    for number, face in added(workspace).items():
        truth = FULL.points[number - 1]
        assert np.linalg.norm(face.landmarks - truth, axis=1).mean() < 0.03 * np.ptp(truth[:, 0])
        assert (face.track, face.person, face.status) == (1, "1", "kept")
        assert face.confidence < 0.9
        assert np.allclose(face.box, np.concatenate([truth.min(axis=0), truth.max(axis=0)]), atol=1)


def test_a_frame_that_repeats_a_picture_gets_the_face_of_that_one(tmp_path):
    workspace = Workspace(tmp_path).create()
    shown = np.array([k - k // 4 for k in range(40)])
    found = [number for number in FRAMES if number not in (20, 21, 22)]
    actor = walking(found, (100, 100), who=0)
    actor.points = FULL.points[shown[np.array(found) - 1]]
    write_film(workspace.side("src"), [actor], FRAMES, shown=shown.tolist())
    find_tracks(workspace, "src", TrackSettings())
    fill_gaps(workspace, "src", 5)
    made = added(workspace)
    assert sorted(made) == [20, 21, 22]
    for number, face in made.items():
        assert np.allclose(face.landmarks, FULL.points[shown[number - 1]], atol=0.05)


def test_again_nothing_and_then_the_longer_gap(workspace):
    fill_gaps(workspace, "src", 5)
    assert fill_gaps(workspace, "src", 5).faces == 0
    assert fill_gaps(workspace, "src", 7).faces == 7
    assert smooth(workspace, "src", 0.5).faces == 40
    assert find_tracks(workspace, "src", TrackSettings()).tracks == 1


def test_undone_faces_come_back(workspace):
    fill_gaps(workspace, "src", 5)
    before = {number: face.landmarks for number, face in added(workspace).items()}
    history.undo(workspace, "src")
    assert added(workspace) == {}
    fill_gaps(workspace, "src", 5)
    assert all(np.array_equal(face.landmarks, before[number]) for number, face in added(workspace).items())
    history.undo(workspace, "src")
    history.redo(workspace, "src")
    assert sorted(added(workspace)) == sorted(before)


def test_what_a_person_dropped_stays_away(workspace):
    side = workspace.side("src")
    fill_gaps(workspace, "src", 5)
    with open_database(side.database) as connection, changing(connection, "drop") as change:
        change.update(added(workspace)[11], status="dropped", reason="picture deleted")
    done = fill_gaps(workspace, "src", 5)
    assert (done.faces, done.taken) == (0, 1)
    assert sorted(added(workspace)) == [10, 12, 20]


def test_frames_that_were_not_looked_at_get_no_faces(workspace):
    with open_database(workspace.side("src").database) as connection, connection:
        connection.execute("DELETE FROM frames WHERE number = 11")
        connection.execute("UPDATE frames SET status = 'corrupt' WHERE number = 20")
    fill_gaps(workspace, "src", 5)
    assert sorted(added(workspace)) == [10, 12]


def test_nobody_of_that_name(workspace):
    with pytest.raises(InputError, match="nobody"):
        fill_gaps(workspace, "src", 5, "Ann")
