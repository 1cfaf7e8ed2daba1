"""Changes of faces that can be taken back and made again, across restarts: one change, one transaction.

An edit keeps only what differs between before and after: the columns of the faces table with the values that the face
does not have at the moment. Undoing exchanges the two, and so does redoing. Nothing that is derived from a face is part
of an edit: it carries the ``geometry`` that it was made from, so it turns stale when points move and is good again when
they move back.
"""

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.errors import InputError
from core.faceset.database import faces
from core.faceset.database.backups import back_up
from core.faceset.database.cells import BLOB, TEXT, WHOLE, checked_rows, damaged, insert, json_object, json_value
from core.faceset.database.connection import path_of
from core.faceset.database.faces import FaceRow, columns_of, landmarks_of
from core.faceset.identity import geometry_of
from core.types import Face

# A change of more faces than this begins with a copy of the database.
MANY = 200
# What a face is that a change has made and that was taken back: rows are never deleted.
UNMADE: dict[str, Any] = {"status": "dropped", "reason": "undone"}
_COLUMNS = frozenset(columns_of(Face(np.zeros(4, np.float32), 0.0)))


@dataclass(frozen=True)
class Done:
    """A change of the past.

    number: from 1. time: local. tool: what made it, in words. faces: how many it changed. undone: whether it was taken
    back.
    """

    number: int
    time: str
    tool: str
    faces: int
    undone: bool


class Change:
    """A change under way. ``faces``: how many it has changed so far."""

    def __init__(self, connection: sqlite3.Connection, number: int):
        self._connection = connection
        self._number = number
        self._moves_files = False
        self.faces = 0

    def update(self, before: Face, **fields: Any) -> Face:
        """Give a face other values in these fields of ``Face``; returns it as it is now.

        before: the face as the database has it.
        """
        after = replace(before, **fields)
        old, new = columns_of(before), columns_of(after)
        differing = {name: old[name] for name in old if old[name] != new[name]}
        if not differing:
            return after
        self._note(before.id, differing)
        self._moves_files |= "status" in differing
        _write(self._connection, before, {name: new[name] for name in differing})
        return after

    def add(self, frame: int, row: FaceRow) -> None:
        """Add a face to the frame with this number in the table."""
        self._note(row.face.id, UNMADE)
        faces.add_face(self._connection, frame, row)

    def _note(self, face: str, other: Mapping[str, Any]) -> None:
        values = dict(other)
        landmarks = values.pop("landmarks", None)
        if "landmarks" in other and landmarks is None:
            values["landmarks"] = None
        edit = {"change": self._number, "face": face, "other": json.dumps(values), "landmarks": landmarks}
        insert(self._connection, "edits", edit)
        self.faces += 1

    def finish(self) -> None:
        """Note what is left to do for the files of the faces."""
        if self._moves_files:
            _unsettle(self._connection, self._number)


@contextmanager
def changing(connection: sqlite3.Connection, tool: str, *, expected: int = 0) -> Iterator[Change]:
    """A change that is made as a whole or not at all, and that ``undo`` takes back.

    tool: what makes it, for the history. expected: how many faces it will change, as far as that is known; with many
    the database is copied first (``core.faceset.database.backups``). What was undone before can be redone no more.
    """
    if expected > MANY:
        back_up(connection, path_of(connection), tool.split()[0])
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM changes WHERE undone")
        now = time.strftime("%Y-%m-%d %H:%M:%S")
        insert(connection, "changes", {"time": now, "tool": tool})
        change = Change(connection, connection.execute("SELECT last_insert_rowid()").fetchone()[0])
        yield change
        change.finish()
        if not change.faces:
            connection.rollback()


def history(connection: sqlite3.Connection) -> list[Done]:
    """All changes, oldest first; those that were taken back are last."""
    query = """
    SELECT changes.change, time, tool, COUNT(edit), undone FROM changes
    LEFT JOIN edits ON edits.change = changes.change GROUP BY changes.change ORDER BY changes.change
    """
    rows = checked_rows(connection.execute(query), (WHOLE, TEXT, TEXT, WHOLE, WHOLE), "changes")
    return [Done(number, when, tool, count, bool(undone)) for number, when, tool, count, undone in rows]


def undo(connection: sqlite3.Connection) -> Done:
    """Take back the last change that stands.

    Raises:
        InputError: there is none.
    """
    standing = [done for done in history(connection) if not done.undone]
    if not standing:
        raise InputError("there is nothing to undo", where=path_of(connection))
    return _exchange(connection, standing[-1])


def redo(connection: sqlite3.Connection) -> Done:
    """Make the change again that was taken back last.

    Raises:
        InputError: there is none.
    """
    undone = [done for done in history(connection) if done.undone]
    if not undone:
        raise InputError("there is nothing to redo", where=path_of(connection))
    return _exchange(connection, undone[0])


def unsettled(connection: sqlite3.Connection) -> list[int]:
    """Numbers of changes whose files have not followed yet (``core.faceset.alignments.settle``)."""
    row = connection.execute("SELECT value FROM state WHERE key = 'unsettled'").fetchone()
    numbers = json_value(row[0], "state") if row else []
    if not isinstance(numbers, list) or not all(type(number) is int for number in numbers):
        raise damaged("state", "numbers of changes that are none")
    return numbers


def _unsettle(connection: sqlite3.Connection, change: int) -> None:
    numbers = sorted({*unsettled(connection), change})
    connection.execute("INSERT OR REPLACE INTO state VALUES ('unsettled', ?)", (json.dumps(numbers),))


def _exchange(connection: sqlite3.Connection, done: Done) -> Done:
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        # A face that a change touched twice goes back step by step.
        order = "ASC" if done.undone else "DESC"
        query = f"SELECT edit, face, other, landmarks FROM edits WHERE change = ? ORDER BY edit {order}"
        rows = connection.execute(query, (done.number,)).fetchall()
        for edit, face, other, landmarks in checked_rows(rows, (WHOLE, TEXT, TEXT, BLOB), "edits"):
            now = faces.find_face(connection, face)
            if now is None:  # its frame was looked at anew since
                continue
            values = json_object(other, "edits")
            if landmarks is not None:
                landmarks_of(landmarks)
                values["landmarks"] = landmarks
            if not set(values) <= _COLUMNS:
                raise damaged("edits", "it names columns that there are not")
            present = columns_of(now)
            _write(connection, now, values)
            back = {name: present[name] for name in values}
            points = back.pop("landmarks", None)
            if "landmarks" in values and points is None:
                back["landmarks"] = None
            update = "UPDATE edits SET other = ?, landmarks = ? WHERE edit = ?"
            connection.execute(update, (json.dumps(back), points, edit))
        connection.execute("UPDATE changes SET undone = ? WHERE change = ?", (not done.undone, done.number))
        _unsettle(connection, done.number)
    return replace(done, undone=not done.undone)


def _write(connection: sqlite3.Connection, before: Face, values: Mapping[str, Any]) -> None:
    """Write columns of a face; points that move give it another geometry."""
    written = dict(values)
    if written.keys() & {"landmarks", "left", "top", "right", "bottom"}:
        written["geometry"] = geometry_of(before.frame, _points_after(before, values))
    places = ", ".join(f'"{name}" = :{name}' for name in written)
    connection.execute(f"UPDATE faces SET {places} WHERE face = :face", written | {"face": before.id})


def _points_after(before: Face, values: Mapping[str, Any]) -> np.ndarray:
    """What the face is known by once these columns are written."""
    columns = columns_of(before) | dict(values)
    points = landmarks_of(columns["landmarks"])
    if points is not None:
        return points
    box = [columns[name] for name in ("left", "top", "right", "bottom")]
    return np.array([np.nan if value is None else value for value in box], np.float32).reshape(2, 2)
