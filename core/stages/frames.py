"""video -> pictures: one image file a frame, in workspace/data_src or data_dst"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from core.options import SideOptions
from core.stages.archive import described
from core.types import StageReport
from core.workspace import Side, Workspace

if TYPE_CHECKING:
    from core.jobs.extract_frames import ExtractedFrames
    from core.jobs.frame_receipt import Receipt

_FOREIGN = "they were not made by this program from a video; --overwrite moves them to workspace/.trash and extracts"


def seconds(value: Any) -> Any:
    """Seconds from ``90``, ``0:10``, ``1:02:03.5``; what is not text is left alone.

    Raises:
        ValueError: the text is no time.
    """
    if not isinstance(value, str):
        return value
    if not re.fullmatch(r"(?:(?:\d+:)?\d{1,2}:)?\d+(?:\.\d+)?", value.strip()):
        raise ValueError("a time is 90 or 0:10 or 1:02:03.5")
    total = 0.0
    for part in value.strip().split(":"):
        total = total * 60 + float(part)
    return total


Time = Annotated[float, BeforeValidator(seconds)]


class Options(SideOptions):
    """Extract the frames of a video."""

    format: Literal["png", "jpg"] = Field(
        "png", description="png keeps every pixel; jpg takes about an eighth of the space"
    )
    fps: float | None = Field(
        None, gt=0, le=1000, description="frames per second of film; by default every frame, once"
    )
    start: Time | None = Field(None, ge=0, description="begin at this time: 90 or 0:10 or 1:02:03.5")
    end: Time | None = Field(None, gt=0, description="stop at this time")
    deinterlace: bool = Field(
        False,
        description="make whole frames from interlaced video, whose moving edges look like combs",
    )
    overwrite: bool = Field(False, description="extract again; the present frames go to workspace/.trash")
    archive: bool = Field(
        False,
        description="where the present frames come from another film: put away that film, its frames and its faces "
        "first, from where steps 1.1 and 2.1 bring them back",
    )

    @model_validator(mode="after")
    def _ordered(self) -> "Options":
        if self.end is not None and self.end <= (self.start or 0):
            raise ValueError("--end must come after --start")
        return self


def run(options: Options, workspace: Workspace) -> StageReport:
    """Extract the frames of one side, or say that they are there."""
    from core.jobs.extract_frames import extract_frames
    from core.video.selection import Selection

    selection = Selection(options.fps, options.start, options.end, options.deinterlace)
    how = {"overwrite": options.overwrite, "archive": options.archive}
    frames = extract_frames(workspace, options.side, selection, options.format, **how)
    return _report(workspace.side(options.side), frames)


def _report(side: Side, frames: "ExtractedFrames") -> StageReport:
    rows: list[tuple[str, object]] = [
        ("frames" if frames.made else "frames there", frames.count),
        ("first, last", f"{frames.first}, {frames.last}"),
    ]
    if frames.foreign:
        rows.append(("note", _FOREIGN))
    if frames.replaced:
        rows.append(("old frames", f"{frames.replaced} moved to workspace/.trash"))
    if frames.archived:
        rows.append(("put away", described(frames.archived)))
        rows.append(("to bring it back", f"archive {side.name} --back {frames.archived.name}"))
    what = "frames extracted" if frames.made else "frames already there, nothing to do"
    return StageReport(f"{side.frames.name}: {what}", tuple(rows), _warnings(frames), (side.frames,))


def _warnings(frames: "ExtractedFrames") -> tuple[str, ...]:
    warnings = list(_oddities(frames.receipt))
    if frames.faces_outdated:
        warnings.append("the faces there were cut from other frames: run the faces step again with --overwrite")
    return tuple(warnings)


def _oddities(receipt: "Receipt") -> Iterator[str]:
    if receipt.expected and receipt.count < receipt.expected:
        yield (
            f"the container counts {receipt.expected} frames, {receipt.count} could be decoded: "
            "the video may be truncated"
        )
    elif receipt.missing_seconds:
        missing = f"the last {receipt.missing_seconds:.1f} s that the container promises are missing"
        yield f"{missing}: the video may be truncated"
    if receipt.complaints:
        yield f"ffmpeg complained ({receipt.complaints} different lines); the last: {receipt.last_complaint}"
    if len(receipt.shapes) > 1:
        yield (
            f"the size changes in mid-stream: {', '.join(receipt.shapes)}; frames of another shape than the first "
            "stand between black bars"
        )
    if receipt.interlaced:
        yield "the video is interlaced: moving edges have combs; --deinterlace --overwrite makes whole images"
