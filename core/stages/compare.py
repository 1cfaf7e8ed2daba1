"""Target, swapped and source film side by side, for a look."""

from pathlib import Path

from pydantic import Field

from core.options import Options as BaseOptions
from core.types import StageReport
from core.workspace import Workspace


class Options(BaseOptions):
    result: Path | None = Field(None, description="the swapped film; by default workspace/result.mp4")
    reverse: bool = Field(
        False,
        description="of the merge with --reverse: the source's film, workspace/result_reverse.mp4, the target's",
    )


def run(options: Options, workspace: Workspace) -> StageReport:
    """Write ``compare.mp4``, or ``compare_reverse.mp4``, into the workspace."""
    from core.jobs.merge.compare import compare

    done = compare(workspace, options.result, reverse=options.reverse)
    rows = (("frames", done.frames), ("size", f"{done.width} x {done.height}"))
    shown = "source, swapped, target" if options.reverse else "target, swapped, source"
    return StageReport(f"side by side: {shown}", rows, done.notes, (done.path,))
