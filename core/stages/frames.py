"""video -> pictures: one image file a frame, in workspace/data_src or data_dst"""

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from core.options import SideOptions
from core.types import StageReport
from core.workspace import Side, Workspace

if TYPE_CHECKING:
    from core.jobs.extract_frames import ExtractedFrames

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
        None, gt=0, le=1000, description="frames a second; left out: every frame of the video, once"
    )
    start: Time | None = Field(None, ge=0, description="begin at this time: 90 or 0:10 or 1:02:03.5")
    end: Time | None = Field(None, gt=0, description="stop at this time")
    overwrite: bool = Field(False, description="extract again; the frames that are there move to workspace/.trash")

    @model_validator(mode="after")
    def _ordered(self) -> "Options":
        if self.end is not None and self.end <= (self.start or 0):
            raise ValueError("--end must come after --start")
        return self


def run(options: Options, workspace: Workspace) -> StageReport:
    """Extract the frames of one side, or say that they are there."""
    from core.jobs.extract_frames import extract_frames
    from core.video.decode import Selection

    selection = Selection(options.fps, options.start, options.end)
    frames = extract_frames(workspace, options.side, selection, options.format, overwrite=options.overwrite)
    return _report(workspace.side(options.side), frames)


def _report(side: Side, frames: "ExtractedFrames") -> StageReport:
    name = side.frames.name
    first_last = ("first, last", f"{frames.first}, {frames.last}")
    rows: tuple[tuple[str, object], ...]
    if not frames.made:
        rows = (("frames there", frames.count), first_last)
        if frames.foreign:
            rows += (("note", _FOREIGN),)
        return StageReport(f"{name}: frames already there, nothing to do", rows, outputs=(side.frames,))
    rows = (("frames", frames.count), first_last)
    if frames.replaced:
        rows += (("old frames", f"{frames.replaced} moved to workspace/.trash"),)
    return StageReport(f"{name}: frames extracted", rows, _warnings(frames), (side.frames,))


def _warnings(frames: "ExtractedFrames") -> tuple[str, ...]:
    warnings = []
    if frames.expected and frames.count < frames.expected:
        warnings.append(
            f"the container counts {frames.expected} frames, {frames.count} could be decoded: "
            "the video may be truncated"
        )
    if frames.complaints:
        warnings.append(f"ffmpeg complained ({frames.complaints} different lines); the last: {frames.last_complaint}")
    if frames.faces_outdated:
        warnings.append("the faces there were cut from other frames: run the faces step again with --overwrite")
    return tuple(warnings)
