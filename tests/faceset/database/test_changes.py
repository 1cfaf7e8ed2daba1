"""Changes are whole, can be taken back and made again, and begin with a copy where they are large."""

import json
import re
import sqlite3
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from core.errors import CorruptFileError, InputError
from core.faceset.database import backups, brief, changes, edits, faces, schema
from core.faceset.database.changes import changing
from core.faceset.database.connection import open_database
from core.faceset.database.faces import FaceRow
from core.faceset.database.frames import FrameRow
from core.faceset.identity import geometry_of
from core.types import Face

BOX = np.array([1, 2, 30, 40], np.float32)


def a_face(number: int) -> Face:
    points = np.arange(136, dtype=np.float64).reshape(68, 2) + number
    return Face(BOX, 0.9, landmarks=points, frame=f"{number:05d}.png", origin="yunet", id=f"{number:016x}")


@pytest.fixture
def connection(tmp_path):
    with open_database(tmp_path / "faces.db", create=True) as opened:
        made = [a_face(number) for number in range(3)]
        faces.add(opened, [(FrameRow(face.frame), [FaceRow(face, vectors={"sface": np.ones(4)})]) for face in made])
        yield opened


def state(connection):
    columns = "face, status, reason, person, track, origin, extra, landmarks, geometry"
    return connection.execute(f"SELECT {columns} FROM faces ORDER BY face").fetchall()


def find(connection, number: int) -> Face:
    found = faces.find_face(connection, f"{number:016x}")
    assert found is not None
    return found


def test_undo_and_redo_walk_through_everything_that_was_done(connection):
    states = [state(connection)]
    with changing(connection, "move") as change:
        change.update(find(connection, 0), landmarks=find(connection, 0).landmarks + 5, origin="hand")
    states.append(state(connection))
    with changing(connection, "drop") as change:
        change.update(find(connection, 0), status="dropped", reason="picture deleted")
        change.update(find(connection, 1), person="ann", track=7, extra={"note": [1, "a"]})
    states.append(state(connection))
    with changing(connection, "twice") as change:
        once = change.update(find(connection, 2), person="bob")
        change.update(once, person="cid")
    states.append(state(connection))
    for before in reversed(states[:-1]):
        changes.undo(connection)
        assert state(connection) == before
    with pytest.raises(InputError, match="nothing to undo"):
        changes.undo(connection)
    for after in states[1:]:
        changes.redo(connection)
        assert state(connection) == after
    with pytest.raises(InputError, match="nothing to redo"):
        changes.redo(connection)
    assert [(done.tool, done.faces) for done in changes.history(connection)] == [("move", 1), ("drop", 2), ("twice", 2)]


def test_points_of_many_move_after_what_came_before_of_the_same_faces(connection):
    states = [state(connection)]
    frame = connection.execute("SELECT frame FROM frames WHERE name = '00001.png'").fetchone()[0]
    new = Face(BOX, 0.1, landmarks=a_face(8).landmarks, frame="00001.png", origin="interpolated", id="e" * 16)
    with changing(connection, "several") as change:
        change.update(find(connection, 0), person="ann")
        change.add(frame, new)
        old = [find(connection, 0), find(connection, 1), new]
        points = np.array([face.landmarks + 3 for face in old])
        geometries = change.move(
            [face.id for face in old], [face.frame for face in old], [face.landmarks.tobytes() for face in old], points
        )
        change.update(replace(find(connection, 1), landmarks=points[1]), track=4)
        assert change.faces == 6
    states.append(state(connection))
    for face, wanted, geometry in zip(old, points, geometries, strict=True):
        found = faces.find_face(connection, face.id)
        assert found is not None and np.array_equal(found.landmarks, wanted)
        row = connection.execute("SELECT geometry FROM faces WHERE face = ?", (face.id,)).fetchone()
        assert row == (geometry,) == (geometry_of(face.frame, wanted),)
    changes.undo(connection)
    assert [row for row in state(connection) if row[0] != new.id] == states[0]
    undone = faces.find_face(connection, new.id)
    assert undone is not None and (undone.status, undone.reason) == ("dropped", "undone")
    changes.redo(connection)
    assert state(connection) == states[1]


@pytest.mark.parametrize("at_once", [1, 2, 1000])
def test_many_rows_are_written_some_at_a_time(connection, monkeypatch, at_once):
    """Other fields, the same face again, and a new face in between come in their order."""
    monkeypatch.setattr(edits, "AT_ONCE", at_once)
    states = [state(connection)]
    frame = connection.execute("SELECT frame FROM frames WHERE name = '00001.png'").fetchone()[0]
    new = Face(BOX, 0.1, landmarks=a_face(8).landmarks, frame="00001.png", origin="interpolated", id="e" * 16)
    with changing(connection, "all") as change:
        for number in range(3):
            change.set(find(connection, number), track=number + 1, person="ann")
        before = find(connection, 0)
        change.set(replace(before, person="ann"), person="bob", reason="")
        change.add(frame, new)
        change.set(new, landmarks=new.landmarks + 1, extra={"note": 1})
    states.append(state(connection))
    assert (find(connection, 0).person, find(connection, 0).track, find(connection, 2).track) == ("bob", 1, 3)
    changes.undo(connection)
    undone = [row for row in state(connection) if row[0] != new.id]
    assert undone == states[0]
    changes.redo(connection)
    assert state(connection) == states[1]


def test_faces_in_brief_are_changed_too_but_do_not_move(connection):
    found = list(brief.in_brief(connection))
    with changing(connection, "name") as change:
        for face in found:
            change.set(face, person="ann")
        with pytest.raises(AttributeError):
            change.set(found[0], landmarks=a_face(1).landmarks)
    assert {face.person for face in faces.faces(connection)} == {"ann"}
    with pytest.raises(ValueError, match="frame"), changing(connection, "move") as change:
        change.set(find(connection, 0), frame="other.png")


def test_files_need_not_follow_what_keeps_its_status(connection):
    with changing(connection, "name") as change:
        change.set(find(connection, 0), person="ann")
    changes.undo(connection)
    assert changes.unsettled(connection) == []
    with changing(connection, "drop") as change:
        change.set(find(connection, 0), status="dropped")
    assert changes.unsettled(connection) == [1]


def test_points_that_move_have_another_geometry_and_get_theirs_back(connection):
    before = find(connection, 0)
    with changing(connection, "move") as change:
        change.update(before, landmarks=before.landmarks + 1)
    (geometry,) = connection.execute("SELECT geometry FROM faces WHERE face = ?", (before.id,)).fetchone()
    assert geometry == geometry_of(before.frame, before.landmarks + 1)
    changes.undo(connection)
    (geometry,) = connection.execute("SELECT geometry FROM faces WHERE face = ?", (before.id,)).fetchone()
    assert geometry == geometry_of(before.frame, before.landmarks)


def test_landmarks_that_were_not_there_go_away_again(connection):
    bare = Face(BOX, 0.5, frame="00009.png", status="filtered", reason="small", id="f" * 16)
    faces.add(connection, [(FrameRow("00009.png"), [FaceRow(bare)])])
    with changing(connection, "points") as change:
        change.update(bare, landmarks=a_face(1).landmarks)
    changes.undo(connection)
    assert faces.find_face(connection, "f" * 16).landmarks is None
    changes.redo(connection)
    np.testing.assert_array_equal(faces.find_face(connection, "f" * 16).landmarks, a_face(1).landmarks)


def test_a_face_that_was_made_is_kept_as_undone(connection):
    frame = connection.execute("SELECT frame FROM frames WHERE name = '00001.png'").fetchone()[0]
    new = Face(BOX, 0.1, landmarks=a_face(8).landmarks, frame="00001.png", origin="interpolated", id="e" * 16)
    with changing(connection, "interpolate") as change:
        change.add(frame, new)
    changes.undo(connection)
    assert (faces.find_face(connection, new.id).status, faces.find_face(connection, new.id).reason) == (
        "dropped",
        "undone",
    )
    changes.redo(connection)
    assert faces.find_face(connection, new.id).status == "kept"


def test_an_error_within_leaves_nothing(connection):
    before = state(connection)
    with pytest.raises(RuntimeError), changing(connection, "half") as change:
        change.update(find(connection, 0), person="x")
        raise RuntimeError
    assert state(connection) == before
    assert not changes.history(connection)


def test_a_change_of_nothing_is_none(connection):
    with changing(connection, "nothing") as change:
        change.update(find(connection, 0), status="kept")
    assert not changes.history(connection)


def test_after_a_new_change_what_was_undone_is_gone(connection):
    for person in ("ann", "bob"):
        with changing(connection, person) as change:
            change.update(find(connection, 0), person=person)
    changes.undo(connection)
    with changing(connection, "cid") as change:
        change.update(find(connection, 0), person="cid")
    assert [done.tool for done in changes.history(connection)] == ["ann", "cid"]
    with pytest.raises(InputError):
        changes.redo(connection)
    changes.undo(connection)
    assert find(connection, 0).person == "ann"


@pytest.mark.parametrize("tool", ["drop: by hand", "a/b, c", "../../etc"])
def test_a_change_that_turns_out_to_be_large_is_copied_as_it_was(connection, tmp_path, monkeypatch, tool):
    monkeypatch.setattr(changes, "MANY", 1)
    monkeypatch.setattr(edits, "AT_ONCE", 1)
    before = state(connection)
    with changing(connection, tool) as change:
        for number in range(3):
            change.set(find(connection, number), person="ann")
    (copy,) = backups.copies(tmp_path / "faces.db")
    assert re.fullmatch(r"[\w-]+", copy.why)
    with open_database(copy.path) as opened:
        assert state(opened) == before


def test_a_large_change_begins_with_a_copy(connection, tmp_path):
    for _ in range(7):
        with changing(connection, "smooth src", expected=changes.MANY + 1) as change:
            change.update(find(connection, 0), person=find(connection, 0).person + "x")
    found = backups.copies(tmp_path / "faces.db")
    assert len(found) == 5
    assert {copy.why for copy in found} == {"smooth"}
    with open_database(found[-1].path) as copy:
        assert find(copy, 0).person == "xxxxxx"


@pytest.mark.parametrize(
    "other", ["{", "[]", json.dumps({"face": "x"}), json.dumps({"frame": 1}), json.dumps({"geometry": "x"})]
)
def test_damaged_edits_are_refused_and_change_nothing(connection, other):
    with changing(connection, "name") as change:
        change.update(find(connection, 0), person="ann")
    before = state(connection)
    with connection:
        connection.execute("UPDATE edits SET other = ?", (other,))
    with pytest.raises(CorruptFileError):
        changes.undo(connection)
    assert state(connection) == before


def test_version_2_is_upgraded_and_kept(connection, tmp_path):
    path = tmp_path / "two.db"
    with closing(sqlite3.connect(path)) as old:
        rows = schema.FACES.replace(");\n", ") WITHOUT ROWID;\n")
        assert rows.count("WITHOUT ROWID") == 1
        old.executescript(schema.TABLES.removesuffix(schema.NEW_IN_3).replace(schema.FACES, rows))
        for table, column in reversed(schema.COLUMNS_OF_3):
            old.execute(f"ALTER TABLE {table} DROP COLUMN {column.split()[0]}")
        old.execute("INSERT INTO sources (path, kind) VALUES ('.', 'frames')")
        old.execute("INSERT INTO frames (source, name, status, error) VALUES (1, '00001.png', 'done', '')")
        columns = "face, frame, landmarks, origin, status, reason, person, geometry"
        values = ("f" * 16, a_face(1).landmarks.tobytes())
        old.execute(f"INSERT INTO faces ({columns}) VALUES (?, 1, ?, 'yunet', 'kept', '', 'ann', '')", values)
        old.execute(f"INSERT INTO scores VALUES ('{'f' * 16}', 'yaw', '', 0.5)")
        old.execute("PRAGMA user_version = 2")
        old.commit()
    with open_database(path) as upgraded:
        (face,) = faces.faces(upgraded)
        assert (face.person, face.landmarks.tolist()) == ("ann", a_face(1).landmarks.tolist())
        assert upgraded.execute("SELECT value FROM scores").fetchall() == [(0.5,)]
        assert upgraded.execute("PRAGMA foreign_key_check").fetchall() == []
        assert _tables(upgraded) == _tables(connection)
        faces.add(upgraded, [(FrameRow("00001.png", time=0.5, look=b"\0" * 192), [FaceRow(a_face(1))])])
        assert len(list(faces.faces(upgraded))) == 1
        assert _columns(upgraded) == _columns(connection)
    with closing(sqlite3.connect(tmp_path / "two.db.v2")) as kept:
        assert kept.execute("PRAGMA user_version").fetchone() == (2,)


def _tables(connection):
    """Foreign keys, and the columns of each index."""
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    keys = {(name, row[2:]) for name in names for row in connection.execute(f"PRAGMA foreign_key_list({name})")}
    indices = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")]
    return keys, {(name, row[2]) for name in indices for row in connection.execute(f"PRAGMA index_info({name})")}


def _columns(connection):
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {(name, row[1]) for name in tables for row in connection.execute(f"PRAGMA table_info({name})")}
