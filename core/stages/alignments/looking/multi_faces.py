"""frames with several faces; --pick keeps the most likely one of each"""

from pydantic import Field

from core.options import SideOptions
from core.stages.alignments._reports import listed_report
from core.types import StageReport
from core.workspace import Workspace


class Options(SideOptions):
    """Flags of the stage."""

    pick: bool = Field(
        False,
        description="keep one face of each frame and drop the others: that of --person, else of the person with "
        "most faces, then of the longest track, then the largest (run `alignments tracks` first)",
    )
    person: str = Field("", description="with --pick: whose faces are wanted")
    list: bool = Field(False, description="also write the whole list into aligned_views/, as text and as JSON")


def run(options: Options, workspace: Workspace) -> StageReport:
    """List them, or choose."""
    from core.jobs.alignments.look import Listed, multi_faces

    done = multi_faces(workspace, options.side, pick=options.pick, person=options.person, write=options.list)
    found = Listed({frame: f"{len(ids)}: {' '.join(ids)}" for frame, ids in done.frames.items()}, done.files)
    report = listed_report(options.side, "frames with several faces", found)
    if not options.pick:
        return report
    rows: tuple[tuple[str, object], ...] = (
        ("frames with several faces", len(done.frames)),
        ("to take it back", f"bash scripts/alignments.sh undo {options.side}"),
    )
    return StageReport(f"data_{options.side}: {done.dropped} faces dropped", rows, outputs=done.files)
