"""count the faces of each frame from left to right, and name their pictures so"""

from core.options import SideOptions
from core.types import StageReport
from core.workspace import Workspace


class Options(SideOptions):
    """Flags of the stage."""


def run(options: Options, workspace: Workspace) -> StageReport:
    """Sort them."""
    from core.jobs.alignments.names import sort_by_position

    done = sort_by_position(workspace, options.side)
    rows = (("faces with another place", done.faces), ("files renamed", done.renamed))
    return StageReport(f"data_{options.side}: faces counted from left to right", rows)
