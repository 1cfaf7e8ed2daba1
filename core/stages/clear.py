"""Empty the workspace and lay it out anew; what was there goes to the trash."""

from pydantic import Field

from core.options import Options as BaseOptions
from core.types import StageReport
from core.workspace import Workspace


class Options(BaseOptions):
    purge: bool = Field(False, description="delete for good instead, the trash of earlier runs included")


def run(options: Options, workspace: Workspace) -> StageReport:
    """Move videos, frames, faces and models to ``.trash``, or delete them with ``--purge``."""
    from core.jobs.clear import clear

    cleared = clear(workspace, purge=options.purge)
    fate = "none"
    if cleared.moved:
        fate = "deleted" if options.purge else f"moved to {cleared.trash} (--purge deletes it)"
    rows = (("things that were there", len(cleared.moved)), ("they were", fate))
    warnings = (f"left alone, no part of a workspace: {', '.join(cleared.left)}",) if cleared.left else ()
    return StageReport("workspace is empty", rows, warnings, outputs=(workspace.root,))
