"""drop the faces whose pictures were deleted from aligned/, and give the others their names back"""

from pydantic import Field

from core.options import SideOptions
from core.stages.alignments._reports import decided_report
from core.types import StageReport
from core.workspace import Workspace


class Options(SideOptions):
    """Flags of the stage."""

    rename: bool = Field(True, description="also give the other pictures the names that they were extracted under")


def run(options: Options, workspace: Workspace) -> StageReport:
    """The database follows the folder."""
    from core.jobs.alignments.decide import remove_faces

    done = remove_faces(workspace, options.side, rename=options.rename)
    report = decided_report(options.side, "dropped", done)
    if not options.rename:
        return report
    return StageReport(report.title, (*report.rows, ("files renamed", done.renamed)), report.warnings)
