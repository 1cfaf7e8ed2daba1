"""cut out again what is missing or out of date, or a training set into another folder"""

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from core.console import counted
from core.options import SideOptions
from core.stages.faces import FaceTypeName
from core.types import StageReport
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.jobs.alignments.extract import CutAgain


class Options(SideOptions):
    """Flags of the stage."""

    image_size: int | None = Field(
        None, ge=64, le=4096, description="side of the pictures in pixels; by default as they were extracted"
    )
    face_type: FaceTypeName | None = Field(
        None, description="how much around the face is cut; by default as they were extracted"
    )
    min_scale: float = Field(
        0,
        ge=0,
        le=1000,
        description="leave out faces that are smaller in the frame than so many per cent of the picture; 100: none is "
        "enlarged",
    )
    out: Path | None = Field(
        None, description="an empty folder for a training set, instead of bringing aligned/ up to date"
    )
    every: int = Field(1, ge=1, description="with --out: only the faces of every Nth frame; 12 to 25 for a film")
    person: list[str] = Field([], description="with --out: only faces of these people")
    workers: int = Field(0, ge=0, description="frames worked on at the same time; 0: one for each core")

    @model_validator(mode="after")
    def _of_sets(self) -> "Options":
        if self.out is None and (self.every > 1 or self.person):
            raise ValueError("--every and --person choose a training set, which needs --out FOLDER")
        return self


def run(options: Options, workspace: Workspace) -> StageReport:
    """Cut them out."""
    from core.geometry.align import FaceType
    from core.jobs.alignments.crop_plan import Again
    from core.jobs.alignments.extract import extract_again

    again = Again(
        size=options.image_size,
        face_type=FaceType.parse(options.face_type) if options.face_type else None,
        min_scale=options.min_scale,
        every=options.every,
        persons=tuple(options.person),
        out=options.out,
    )
    return _report(options.side, extract_again(workspace, options.side, again, workers=options.workers))


def _report(side: str, done: "CutAgain") -> StageReport:
    rows: list[tuple[str, object]] = [
        ("cut out", done.made),
        ("right already", done.up_to_date),
        ("size, face type", f"{done.size}, {done.face_type}"),
    ]
    if done.small:
        rows.append(("too small", done.small))
    warnings = [f"{name}: {why}" for name, why in done.problems[:20]]
    if done.unread:
        warnings.append(f"frames that are not there: {counted(done.unread)}")
    return StageReport(f"data_{side}: {done.made} faces cut out", tuple(rows), tuple(warnings), (done.folder,))
