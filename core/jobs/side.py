"""How every job that changes faces begins: alone on its side, with nothing half done by a run that was killed."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import InputError
from core.faceset import journal
from core.faceset.database.connection import open_database
from core.faceset.register import missing_files
from core.faceset.store import warn_of_other_faces, why_empty
from core.workspace import Side, Workspace, image_names, list_images

log = logging.getLogger(__name__)
_NAMED = 20


@dataclass(frozen=True)
class OpenedSide(Side):
    """A side that nobody else changes.

    completed: the change that a killed run had left half done and that was finished on opening ("sort by yaw"), or "".
    deleted: names of loose faces that somebody deleted by hand since they were last seen; they stay deleted.
    """

    completed: str = ""
    deleted: tuple[str, ...] = ()


@contextmanager
def opened_side(workspace: Workspace, name: str) -> Iterator[OpenedSide]:
    """Lock a side, clear what killed runs left half-written, and finish the move of files that one began.

    name: ``src`` or ``dst``.

    Raises:
        InputError: another run holds the side, or a name was taken by another file while files were moving.
        CorruptFileError: the record of moved files is damaged.
    """
    with locked_side(workspace, name) as side:
        deleted = deleted_faces(side)
        say_deleted(side, deleted)
        yield replace(side, deleted=deleted)


@contextmanager
def locked_side(workspace: Workspace, name: str) -> Iterator[OpenedSide]:
    """The same without looking for what somebody deleted, which reads the database; raises as ``opened_side``."""
    side = workspace.side(name)
    with side.locked():
        # Files on their way have names that no job would take for faces.
        step = journal.finish(side.frames)
        warn_of_other_faces(side.aligned)
        yield OpenedSide(workspace, name, step.what if step else "")


def say_deleted(side: Side, deleted: Sequence[str]) -> None:
    """Name the faces that somebody deleted by hand in the log."""
    if deleted:
        log.info("%s: %d deleted by hand: %s", side.frames.name, len(deleted), ", ".join(deleted[:_NAMED]))


def deleted_faces(side: Side) -> tuple[str, ...]:
    """Names of loose faces that the database has and the folder has not, where nothing of ours has moved them."""
    there = image_names(side.aligned)
    # With no loose file at all the faces were packed or moved away, not deleted one by one.
    if not there or not side.database.is_file():
        return ()
    with open_database(side.database) as connection:
        return tuple(missing_files(connection, side.aligned, there))


def loose_faces(side: Side) -> list[Path]:
    """The images in ``aligned`` in the order of their names, at least one.

    Raises:
        InputError: there are none.
    """
    paths = list_images(side.aligned)
    if not paths:
        raise InputError(
            "no loose faces",
            where=side.aligned,
            why="" if side.pak.exists() else why_empty(side.aligned),
            hint="unpack the faceset first: step 3.4 or 4.4",
        )
    return paths
