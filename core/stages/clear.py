"""Empty the workspace and lay it out anew; what was there goes to the trash."""

import shutil
from contextlib import ExitStack

from pydantic import Field

from core.fsio import lock, move_to_trash
from core.options import Options as BaseOptions
from core.types import StageReport
from core.workspace import Workspace

_KEPT = {".trash", ".locks", ".gitkeep"}


class Options(BaseOptions):
    purge: bool = Field(False, description="delete for good instead, the trash of earlier runs included")


def run(options: Options, workspace: Workspace) -> StageReport:
    """Move videos, frames, faces and models to ``.trash`` (or delete them with ``--purge``) and create the empty folders."""
    workspace.root.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        for path in sorted(workspace.locks.glob("*")):
            held.enter_context(lock(path, "this workspace"))
        old = sorted(p for p in workspace.root.iterdir() if p.name not in _KEPT)
        old = [p for p in old if not _is_empty_layout(p)]
        trash = workspace.trash / "cleared"
        for path in old:
            move_to_trash(path, trash)
        if options.purge and workspace.trash.exists():
            shutil.rmtree(workspace.trash)
    workspace.create()
    fate = "deleted" if options.purge else f"moved to {trash} (--purge deletes it)"
    return StageReport(
        "workspace is empty",
        (("things that were there", len(old)), ("they were", fate if old else "none")),
        outputs=(workspace.root,),
    )


def _is_empty_layout(path) -> bool:
    return path.is_dir() and not any(p.is_file() for p in path.rglob("*"))
