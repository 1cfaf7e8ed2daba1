"""make again what was taken back last"""

from core.options import SideOptions
from core.stages.alignments.undoing.undo import undone_report
from core.types import StageReport
from core.workspace import Workspace


class Options(SideOptions):
    """Flags of the stage."""


def run(options: Options, workspace: Workspace) -> StageReport:
    """Redo one change."""
    from core.jobs.alignments.history import redo

    return undone_report("made again", options.side, redo(workspace, options.side))
