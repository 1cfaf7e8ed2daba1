"""what faces.db says of a side: frames, faces, reasons, persons, what is out of date, what to do next"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import Field

from core.console import counted
from core.options import SideOptions
from core.types import StageReport
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.jobs.alignments.look import Looked


class Options(SideOptions):
    """Flags of the stage."""

    misaligned: float = Field(
        0.1,
        gt=0,
        le=1,
        description="how far landmarks may be from the mean face, in sides of the face, before they are listed; "
        "0.05 to 0.2 make sense",
    )


def run(options: Options, workspace: Workspace) -> StageReport:
    """Count."""
    from core.jobs.alignments.look import info

    found = info(workspace, options.side, options.misaligned)
    return StageReport(f"data_{options.side}: faces.db", tuple(_rows(found)), tuple(_advice(options.side, found)))


def _rows(found: "Looked") -> Iterator[tuple[str, object]]:
    counts = found.statistics
    yield "frames", counts.frames
    yield "frames without faces", counts.empty
    yield "frames with several", counts.several
    if counts.corrupt:
        yield "corrupt frames", counts.corrupt
    yield "faces kept", counts.statuses.get("kept", 0)
    for (status, reason), count in counts.reasons.items():
        yield f"faces {status}", f"{count}: {reason}"
    yield "found by", ", ".join(f"{origin or 'unknown'} {count}" for origin, count in counts.origins.items())
    if any(person.person for person in counts.persons):
        for person in counts.persons:
            name = f"person {person.person}" if person.person else "nobody known"
            yield name, f"{person.faces} faces, {person.tracks} tracks, {person.first} to {person.last}"
    yield "misaligned", counted([f"{face.id} in {face.frame}" for face in found.misaligned])
    yield "without a picture", counts.without_picture
    yield "pictures out of date", counts.stale
    yield "masks out of date", counts.stale_masks
    yield "changes that can be undone", counts.changes


def _advice(side: str, found: "Looked") -> Iterator[str]:
    counts = found.statistics
    if found.packed and counts.stale + counts.without_picture:
        yield "the faces are packed: unpack them before they are cut out again"
    elif counts.stale or counts.without_picture:
        yield f"bash scripts/alignments.sh extract {side} cuts out what is missing or out of date"
    if counts.stale_masks:
        number = {"src": 3, "dst": 4}[side]
        yield f"bash scripts/{number}.2_apply_xseg_{side}.sh makes the masks that are out of date again"
