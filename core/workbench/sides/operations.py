"""The operations on faces that a page may ask for: one table. A new one is a model, a function, a line there.

A model says everything that the operation needs, so that repeating it gives the same; a function of a connection, a
change under way and the model carries it out. All operations of a request are one change: one undo takes them back.
"""

import sqlite3
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from core.faceset.alignments import marks
from core.faceset.alignments.marks import Mark
from core.faceset.cleaning.rejected import reject
from core.faceset.cleaning.verdicts import VERDICTS
from core.faceset.database.changes import Change
from core.workbench.sides import labelling, placing
from core.workbench.sides.operation import FaceIds, Operation, found


class SetMark(Operation):
    """Mark faces as trash, kept or unsure, or take the mark off."""

    op: Literal["set_mark"]
    faces: FaceIds
    mark: Mark


def _verdict(name: str) -> str:
    if name not in VERDICTS:
        raise ValueError(f"there is no such verdict; there are {', '.join(VERDICTS)}")
    return name


class RejectVerdicts(Operation):
    """Reject verdicts: cleaning does not propose these faces for them again. rejected: false takes that back."""

    op: Literal["reject_verdicts"]
    faces: FaceIds
    verdicts: Annotated[list[Annotated[str, AfterValidator(_verdict)]], Field(min_length=1, max_length=len(VERDICTS))]
    rejected: bool = True


class SetPerson(Operation):
    """Say who faces are; an empty name takes it back."""

    op: Literal["set_person"]
    faces: FaceIds
    person: Annotated[str, Field(max_length=80, pattern=r"^[^/\\\x00-\x1f]*$")]


def _set_mark(connection: sqlite3.Connection, change: Change, asked: SetMark) -> None:
    for face in found(connection, asked.faces):
        marks.set_mark(change, face, asked.mark)


def _reject_verdicts(connection: sqlite3.Connection, change: Change, asked: RejectVerdicts) -> None:
    for face in found(connection, asked.faces):
        reject(change, face, asked.verdicts, rejected=asked.rejected)


def _set_person(connection: sqlite3.Connection, change: Change, asked: SetPerson) -> None:
    for face in found(connection, asked.faces):
        change.update(face, person=asked.person.strip())


# Operations on one face have ``face`` and ``base``, what the points of the face were known by when the page saw them:
# they begin with ``of_base``, which refuses what somebody else has moved since.
OPERATIONS: dict[str, tuple[type[Operation], Callable[[sqlite3.Connection, Change, Any], None]]] = {
    "set_mark": (SetMark, _set_mark),
    "reject_verdicts": (RejectVerdicts, _reject_verdicts),
    "set_person": (SetPerson, _set_person),
    **placing.OPERATIONS,
    **labelling.OPERATIONS,
}


def read_operation(said: Any) -> Operation:
    """The operation that a JSON object means. Raises ValueError for none."""
    name = said.get("op") if isinstance(said, dict) else None
    if not isinstance(name, str) or name not in OPERATIONS:
        raise ValueError(f"there is no such operation; there are {', '.join(OPERATIONS)}")
    return OPERATIONS[name][0].model_validate(said)


def carry_out(connection: sqlite3.Connection, change: Change, operation: Operation) -> None:
    """Carry out an operation as a part of a change."""
    # What the operations before it did is read by this one.
    change.write()
    OPERATIONS[operation.op][1](connection, change, operation)
