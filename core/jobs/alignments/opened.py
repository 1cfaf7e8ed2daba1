"""How every job on the database begins and ends: alone on its side, and with files that follow what was decided."""

import gc
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from core.errors import InputError
from core.faceset.alignments.settle import settle
from core.faceset.database.connection import open_database
from core.faceset.register import register_files
from core.jobs.side import OpenedSide, locked_side, say_deleted
from core.workspace import Workspace, image_files

_COLLECT_AFTER = 100_000  # new objects


@dataclass(frozen=True)
class OpenedFaces:
    """A side that nobody else changes, and its database.

    names: of the loose images in ``aligned``, all of which the database knows.
    """

    side: OpenedSide
    connection: sqlite3.Connection
    names: frozenset[str]


def require_loose(opened: OpenedFaces) -> None:
    """Refuse to decide about faces whose pictures are packed: no single one leaves a pak.

    Raises:
        InputError: they are.
    """
    side = opened.side
    if side.pak.exists() and not opened.names:
        number = {"src": 3, "dst": 4}[side.name]
        hint = f"unpack them first: bash scripts/{number}.4_unpack_{side.name}.sh"
        raise InputError("the faces are packed", where=side.pak, hint=hint)


@contextmanager
def opened_faces(workspace: Workspace, name: str) -> Iterator[OpenedFaces]:
    """Lock a side and open its database; afterwards files follow what was decided about their faces.

    name: ``src`` or ``dst``. Pictures that are new in ``aligned`` are taken in; a run that was killed is completed.

    Raises:
        InputError: there is no database, or another run holds the side.
        CorruptFileError: the database or the journal is damaged.
    """
    with _rare_collections(), locked_side(workspace, name) as side, open_database(side.database) as connection:
        settle(connection, side.frames)
        files = image_files(side.aligned)
        missing = register_files(connection, side.aligned, files).missing
        names = frozenset(files)
        del files  # a job on many faces needs the memory
        # With no loose file at all the faces were packed or moved away, not deleted one by one.
        deleted = missing if names else ()
        say_deleted(side, deleted)
        yield OpenedFaces(replace(side, deleted=deleted), connection, names)
        settle(connection, side.frames)


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Rows of many faces are no garbage: looking through them for some takes a tenth of the time of a job."""
    before = gc.get_threshold()
    gc.set_threshold(_COLLECT_AFTER, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
