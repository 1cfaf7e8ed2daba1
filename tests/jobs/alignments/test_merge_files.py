"""Several databases of one film become one, and lose nothing."""

import shutil

import numpy as np
import pytest
from found_faces import face_at, side_with

from core.errors import InputError
from core.faceset.database import faces, measured
from core.faceset.database.changes import changing
from core.faceset.database.connection import open_database
from core.faceset.database.measured import note_vectors
from core.jobs.alignments.draw import draw
from core.jobs.alignments.exchange.merge_files import merge_files
from core.jobs.alignments.history import undo
from core.video.info import VideoInfo
from core.video.probe import probe
from core.workspace import Workspace


@pytest.fixture
def both(tmp_path):
    """Two people worked on one film: both have the face of the first frame, each has one that the other lacks."""
    ours = side_with(
        Workspace(tmp_path / "ours"), {"00001.png": [face_at("00001.png", 80)], "00002.png": [face_at("00002.png", 90)]}
    )
    theirs = side_with(
        Workspace(tmp_path / "theirs"),
        {"00001.png": [face_at("00001.png", 83), face_at("00001.png", 240)], "00003.png": [face_at("00003.png", 100)]},
    )
    with open_database(theirs.database) as connection:
        with changing(connection, "name") as change:
            for face in list(faces.faces(connection)):
                change.update(face, person="ann", track=9)
        with connection:
            note_vectors(connection, "sface", {face.id: np.ones(4) for face in faces.faces(connection)})
    return ours, theirs


def lefts(side) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    with open_database(side.database) as connection:
        for face in faces.faces(connection):
            found.setdefault(face.frame, []).append(round(float(face.landmarks[:, 0].mean())))
    return {frame: sorted(places) for frame, places in found.items()}


def test_new_faces_come_known_ones_stay_and_it_can_be_undone(both):
    ours, theirs = both
    before = lefts(ours)
    done = merge_files(ours.workspace, "src", [theirs.database])
    assert (done[0].faces, done[0].merged.added, done[0].merged.kept) == (3, 2, 1)
    after = lefts(ours)
    assert after["00001.png"][0] == before["00001.png"][0]
    assert {frame: len(places) for frame, places in after.items()} == {"00001.png": 2, "00002.png": 1, "00003.png": 1}
    with open_database(ours.database) as connection:
        new = [face for face in faces.faces(connection) if face.person == "ann"]
        assert len(new) == 2
        assert all(face.track == 0 for face in new)
        assert set(measured.vectors(connection, "sface")) >= {face.id for face in new}
    undo(ours.workspace, "src")
    assert lefts(ours) == before
    again = merge_files(ours.workspace, "src", [theirs.database])
    assert again[0].merged.added == 2


def test_the_file_may_be_preferred_and_a_copy_of_the_same_is_no_news(both, tmp_path):
    ours, theirs = both
    merge_files(ours.workspace, "src", [theirs.database], prefer_file=True)
    assert lefts(ours)["00001.png"] == lefts(theirs)["00001.png"]
    copy = tmp_path / "copy.db"
    shutil.copy(ours.database, copy)
    done = merge_files(ours.workspace, "src", [copy, theirs.database])
    assert [one.merged.added for one in done] == [0, 0]


def test_a_side_is_not_joined_with_itself_nor_with_nothing(both, tmp_path):
    ours, _ = both
    with pytest.raises(InputError, match="the side itself"):
        merge_files(ours.workspace, "src", [ours.database])
    with pytest.raises(InputError, match="no such file"):
        merge_files(ours.workspace, "src", [tmp_path / "none.db"])


def test_a_film_shows_all_that_is_known(both):
    ours, _ = both
    made = draw(ours.workspace, "src")
    info = probe(made)
    assert isinstance(info, VideoInfo)
    assert (info.width, info.height) == (320, 200)
