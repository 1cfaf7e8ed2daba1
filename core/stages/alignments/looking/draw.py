"""a film of the frames with boxes, landmarks, cuts and poses drawn in; in red what was not kept, and why"""

from core.options import SideOptions
from core.types import StageReport
from core.workspace import Workspace


class Options(SideOptions):
    """Flags of the stage."""


def run(options: Options, workspace: Workspace) -> StageReport:
    """Draw it."""
    from core.jobs.alignments.draw import draw

    return StageReport(f"data_{options.side}: drawn", outputs=(draw(workspace, options.side),))
