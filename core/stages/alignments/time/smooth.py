"""smooth the landmarks along each track, so that crops and points stop trembling"""

import math

from pydantic import Field

from core.options import SideOptions
from core.types import StageReport
from core.workspace import Workspace

_FAR = 4  # frames: beyond, neighbours hardly count


class Options(SideOptions):
    strength: float = Field(0.5, ge=0, le=1, description="0 puts the points back as they were found, 1 smooths most")
    person: str = Field("", description="only this person's tracks")


def run(options: Options, workspace: Workspace) -> StageReport:
    """Always begins with the points as found; faces corrected by hand do not move."""
    from core.jobs.alignments.time.smooth import smooth

    done = smooth(workspace, options.side, options.strength, options.person)
    rows: list[tuple[str, object]] = [
        ("faces", f"{done.faces} in {done.tracks} tracks"),
        ("points moved", done.changed),
    ]
    if done.fixed:
        rows.append(("corrected by hand", f"{done.fixed}, not moved"))
    if not math.isnan(done.motion) and options.strength:
        rows.append(("trembling of the crops", f"{done.motion:.0%} of before"))
        rows.append(("trembling of the points", f"{done.shape:.0%} of before"))
    if done.stale:
        rows.append(
            ("crops out of date", f"{done.stale}; bash scripts/alignments.sh extract {options.side} makes them again")
        )
    warnings: tuple[str, ...] = ()
    if done.step > _FAR:
        warnings = (f"faces are {done.step:.0f} frames apart (--every): too far to smooth what lies between",)
    outputs = (done.plot,) if done.plot else ()
    return StageReport(f"data_{options.side}: smoothed, strength {options.strength:g}", tuple(rows), warnings, outputs)
