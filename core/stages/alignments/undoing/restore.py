"""put a copy of faces.db in its place; without a name the copies are listed"""

from pydantic import Field

from core.console import size_text
from core.options import Positional, SideOptions
from core.types import StageReport
from core.workspace import Workspace


class Options(SideOptions):
    """Flags of the stage."""

    name: Positional[str | None] = Field(None, description="which copy; without a name they are listed")


def run(options: Options, workspace: Workspace) -> StageReport:
    """Restore a copy, or list them."""
    from core.jobs.alignments.history import copies, restore

    side = f"data_{options.side}"
    if options.name is None:
        rows = [(copy.name, size_text(copy.bytes)) for copy in copies(workspace, options.side)]
        return StageReport(f"{side}: {len(rows)} copies of faces.db", tuple(rows))
    done = restore(workspace, options.side, options.name)
    rows = [("what was there", done.before.name)]
    return StageReport(f"{side}: faces.db is the copy {done.copy.name}", tuple(rows))
