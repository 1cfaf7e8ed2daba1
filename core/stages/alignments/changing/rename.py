"""give the pictures in aligned/ the names that they were extracted under"""

from core.options import SideOptions
from core.types import StageReport
from core.workspace import Workspace


class Options(SideOptions):
    """Flags of the stage."""


def run(options: Options, workspace: Workspace) -> StageReport:
    """Rename them."""
    from core.jobs.alignments.names import rename

    done = rename(workspace, options.side)
    rows: tuple[tuple[str, object], ...] = (("named right already", done.kept),)
    if done.renamed:
        rows += (("to take it back", f"python -m core sort {options.side} --undo"),)
    return StageReport(f"data_{options.side}: {done.renamed} files renamed", rows)
