"""Empty a workspace and lay it out anew; what was there goes to the trash."""

import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from core.fsio import lock, move_to_trash
from core.workspace import Workspace

_KEPT = {".trash", ".locks", ".gitkeep"}


@dataclass(frozen=True)
class Cleared:
    """A workspace that is empty.

    moved: names of what was there. trash: the folder that it is in, None where it was deleted or there was nothing.
    """

    moved: tuple[str, ...]
    trash: Path | None


def clear(workspace: Workspace, *, purge: bool = False) -> Cleared:
    """Move videos, frames, faces and models to the trash and create the empty folders.

    purge: delete them for good instead, the trash of earlier runs included.

    Raises:
        InputError: while a run is using a side or a model of the workspace.
    """
    workspace.root.mkdir(parents=True, exist_ok=True)
    trash = workspace.trash / "cleared"
    with ExitStack() as held:
        for path in sorted(workspace.locks.glob("*")):
            held.enter_context(lock(path, "this workspace"))
        there = sorted(path for path in workspace.root.iterdir() if path.name not in _KEPT)
        old = [path for path in there if not _is_empty_folder(path)]
        for path in old:
            move_to_trash(path, trash)
        if purge and workspace.trash.exists():
            shutil.rmtree(workspace.trash)
    workspace.create()
    return Cleared(tuple(path.name for path in old), trash if old and not purge else None)


def _is_empty_folder(path: Path) -> bool:
    """Whether there is no file in it, at any depth: part of the layout."""
    return path.is_dir() and not any(inside.is_file() for inside in path.rglob("*"))
