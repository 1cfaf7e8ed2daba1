"""Print a table for a bug report: versions, device really used, ffmpeg, disk, and what the workspace lacks."""

from core.options import Options as BaseOptions
from core.types import StageReport
from core.workspace import Workspace


class Options(BaseOptions):
    pass


def run(options: Options, workspace: Workspace) -> StageReport:
    """Examine machine and workspace; changes nothing."""
    from core.jobs.doctor import examine

    rows, warnings = examine(workspace)
    return StageReport("doctor", tuple(rows), tuple(warnings))
