"""add faces to frames in which a track goes on and none was found"""

from pydantic import Field

from core.options import SideOptions
from core.types import StageReport
from core.workspace import Workspace


class Options(SideOptions):
    max_gap: int = Field(5, ge=1, le=100, description="fill gaps of at most so many frames")
    person: str = Field("", description="only this person's tracks")


def run(options: Options, workspace: Workspace) -> StageReport:
    """Gaps lie within tracks, so nothing is added across a cut."""
    from core.jobs.alignments.time.interpolate import fill_gaps

    done = fill_gaps(workspace, options.side, options.max_gap, options.person)
    rows: list[tuple[str, object]] = [("faces added", done.faces), ("gaps", done.gaps)]
    rows += [(f"of person {name}" if name else "of nobody known", count) for name, count in done.by_person.items()]
    if done.taken:
        rows.append(("left out", f"{done.taken}: another face is there, or was dropped"))
    if done.too_long:
        rows.append(("longer gaps", f"{done.too_long}, left as they are"))
    if done.faces:
        rows.append(("crops missing", f"{done.faces}; bash scripts/alignments.sh extract {options.side} makes them"))
    return StageReport(f"data_{options.side}: gaps of up to {options.max_gap} frames filled", tuple(rows))
