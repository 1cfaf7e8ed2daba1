"""copy faces.db; the copies are listed"""

from core.console import size_text
from core.options import SideOptions
from core.types import StageReport
from core.workspace import Workspace


class Options(SideOptions):
    """Flags of the stage."""


def run(options: Options, workspace: Workspace) -> StageReport:
    """Copy the database and list all copies."""
    from core.jobs.alignments.history import back_up, copies

    made = back_up(workspace, options.side)
    rows = [(copy.name, size_text(copy.bytes)) for copy in copies(workspace, options.side)]
    return StageReport(f"data_{options.side}: faces.db copied", tuple(rows), outputs=(made.path,))
