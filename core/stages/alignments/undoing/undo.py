"""take back the last change of the faces"""

from typing import TYPE_CHECKING

from core.options import SideOptions
from core.types import StageReport
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.jobs.alignments.history import Undone


class Options(SideOptions):
    """Flags of the stage."""


def run(options: Options, workspace: Workspace) -> StageReport:
    """Undo one change; again for the one before."""
    from core.jobs.alignments.history import undo

    return undone_report("taken back", options.side, undo(workspace, options.side))


def undone_report(what: str, side: str, undone: "Undone") -> StageReport:
    """What ``undo`` and ``redo`` say."""
    rows: list[tuple[str, object]] = [("faces", undone.change.faces), ("of", undone.change.time)]
    if undone.stale:
        rows.append(
            ("crops out of date", f"{undone.stale}; bash scripts/alignments.sh extract {side} makes them again")
        )
    return StageReport(f"data_{side}: {what}: {undone.change.tool}", tuple(rows))
