"""the faces for other programs: faceswap's alignments (.fsa), JSON, a table, or face pictures"""

from pathlib import Path
from typing import Literal

from pydantic import Field

from core.options import SideOptions
from core.types import StageReport
from core.workspace import Workspace

_SHOWN = 20


class Options(SideOptions):
    """Flags of the stage."""

    format: Literal["fsa", "json", "csv", "faces"] = Field(
        "fsa",
        description="fsa: faceswap's alignments; json: boxes and points as faceswap exports them; csv: a row a face, "
        "with all that is known of it; faces: face pictures with faceswap's header, cut from the frames",
    )
    out: Path | None = Field(
        None, description="the file, or the folder for faces; by default where faceswap looks for it"
    )
    film: str = Field(
        "",
        description="file name of the film as faceswap knows it, such as holiday.mp4: frames are named after it "
        "instead of after the pictures in the folder",
    )
    older: bool = Field(False, description="fsa: as versions of faceswap from before 2026 want it")
    thumbs: bool = Field(True, description="fsa: with the small pictures that are there; --no-thumbs: without")
    centring: Literal["head", "face", "legacy"] = Field(
        "head", description="faces: what of the head they show; faceswap itself reads only head"
    )
    size: int = Field(512, ge=64, le=4096, description="faces: pixels of a side")
    person: str = Field("", description="faces of this person only; the table has all")


def run(options: Options, workspace: Workspace) -> StageReport:
    """Write the faces of a side."""
    from core.jobs.alignments.exchange.export import ExportSettings, export

    settings = ExportSettings(
        options.film, options.older, options.thumbs, options.centring, options.size, options.person
    )
    done = export(workspace, options.side, options.format, options.out, settings)
    rows: list[tuple[str, object]] = [("frames", done.frames), ("faces", done.faces)]
    if done.film:
        rows.append(("frames named after", done.film))
    if done.backup:
        rows.append(("what was there", done.backup.name))
    rows += [(f"not in it: {what}", count) for what, count in sorted(done.left_out.items())]
    warnings = [f"left out: {name}: {why}" for name, why in done.problems[:_SHOWN]]
    if len(done.problems) > _SHOWN:
        warnings.append(f"and {len(done.problems) - _SHOWN} more")
    if done.choice:
        warnings.append(f"the frames step took only some frames ({done.choice}): numbers are not those of the film")
    return StageReport(f"faces of {options.side} as {options.format}", tuple(rows), tuple(warnings), (done.path,))
