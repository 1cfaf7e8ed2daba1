"""video -> pictures: one image file a frame, in workspace/data_src or data_dst"""

import json
import logging
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from core import fsio
from core.errors import CorruptFileError, DiskFullError, InputError
from core.options import SideOptions
from core.types import StageReport
from core.workspace import Side, Workspace, list_images

if TYPE_CHECKING:
    from core.video.decode import Outcome, Selection
    from core.video.probe import VideoInfo

log = logging.getLogger(__name__)
RECEIPT = ".frames.json"
_PARTIAL = ".frames.*.partial"
_RESERVE = 1.1  # frames differ in size: ask for a tenth more than the samples say


def seconds(value: Any) -> Any:
    """Seconds from ``90``, ``0:10``, ``1:02:03.5``; what is not text is left alone. Raises ValueError."""
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
    side = workspace.side(options.side)
    with side.locked():
        if there := _already_there(options, side):
            return there
        video = side.video()
        side.aligned.mkdir(parents=True, exist_ok=True)
        wanted = {"video": identity(video), "options": _choices(options)}
        staging = _usable_staging(side, wanted, options.overwrite) or _extract(options, side, video, wanted)
        replaced = _make_room(side, staging, workspace.trash)
        _publish(side, staging)
        return _report(side, replaced)


def identity(path: Path) -> dict[str, Any]:
    """What tells one video file from another without reading it."""
    status = path.stat()
    return {"name": path.name, "size": status.st_size, "mtime_ns": status.st_mtime_ns}


def _choices(options: Options) -> dict[str, Any]:
    return options.model_dump(include={"format", "fps", "start", "end"})


def _already_there(options: Options, side: Side) -> StageReport | None:
    """A report when there is nothing to do. Raises InputError when the frames there are not the ones asked for."""
    frames = list_images(side.frames)
    if not frames or options.overwrite or _finished_staging(side):
        return None
    rows: tuple[tuple[str, object], ...] = (
        ("frames there", len(frames)),
        ("first, last", f"{frames[0].name}, {frames[-1].name}"),
    )
    receipt = read_receipt(side)
    videos = side.videos()
    if receipt is None and videos:
        rows += (
            (
                "note",
                "they were not made by this program from a video; --overwrite moves them to workspace/.trash and extracts",
            ),
        )
    elif receipt is not None and videos:
        _check_same(receipt, {"video": identity(side.video()), "options": _choices(options)}, side)
    return StageReport(f"{side.frames.name}: frames already there, nothing to do", rows, outputs=(side.frames,))


def _check_same(receipt: dict, wanted: dict, side: Side) -> None:
    for part, words in (("video", "from another video"), ("options", "with other options")):
        if receipt.get(part) != wanted[part]:
            changed = [
                f"{key}: {receipt.get(part, {}).get(key)} -> {value}"
                for key, value in wanted[part].items()
                if receipt.get(part, {}).get(key) != value
            ]
            raise InputError(
                f"the frames there were extracted {words}",
                where=side.frames,
                why=", ".join(changed),
                hint="--overwrite extracts again and moves the old frames to workspace/.trash",
            )


def read_receipt(side: Side) -> dict | None:
    """What the last complete extraction left: video, options, count; None when the frames came from elsewhere."""
    return _load(side.frames / RECEIPT)


def _load(path: Path) -> dict | None:
    try:
        content = json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError, UnicodeDecodeError):
        return None
    return content if isinstance(content, dict) else None


def _finished_staging(side: Side) -> Path | None:
    """A staging folder whose extraction ended: a run died before it had moved all frames out of it."""
    return next((folder for folder in sorted(side.frames.glob(_PARTIAL)) if _load(folder / RECEIPT)), None)


def _usable_staging(side: Side, wanted: dict, overwrite: bool) -> Path | None:
    """The finished staging folder that fits what is wanted; others, which only this program makes, are removed."""
    found = None
    for folder in sorted(side.frames.glob(_PARTIAL)):
        receipt = _load(folder / RECEIPT)
        if receipt is not None and not overwrite:
            _check_same(receipt, wanted, side)
        if receipt is not None and all(receipt.get(key) == wanted[key] for key in wanted):
            found = folder
        else:
            log.info("starting again: an earlier run was interrupted")
            shutil.rmtree(folder, ignore_errors=True)
    return found


def _extract(options: Options, side: Side, video: Path, wanted: dict) -> Path:
    """Decode into a staging folder and leave a receipt in it; returns the folder."""
    from core.video.decode import Selection
    from core.video.probe import describe, probe

    info = probe(video)
    selection = Selection(options.fps, options.start, options.end)
    log.info("%s: %s", video.name, describe(info))
    _check_start(info, selection)
    expected = selection.expected(info)
    _check_space(info, options.format, selection, expected, side.frames)
    staging = _new_staging(side)
    try:
        outcome = _decode(info, staging, options.format, selection, expected)
        count = len(list_images(staging))
        if count == 0:
            raise CorruptFileError(
                "no frame of this video could be decoded",
                where=video,
                why="; ".join(outcome.complaints[-1:]),
                hint="play it in a video player; if that fails too, copy or download it again",
            )
        notes = {"count": count, "warnings": _warnings(info, selection, outcome, count), "replaces": options.overwrite}
        fsio.write_text(staging / RECEIPT, json.dumps(wanted | notes))
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    return staging


def _new_staging(side: Side) -> Path:
    """A folder of a new name, so that the ffmpeg of a killed run can never write into it."""
    import tempfile

    return Path(tempfile.mkdtemp(prefix=".frames.", suffix=".partial", dir=side.frames))


def _check_start(info: "VideoInfo", selection: "Selection") -> None:
    if info.duration and (selection.start or 0) >= info.duration:
        raise InputError(
            "--start is after the end of the video", where=info.path, why=f"the video lasts {info.duration:.1f} s"
        )


def _check_space(
    info: "VideoInfo", fmt: Literal["png", "jpg"], selection: "Selection", expected: int | None, folder: Path
) -> None:
    from core.video.decode import mean_file_size

    size = mean_file_size(info, fmt, selection)
    if not size or not expected:
        log.info("the container does not say how long it is: free disk space was not checked")
        return
    needed, free = size * expected * _RESERVE, shutil.disk_usage(folder).free
    log.info("about %d frames, %.1f GB; free: %.1f GB", expected, needed / 1e9, free / 1e9)
    if needed > free:
        raise DiskFullError(
            "not enough free space for the frames",
            where=folder,
            why=f"about {needed / 1e9:.1f} GB needed, {free / 1e9:.1f} GB free",
            hint="free some space, or use --format jpg, --fps, or --start and --end; `faces --from-video` needs no frames on disk",
        )


def _decode(
    info: "VideoInfo", staging: Path, fmt: Literal["png", "jpg"], selection: "Selection", expected: int | None
) -> "Outcome":
    from core.progress import Task
    from core.video.decode import write_frames

    digits = max(5, len(str(expected or 0)))
    with Task("frames", "frame", total=expected) as task:
        return write_frames(
            info, staging, fmt, selection, digits=digits, on_frame=lambda count: task.update(count - task.done)
        )


def _warnings(info: "VideoInfo", selection: "Selection", outcome: "Outcome", count: int) -> list[str]:
    warnings = []
    expected = info.frames if selection == type(selection)() else None
    if expected and count < expected:
        warnings.append(f"the container counts {expected} frames, {count} could be decoded: the video may be truncated")
    if outcome.complaints or outcome.code:
        warnings.append(
            f"ffmpeg complained ({len(outcome.complaints)} different lines); the last: {' '.join(outcome.complaints[-1:]) or outcome.code}"
        )
    return warnings


def _make_room(side: Side, staging: Path, trash: Path) -> int:
    """Move the frames that ``staging`` replaces to the trash, once; returns how many. Killed half-way, the next run goes on here."""
    receipt = _load(staging / RECEIPT) or {}
    if not receipt.get("replaces"):
        return 0
    holder = side.frames / f".{side.frames.name}-old-frames"
    holder.mkdir(exist_ok=True)
    for path in [*list_images(side.frames), *side.frames.glob(RECEIPT)]:
        path.rename(holder / path.name)
    count = len(list_images(holder))
    if count:
        fsio.move_to_trash(holder, trash)
    else:
        shutil.rmtree(holder)
    fsio.write_text(staging / RECEIPT, json.dumps(receipt | {"replaces": False}))
    return count


def _publish(side: Side, staging: Path) -> None:
    """Move finished frames out of the staging folder, their receipt last. Killed at any point, the next run goes on here."""
    for path in list_images(staging):
        target = side.frames / path.name
        if target.exists():
            raise InputError(
                "a file is in the way of a frame",
                where=target,
                hint="move it away and run it again, or use --overwrite",
            )
        path.rename(target)
    (staging / RECEIPT).rename(side.frames / RECEIPT)
    fsio.fsync_dir(side.frames)
    shutil.rmtree(staging)


def _report(side: Side, replaced: int) -> StageReport:
    frames = list_images(side.frames)
    rows: tuple[tuple[str, object], ...] = (
        ("frames", len(frames)),
        ("first, last", f"{frames[0].name}, {frames[-1].name}"),
    )
    warnings = tuple((read_receipt(side) or {}).get("warnings", ()))
    if replaced:
        rows += (("old frames", f"{replaced} moved to workspace/.trash"),)
    if replaced and side.database.exists():
        warnings += ("the faces there were cut from other frames: run the faces step again with --overwrite",)
    return StageReport(f"{side.frames.name}: frames extracted", rows, warnings, (side.frames,))
