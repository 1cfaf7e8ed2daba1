"""frames that a person should look at: without faces, with several, with misaligned ones; as a list on the disk"""

from pydantic import Field

from core.options import SideOptions
from core.stages.alignments._reports import listed_report
from core.types import StageReport
from core.workspace import Workspace


class Options(SideOptions):
    """Flags of the stage."""

    misaligned: float = Field(
        0.1,
        gt=0,
        le=1,
        description="how far landmarks may be from the mean face, in sides of the face; 0.05 to 0.2 make sense",
    )


def run(options: Options, workspace: Workspace) -> StageReport:
    """Write the list."""
    from core.jobs.alignments.look import repair_list

    return listed_report(options.side, "frames to look at", repair_list(workspace, options.side, options.misaligned))
