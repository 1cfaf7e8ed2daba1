"""Changes of faces that can be taken back and made again, across restarts: one change, one transaction.

An edit keeps only what differs between before and after: the columns of the faces table with the values that the face
does not have at the moment. Undoing exchanges the two, and so does redoing. Nothing that is derived from a face is part
of an edit: it carries the ``geometry`` that it was made from, so it turns stale when points move and is good again when
they move back.
"""

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.errors import InputError
from core.faceset.database import faces
from core.faceset.database.backups import back_up
from core.faceset.database.cells import (
    BLOB,
    TEXT,
    WHOLE,
    checked,
    checked_rows,
    damaged,
    insert,
    json_object,
    json_value,
    value_of,
)
from core.faceset.database.connection import path_of
from core.faceset.database.faces import COLUMNS, BriefFace, FaceRow, columns_for, landmarks_of, points_of
from core.faceset.database.names import NAME, restored
from core.faceset.identity import geometry_of
from core.types import Face

# A change of more faces than this begins with a copy of the database.
MANY = 200
# Rows that are written at once.
_AT_ONCE = 1000
# The columns that place a face.
_POINTS = frozenset({"landmarks", "left", "top", "right", "bottom"})
# What a face is that a change has made and that was taken back: rows are never deleted.
UNMADE: dict[str, Any] = {"status": "dropped", "reason": "undone"}


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

    def __init__(self, connection: sqlite3.Connection, number: int, why: str):
        self._connection = connection
        self._number = number
        # What a copy is made before; empty once there is one.
        self._why = why
        self._moves_files = False
        # What is not written yet: many rows of one kind at once take a third of the time.
        self._edits: list[tuple[Any, ...]] = []
        self._columns: tuple[str, ...] = ()
        self._rows: list[tuple[Any, ...]] = []
        self.faces = 0

    def update(self, before: Face, **fields: Any) -> Face:
        """The same as ``set``; returns the face as it is now."""
        self.set(before, **fields)
        return replace(before, **fields)

    def set(self, before: Face | BriefFace, **fields: Any) -> None:
        """Give a face other values in these fields.

        before: the face as the database has it; all of it where its points are among the fields.
        """
        old, new = columns_for({name: getattr(before, name) for name in fields}), columns_for(fields)
        differing = {name: old[name] for name in old if old[name] != new[name]}
        if not differing:
            return
        if isinstance(before, Face) and not _POINTS.isdisjoint(differing):
            new["geometry"] = geometry_of(before.frame, points_of(replace(before, **fields)))
        if tuple(new) != self._columns or len(self._rows) >= _AT_ONCE:
            self._write()
            self._columns = tuple(new)
        self._moves_files |= "status" in differing
        self._note(before.id, differing)
        self._rows.append((*new.values(), before.id))

    def add(self, frame: int, row: FaceRow) -> None:
        """Add a face to the frame with this number in the table."""
        self._write()
        self._note(row.face.id, UNMADE)
        faces.add_face(self._connection, frame, row)

    def _note(self, face: str, other: dict[str, Any]) -> None:
        self._edits.append((self._number, face, *_stored(other)))
        self.faces += 1
        if self._why and self.faces > MANY:
            self._copy()

    def _copy(self) -> None:
        """Copy the database as it was before this change, which other connections see until the change is made."""
        path = path_of(self._connection)
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as other:
            back_up(other, path, self._why)
        self._why = ""

    def _write(self) -> None:
        self._connection.executemany(
            "INSERT INTO edits (change, face, other, landmarks) VALUES (?, ?, ?, ?)", self._edits
        )
        if self._rows:
            places = ", ".join(f'"{name}" = ?' for name in self._columns)
            self._connection.executemany(f"UPDATE faces SET {places} WHERE face = ?", self._rows)
        self._edits, self._rows = [], []

    def finish(self) -> None:
        """Write what is left, and note what is to be done for the files of the faces."""
        self._write()
        if self._moves_files:
            _unsettle(self._connection, self._number)


@contextmanager
def changing(connection: sqlite3.Connection, tool: str, *, expected: int = 0) -> Iterator[Change]:
    """A change that is made as a whole or not at all, and that ``undo`` takes back.

    The database is copied first (``core.faceset.database.backups``) when more than ``MANY`` faces change. What was
    undone before can be redone no more.

    tool: what makes it, for the history; its first word names the copy. expected: how many faces it will change, as far
    as that is known: where that is many, no lock is held while the database is copied.
    """
    why = tool.split()[0]
    if expected > MANY:
        back_up(connection, path_of(connection), why)
        why = ""
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM changes WHERE undone")
        now = time.strftime("%Y-%m-%d %H:%M:%S")
        insert(connection, "changes", {"time": now, "tool": tool})
        change = Change(connection, connection.execute("SELECT last_insert_rowid()").fetchone()[0], why)
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
    # A face that a change touched twice goes back step by step.
    order = "ASC" if done.undone else "DESC"
    edits = connection.execute(f"SELECT edit, face FROM edits WHERE change = ? ORDER BY edit {order}", (done.number,))
    moves_files = False
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        some: dict[str, _Exchanged] = {}
        for edit, face in edits.fetchall():
            if face in some or len(some) >= _AT_ONCE:
                _write_exchanged(connection, some.values())
                some = {}
            exchanged = _exchanged(connection, edit)
            if exchanged is not None:
                some[face] = exchanged
                moves_files |= exchanged.moves_files
        _write_exchanged(connection, some.values())
        connection.execute("UPDATE changes SET undone = ? WHERE change = ?", (not done.undone, done.number))
        if moves_files:
            _unsettle(connection, done.number)
    return replace(done, undone=not done.undone)


@dataclass(frozen=True, eq=False)
class _Exchanged:
    """A face and an edit with each other's values: the rows for the tables."""

    face: tuple[Any, ...]
    edit: tuple[Any, ...]
    moves_files: bool


_EDIT = f"""
SELECT edits.other, edits.landmarks, faces.face, frames.name, geometry,
       {", ".join(f'faces."{name}"' for name in COLUMNS)}
FROM edits JOIN faces ON faces.face = edits.face JOIN frames ON frames.frame = faces.frame WHERE edit = ?
"""
_EDIT_KINDS = (TEXT, BLOB, TEXT, NAME, TEXT, *COLUMNS.values())


def _exchanged(connection: sqlite3.Connection, edit: int) -> _Exchanged | None:
    """None for a face that is gone: its frame was looked at anew since."""
    row = connection.execute(_EDIT, (edit,)).fetchone()
    if row is None:
        return None
    other, landmarks, face, frame, geometry, *columns = checked(row, _EDIT_KINDS, "edits")
    values, present = json_object(other, "edits"), dict(zip(COLUMNS, columns, strict=True))
    if landmarks is not None:
        values["landmarks"] = landmarks
    if not values.keys() <= COLUMNS.keys():
        raise damaged("edits", "it names columns that there are not")
    after = present | values
    checked(list(after.values()), list(COLUMNS.values()), "edits")
    if not _POINTS.isdisjoint(values):
        geometry = geometry_of(restored(frame), _points(after))
    back = {name: present[name] for name in values}
    return _Exchanged((*after.values(), geometry, face), (*_stored(back), edit), "status" in values)


def _write_exchanged(connection: sqlite3.Connection, exchanged: Iterable[_Exchanged]) -> None:
    rows = list(exchanged)
    places = ", ".join(f'"{name}" = ?' for name in COLUMNS)
    connection.executemany(f"UPDATE faces SET {places}, geometry = ? WHERE face = ?", [row.face for row in rows])
    connection.executemany("UPDATE edits SET other = ?, landmarks = ? WHERE edit = ?", [row.edit for row in rows])


def _stored(values: Mapping[str, Any]) -> tuple[str, bytes | None]:
    """Columns of a face as an edit keeps them: a JSON text, and the landmarks, which JSON cannot hold."""
    rest = {name: value for name, value in values.items() if name != "landmarks" or value is None}
    return json.dumps(rest), values.get("landmarks")


def _points(columns: Mapping[str, Any]) -> np.ndarray:
    """What the face is known by that has these columns."""
    points = landmarks_of(columns["landmarks"])
    if points is not None:
        return points
    box = [value_of(columns[name]) for name in ("left", "top", "right", "bottom")]
    return np.array(box, np.float32).reshape(2, 2)
