"""Empty a workspace and lay it out anew; what was there goes to the trash."""

import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from core import own_place
from core.errors import InputError
from core.fsio import lock, move_to_trash
from core.safe_paths import is_real_folder, own_folder
from core.workspace import Workspace

_KEPT = {".trash", ".locks", ".logs", ".workbench", ".gitkeep", own_place.MARKER}


@dataclass(frozen=True)
class Part:
    """Something that was in a workspace. name: of it. files: how many, 1 for a file. size: of all of them, bytes."""

    name: str
    files: int
    size: int


@dataclass(frozen=True)
class Cleared:
    """A workspace that is empty.

    parts: what was there. trash: the folder that it is in, None where it was deleted or there was nothing.
    purged: what was in the trash of earlier runs and was deleted; None where the trash was left alone.
    left: names of what is no part of a workspace and was left alone.
    """

    parts: tuple[Part, ...] = ()
    trash: Path | None = None
    purged: Part | None = None
    left: tuple[str, ...] = ()


def clear(workspace: Workspace, *, purge: bool = False) -> Cleared:
    """Move videos, frames, faces and models to the trash and create the empty folders.

    purge: delete them for good instead, the trash of earlier runs included.

    Raises:
        InputError: while a run is using a side or a model of the workspace; or the folder is no workspace: somebody's
            home, the root, the program itself, a mount point, a folder with other things that is not marked as one.
        CorruptFileError: the trash, or the folder of locks, is a link to another place.
    """
    own_place.require_own(workspace.root)
    workspace.root.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        # All that were ever taken, so that no run can be at work on any part.
        for path in sorted(own_folder(workspace.locks).glob("*.lock")):
            held.enter_context(lock(path, "this workspace"))
        own_folder(workspace.trash)
        there = sorted(path for path in workspace.root.iterdir() if path.name not in _KEPT)
        old = [path for path in there if own_place.is_part(path.name) and not _is_empty_folder(path)]
        _require_no_mounts(old)
        parts = tuple(map(_part, old))
        purged = _part(workspace.trash) if purge else None
        trash = workspace.trash / "cleared"
        for path in old:
            move_to_trash(path, trash)
        if purge or not any(workspace.trash.iterdir()):
            shutil.rmtree(workspace.trash)
    workspace.create()
    left = tuple(path.name for path in there if not own_place.is_part(path.name))
    return Cleared(parts, trash if old and not purge else None, purged, left)


def _part(path: Path) -> Part:
    inside = path.rglob("*") if is_real_folder(path) else [path]
    # Of links, which are moved as they are, nothing counts that they lead to.
    sizes = [each.lstat().st_size for each in inside if each.is_symlink() or each.is_file()]
    return Part(path.name, len(sizes), sum(sizes))


def _require_no_mounts(paths: list[Path]) -> None:
    """Moving a disk would copy all of it and then delete what is on it."""
    for path in paths:
        if path.is_mount():
            hint = "empty it by hand, or unmount it first"
            raise InputError("a disk is mounted in this workspace", where=path, why="nothing was moved", hint=hint)


def _is_empty_folder(path: Path) -> bool:
    """Whether there is no file in it, at any depth: part of the layout."""
    return is_real_folder(path) and not any(inside.is_symlink() or inside.is_file() for inside in path.rglob("*"))
