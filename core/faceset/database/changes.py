"""Changes of faces that can be taken back and made again, across restarts: one change, one transaction.

An edit keeps only what differs between before and after: the columns of the faces table with the values that the face
does not have at the moment. Undoing exchanges the two, and so does redoing. Nothing that is derived from a face is part
of an edit: it carries the ``geometry`` that it was made from, so it turns stale when points move and is good again when
they move back.
"""

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.faceset.database import edits, faces
from core.faceset.database.backups import back_up
from core.faceset.database.brief import BriefFace, PlacedFace
from core.faceset.database.cells import TEXT, WHOLE, checked_rows, damaged, insert, json_value
from core.faceset.database.connection import path_of
from core.faceset.database.edits import POINTS, stored
from core.faceset.database.faces import columns_for, points_of
from core.faceset.identity import geometries_of, geometry_of
from core.types import Face

# A change of more faces than this begins with a copy of the database.
MANY = 200
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
        self._rows: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
        self._new: list[tuple[int, Face]] = []
        self._waiting: set[str] = set()
        self.faces = 0

    def update(self, before: Face, **fields: Any) -> Face:
        """The same as ``set``; returns the face as it is now."""
        self.set(before, **fields)
        return replace(before, **fields)

    def set(self, before: Face | BriefFace | PlacedFace, **fields: Any) -> None:
        """Give a face other values in these fields.

        before: the face as the database has it; all of it where its points are among the fields.
        """
        old, new = columns_for({name: getattr(before, name) for name in fields}), columns_for(fields)
        differing = {name: value for name, value in old.items() if value != new[name]}
        if not differing:
            return
        values = {name: new[name] for name in differing}
        if isinstance(before, Face) and not POINTS.isdisjoint(differing):
            values["geometry"] = geometry_of(before.frame, points_of(replace(before, **fields)))
        self._set(before.id, differing, values)

    def move(
        self, ids: Sequence[str], frames: Sequence[str], before: Sequence[bytes], points: NDArray[np.float64]
    ) -> list[str]:
        """Give n faces other landmarks, (n, 68, 2); returns the geometry that each has now.

        ids, frames: of the faces, and the names of their frames. before: their landmarks as the database has them,
        which differ.
        """
        self.write()
        self._waiting.update(ids)
        geometries = geometries_of(frames, points)
        nothing_else, _ = stored({})
        self._edits = [(self._number, face, nothing_else, old) for face, old in zip(ids, before, strict=True)]
        rows = zip(np.asarray(points, "<f8"), geometries, ids, strict=True)
        self._rows["landmarks", "geometry"] = [(new.tobytes(), geometry, face) for new, geometry, face in rows]
        self._count(len(ids))
        return geometries

    def add(self, frame: int, face: Face) -> None:
        """Add a face to the frame with this number in the table."""
        self._wait(face.id)
        self._note(face.id, UNMADE)
        self._new.append((frame, face))

    def _set(self, face: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        self._wait(face)
        self._moves_files |= edits.concerns_files(old) or edits.concerns_files(new)
        self._note(face, old)
        self._rows.setdefault(tuple(new), []).append((*new.values(), face))

    def _wait(self, face: str) -> None:
        # What comes of one face is written in its order.
        if face in self._waiting or len(self._waiting) >= edits.AT_ONCE:
            self.write()
        self._waiting.add(face)

    def _note(self, face: str, other: dict[str, Any]) -> None:
        self._edits.append((self._number, face, *stored(other)))
        self._count(1)

    def _count(self, faces: int) -> None:
        self.faces += faces
        if self._why and self.faces > MANY:
            self._copy()

    def _copy(self) -> None:
        """Copy the database as it was before this change, which other connections see until the change is made."""
        path = path_of(self._connection)
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as other:
            back_up(other, path, self._why)
        self._why = ""

    def waits(self, face: str) -> bool:
        """Whether something of this face is not in the database yet: see ``write``."""
        return face in self._waiting

    def write(self) -> None:
        """Write what was asked for so far, so that whoever reads the database sees it."""
        self._connection.executemany(
            "INSERT INTO edits (change, face, other, landmarks) VALUES (?, ?, ?, ?)", self._edits
        )
        faces.add_bare_faces(self._connection, self._new)
        edits.write_faces(self._connection, self._rows)
        self._edits, self._new, self._rows, self._waiting = [], [], {}, set()

    def finish(self) -> None:
        """Write what is left, and note what is to be done for the files of the faces."""
        self.write()
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
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        moves_files = edits.exchange(connection, done.number, back=not done.undone)
        connection.execute("UPDATE changes SET undone = ? WHERE change = ?", (not done.undone, done.number))
        if moves_files:
            _unsettle(connection, done.number)
    return replace(done, undone=not done.undone)
