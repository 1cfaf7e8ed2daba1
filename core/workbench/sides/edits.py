"""Changes that a page asks for: all operations of a request or none, never twice, and undoing them."""

import json
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from core.errors import InputError
from core.faceset.alignments import marks
from core.faceset.alignments.settle import settle
from core.faceset.database import changes
from core.faceset.database.changes import Done, changing
from core.faceset.database.connection import open_database
from core.jobs.alignments.opened import opened_faces, require_loose
from core.workbench.answers import Conflict
from core.workbench.sides.operation import Operation, found
from core.workbench.sides.operations import carry_out, read_operation
from core.workspace import Side

# Requests that are recognised when they come once more.
_REMEMBERED = 500
_KEY = "workbench request "
# What the history says of an operation.
_WORDS = {
    "set_mark": "marked",
    "set_person": "person named",
    "reject_verdicts": "verdicts judged",
    "add_face": "face added",
    "copy": "face copied",
    "interpolate": "gap interpolated",
    "delete_face": "face deleted",
    "delete_faces": "faces deleted",
    "move_box": "box moved",
    "move_square": "points moved",
    "move_points": "points moved",
    "apply_move": "several faces moved",
    "set_polygons": "mask drawn",
}
_Read = Annotated[Operation, BeforeValidator(read_operation)]


class Edits(BaseModel):
    """A request. id: made by the page; the same one again is answered and not carried out again. base: revision of the
    side that it is made for; None where that does not matter.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: uuid.UUID
    operations: Annotated[
        list[Annotated[Operation, BeforeValidator(read_operation)]], Field(min_length=1, max_length=1000)
    ]
    base: str | None = None


@dataclass(frozen=True)
class Edited:
    """What became of a request. change: its number; 0 where nothing had to change. before: the revision of the side
    until then. repeated: whether it had been carried out before.
    """

    change: int
    faces: int
    before: str
    repeated: bool = False


@dataclass(frozen=True)
class TakenBack:
    """A change that was undone or redone. face: its first one, with its frame; empty where the face is gone.
    before: the revision of the side until then.
    """

    done: Done
    before: str
    face: str
    frame: str


_writers: dict[str, threading.Lock] = {}


@contextmanager
def writing(side: Side) -> Iterator[sqlite3.Connection]:
    """The database of a side for a moment, with nobody else changing the side.

    Raises:
        Conflict: a stage is at work on the side.
    """
    with _writers.setdefault(str(side.frames), threading.Lock()):
        held = side.workspace.locked(side.frames.name, f"the {side.name} side")
        try:
            held.__enter__()
        except InputError as error:
            raise Conflict(error.what, where=error.where, hint="wait for it to end, or stop it: Jobs") from None
        try:
            with open_database(side.database) as connection:
                yield connection
        finally:
            held.__exit__(None, None, None)


def edit(side: Side, asked: Edits, revision: Callable[[], str]) -> Edited:
    """Carry out a request. revision: says which the side is at.

    Raises:
        Conflict: the side, or a face, has changed since; or a stage is at work on it.
        Missing: a face is not there.
    """
    with writing(side) as connection:
        settle(connection, side.frames)  # what a killed run has left
        before = revision()
        known = _remembered(connection, asked.id)
        if known is not None:
            return Edited(known["change"], known["faces"], before, repeated=True)
        if asked.base is not None and asked.base != before:
            raise Conflict("the faces have changed meanwhile", hint="look at them again, then change them")
        with changing(connection, _title(asked)) as change:
            for operation in asked.operations:
                carry_out(connection, change, operation)
            number = _newest(connection) if change.faces else 0
            _remember(connection, asked.id, {"change": number, "faces": change.faces})
        settle(connection, side.frames)
        return Edited(number, change.faces, before)


def _title(asked: Edits) -> str:
    """How the history calls it."""
    kinds = dict.fromkeys(_WORDS.get(operation.op, operation.op.replace("_", " ")) for operation in asked.operations)
    return f"{', '.join(kinds)} in the workbench"


def _newest(connection: sqlite3.Connection) -> int:
    return connection.execute("SELECT MAX(change) FROM changes").fetchone()[0]


def _remembered(connection: sqlite3.Connection, request: uuid.UUID) -> dict[str, Any] | None:
    row = connection.execute("SELECT value FROM state WHERE key = ?", (f"{_KEY}{request}",)).fetchone()
    return None if row is None else json.loads(row[0])


def _remember(connection: sqlite3.Connection, request: uuid.UUID, answer: dict[str, int]) -> None:
    """In the transaction of the change itself."""
    connection.execute("INSERT INTO state VALUES (?, ?)", (f"{_KEY}{request}", json.dumps(answer)))
    old = "SELECT key FROM state WHERE key LIKE ? ORDER BY json_extract(value, '$.change') DESC LIMIT -1 OFFSET ?"
    connection.execute(f"DELETE FROM state WHERE key IN ({old})", (f"{_KEY}%", _REMEMBERED))


def take_back(side: Side, revision: Callable[[], str], *, redo: bool = False) -> TakenBack:
    """Undo the newest change of the side, whoever made it, or redo what was undone last; files follow.

    Raises:
        InputError: there is none.
    """
    with writing(side) as connection:
        before = revision()
        done = changes.redo(connection) if redo else changes.undo(connection)
        settle(connection, side.frames)
        query = """
        SELECT edits.face, frames.name FROM edits JOIN faces ON faces.face = edits.face
        JOIN frames ON frames.frame = faces.frame WHERE change = ? ORDER BY edit LIMIT 1
        """
        row = connection.execute(query, (done.number,)).fetchone() or ("", "")
        return TakenBack(done, before, row[0], str(row[1]))


def apply_marks(side: Side, revision: Callable[[], str]) -> Edited:
    """Carry out all marks of a side: pictures marked as trash go to its trash. One change, which undo takes back.

    Raises:
        InputError: the faces are packed. Conflict: a stage is at work on the side.
    """
    with _writers.setdefault(str(side.frames), threading.Lock()), opened_faces(side.workspace, side.name) as opened:
        require_loose(opened)
        before = revision()
        query = "SELECT face, extra FROM faces WHERE extra LIKE ?"
        rows = opened.connection.execute(query, (f'%"{marks.KEY}"%',)).fetchall()
        marked = [face for face, extra in rows if marks.mark_of(extra) in ("keep", "trash")]
        with changing(opened.connection, "apply marks", expected=len(marked)) as change:
            for face in found(opened.connection, marked):
                marks.carry_out(change, face)
        number = _newest(opened.connection) if change.faces else 0
    return Edited(number, change.faces, before)
