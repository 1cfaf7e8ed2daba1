"""Tracks and persons in the database of a made-up film."""

import numpy as np
import pytest
from film_databases import all_faces, walking, write_film

from core.errors import InputError
from core.faceset.database.changes import changing
from core.faceset.database.connection import open_database
from core.jobs.alignments import history
from core.jobs.alignments.time.persons import name_person, people
from core.jobs.alignments.time.tracks import TrackSettings, find_tracks
from core.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path).create()


def two_scenes(side, **more):
    """A in both scenes, B only in the first; between them a cut at frame 31."""
    frames = range(1, 61)
    actors = [
        walking(frames[:30], (100, 100), who=0),
        walking(frames[:20], (500, 100), who=1),
        walking(frames[30:], (40, 300), who=0),
    ]
    write_film(side, actors, frames, cuts=[31], **more)


def test_tracks_end_at_cuts_and_persons_go_on(workspace):
    two_scenes(workspace.side("src"))
    found = find_tracks(workspace, "src", TrackSettings())
    assert (found.faces, found.tracks, found.cuts, found.films) == (80, 3, 1, 1)
    one, two = found.persons
    assert (one.name, one.faces, one.tracks, one.first, one.last) == ("1", 60, 2, "00001.png", "00060.png")
    assert (two.name, two.faces, two.tracks) == ("2", 20, 1)
    by_track = {}
    for face in all_faces(workspace.side("src")):
        by_track.setdefault(face.track, set()).add(face.person)
    assert sorted(by_track.values(), key=sorted) == [{"1"}, {"1"}, {"2"}]


def test_a_second_run_changes_nothing_and_undo_takes_it_back(workspace):
    two_scenes(workspace.side("src"))
    assert find_tracks(workspace, "src", TrackSettings()).changed == 80
    assert find_tracks(workspace, "src", TrackSettings()).changed == 0
    history.undo(workspace, "src")
    assert {face.track for face in all_faces(workspace.side("src"))} == {0}


def test_without_looks_cuts_are_found_by_the_faces(workspace):
    two_scenes(workspace.side("src"), looks=False)
    found = find_tracks(workspace, "src", TrackSettings())
    assert (found.cuts, found.tracks) == (None, 3)


def test_naming_one_face_names_the_person(workspace):
    side = workspace.side("src")
    two_scenes(side)
    with open_database(side.database) as connection, changing(connection, "hand") as change:
        change.update(next(face for face in all_faces(side) if face.box[0] < 300), person="Ann")
    found = find_tracks(workspace, "src", TrackSettings())
    assert {person.name: person.faces for person in found.persons} == {"Ann": 60, "2": 20}


def test_a_person_is_named_and_joined(workspace):
    two_scenes(workspace.side("src"))
    find_tracks(workspace, "src", TrackSettings())
    assert name_person(workspace, "src", "2", "Bob").changed == 20
    assert [person.name for person in people(workspace, "src").persons] == ["1", "Bob"]
    assert name_person(workspace, "src", "1", "Bob").persons[0].faces == 80
    with pytest.raises(InputError, match="nobody"):
        name_person(workspace, "src", "Cid", "Bob")


def test_short_tracks_are_filtered_and_come_back(workspace):
    side = workspace.side("src")
    frames = range(1, 31)
    actors = [walking(frames, (100, 100), who=0), walking([10, 11], (500, 300), who=1, confidence=0.65)]
    write_film(side, actors, frames)
    assert find_tracks(workspace, "src", TrackSettings()).short == 2
    assert len(all_faces(side)) == 32
    dropped = find_tracks(workspace, "src", TrackSettings(drop_short=True))
    assert (dropped.faces, dropped.short) == (30, 2)
    assert {face.reason for face in all_faces(side, "filtered")} == {"a track of only 2 frames"}
    assert find_tracks(workspace, "src", TrackSettings(drop_short=True)).changed == 0
    assert find_tracks(workspace, "src", TrackSettings(drop_short=True, sure=0.6)).faces == 32
    assert all_faces(side, "filtered") == []


def test_films_are_told_apart_by_the_names_of_their_frames(workspace):
    side = workspace.side("src")
    two_scenes(side)
    with open_database(side.database) as connection, connection:
        connection.execute("UPDATE frames SET name = 'b_' || name, number = number WHERE number > 15")
    found = find_tracks(workspace, "src", TrackSettings())
    assert (found.films, found.cuts, found.tracks) == (2, 1, 5)


def test_a_database_without_faces(workspace):
    write_film(workspace.side("src"), [], range(1, 4))
    found = find_tracks(workspace, "src", TrackSettings())
    assert (found.faces, found.tracks, found.persons) == (0, 0, ())


def test_faces_without_identity_are_linked_by_place(workspace):
    side = workspace.side("src")
    two_scenes(side)
    with open_database(side.database) as connection, connection:
        connection.execute("DELETE FROM vectors")
    found = find_tracks(workspace, "src", TrackSettings())
    assert (found.tracks, found.without_identity) == (3, 80)
    assert [(person.name, person.faces) for person in found.persons] == [("", 80)]
    assert not np.isnan([face.confidence for face in all_faces(side)]).any()
