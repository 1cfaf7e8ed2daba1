"""What was done to the faces of a side, taken back and made again; copies of the database."""

import os
from dataclasses import dataclass
from pathlib import Path

from core.faceset.database import backups, changes, images
from core.faceset.database.backups import Copy
from core.faceset.database.changes import Done
from core.faceset.database.connection import open_database
from core.jobs.alignments.opened import opened_faces
from core.jobs.side import opened_side
from core.workspace import Workspace


@dataclass(frozen=True)
class Undone:
    """A change that was taken back or made again. stale: how many face files do not show their face as it is now."""

    change: Done
    stale: int


@dataclass(frozen=True)
class Restored:
    """A database that a copy took the place of. before: the copy of what was there until then."""

    copy: Copy
    before: Copy


def undo(workspace: Workspace, name: str) -> Undone:
    """Take back the last change of the faces of a side. Raises InputError where there is none."""
    return _exchanged(workspace, name, back=True)


def redo(workspace: Workspace, name: str) -> Undone:
    """Make again what was taken back last. Raises InputError where there is none."""
    return _exchanged(workspace, name, back=False)


def history(workspace: Workspace, name: str) -> list[Done]:
    """All changes of the faces of a side, oldest first."""
    with open_database(workspace.side(name).database) as connection:
        return changes.history(connection)


def back_up(workspace: Workspace, name: str) -> Copy:
    """Copy the database of a side."""
    with opened_side(workspace, name) as side, open_database(side.database) as connection:
        return backups.back_up(connection, side.database)


def copies(workspace: Workspace, name: str) -> list[Copy]:
    """The copies of the database of a side, oldest first."""
    return backups.copies(workspace.side(name).database)


def restore(workspace: Workspace, name: str, copy: str) -> Restored:
    """Put a copy in the place of the database; what is there until then is copied first.

    Raises:
        InputError: there is no such copy.
        CorruptFileError: it is damaged.
    """
    with opened_side(workspace, name) as side:
        found = backups.find_copy(side.database, copy)
        with open_database(found.path):
            pass  # damage is found before anything is replaced
        with open_database(side.database) as connection:
            before = backups.back_up(connection, side.database, "before-restore")
        _replace(found.path, side.database)
        return Restored(found, before)


def _replace(copy: Path, database: Path) -> None:
    with open_database(copy) as connection:
        half = database.with_name(f".{database.name}.restoring")
        half.unlink(missing_ok=True)
        backups.copy_database(connection, half)
    os.replace(half, database)


def _exchanged(workspace: Workspace, name: str, *, back: bool) -> Undone:
    with opened_faces(workspace, name) as opened:
        connection = opened.connection
        done = changes.undo(connection) if back else changes.redo(connection)
        return Undone(done, images.count_stale(connection))
