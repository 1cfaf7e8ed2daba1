"""Empty the workspace; what was there goes to workspace/.trash."""

from typing import TYPE_CHECKING

from pydantic import Field

from core.console import size_text
from core.options import Options as BaseOptions
from core.types import StageReport
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.jobs.clear import Part


class Options(BaseOptions):
    purge: bool = Field(False, description="delete everything for good, including the trash of earlier runs")


def run(options: Options, workspace: Workspace) -> StageReport:
    """Move videos, frames, faces and models to ``.trash``, or delete them with ``--purge``."""
    from core.jobs.clear import clear

    cleared = clear(workspace, purge=options.purge)
    fate = "deleted" if options.purge else "moved to the trash"
    rows = [(part.name, f"{fate}: {_counted(part)}") for part in cleared.parts]
    if cleared.purged and cleared.purged.files:
        rows.append(("the trash of earlier runs", f"deleted: {_counted(cleared.purged)}"))
    if cleared.trash:
        rows.append(("the trash", f"{cleared.trash}: move back from there by hand what you miss; --purge deletes it"))
    warnings = (f"left alone, no part of a workspace: {', '.join(cleared.left)}",) if cleared.left else ()
    title = "the workspace is empty now" if rows else "the workspace was empty"
    return StageReport(title, tuple(rows), warnings, outputs=(workspace.root,))


def _counted(part: "Part") -> str:
    return f"{part.files} {'file' if part.files == 1 else 'files'}, {size_text(part.size)}"
