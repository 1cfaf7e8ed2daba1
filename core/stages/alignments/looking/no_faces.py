"""frames in which no face is kept"""

from pydantic import Field

from core.options import SideOptions
from core.stages.alignments._reports import listed_report
from core.types import StageReport
from core.workspace import Workspace


class Options(SideOptions):
    """Flags of the stage."""

    list: bool = Field(False, description="also write the whole list into aligned_views/, as text and as JSON")


def run(options: Options, workspace: Workspace) -> StageReport:
    """List them."""
    from core.jobs.alignments.look import no_faces

    found = no_faces(workspace, options.side, write=options.list)
    return listed_report(options.side, "frames without faces", found)
