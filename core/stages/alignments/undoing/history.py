"""what was done to the faces, and which of it was taken back"""

from core.options import SideOptions
from core.types import StageReport
from core.workspace import Workspace


class Options(SideOptions):
    """Flags of the stage."""


def run(options: Options, workspace: Workspace) -> StageReport:
    """List the changes, oldest first."""
    from core.jobs.alignments.history import history

    rows = [
        (f"{done.number} {done.time}", f"{done.tool}: {done.faces} faces{', taken back' if done.undone else ''}")
        for done in history(workspace, options.side)
    ]
    return StageReport(f"data_{options.side}: {len(rows)} changes", tuple(rows))
