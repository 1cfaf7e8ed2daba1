"""Target, swapped and source film side by side, for a look."""

from pathlib import Path

from pydantic import Field

from core.options import Options as BaseOptions
from core.types import StageReport
from core.workspace import Workspace


class Options(BaseOptions):
    result: Path | None = Field(None, description="the swapped film; by default workspace/result.mp4")


def run(options: Options, workspace: Workspace) -> StageReport:
    """Write ``compare.mp4`` into the workspace."""
    from core.jobs.merge.compare import compare

    done = compare(workspace, options.result)
    rows = (("frames", done.frames), ("size", f"{done.width} x {done.height}"))
    return StageReport("side by side: target, swapped, source", rows, done.notes, (done.path,))
