"""How every job that changes faces begins: alone on its side, with nothing half done by a run that was killed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from core.faceset import journal
from core.workspace import Side, Workspace, list_images


@dataclass(frozen=True)
class OpenedSide(Side):
    """A side that nobody else changes.

    completed: the change that a killed run had left half done and that was finished on opening ("sort by yaw"), or "".
    """

    completed: str = ""


@contextmanager
def opened_side(workspace: Workspace, name: str) -> Iterator[OpenedSide]:
    """Lock a side, clear what killed runs left half-written, and finish the move of files that one began.

    name: ``src`` or ``dst``.

    Raises:
        InputError: another run holds the side, or a name was taken by another file while files were moving.
        CorruptFileError: the record of moved files is damaged.
    """
    side = workspace.side(name)
    with side.locked():
        step = journal.finish(side.frames)
        yield OpenedSide(workspace, name, step.what if step else "")


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
            hint="python -m core unpack SIDE makes loose faces of a packed faceset",
        )
    return paths
