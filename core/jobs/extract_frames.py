"""The video of a side as image files: extracted once, and replaced only when that is asked for.

A run may be killed at any point and loses nothing. Frames are decoded into a staging folder beside their place; a
receipt in it says that they are complete. Then older frames move to the trash, then the new ones to their place, the
receipt last. The next run goes on with a complete staging folder and clears an incomplete one away.
"""

import logging
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from core import fsio
from core.console import size_text
from core.errors import CorruptFileError, DiskFullError, InputError
from core.jobs import archive as earlier
from core.jobs.archive import Archived
from core.jobs.frame_receipt import RECEIPT, Receipt, identity, read_receipt, write_receipt
from core.progress import Task
from core.safe_paths import is_real_folder, own_folder
from core.video.decode import ImageFormat, mean_file_size, write_frames
from core.video.find import find_film, look_beside
from core.video.info import VideoInfo, describe
from core.video.messages import Outcome, shape_text
from core.video.probe import probe
from core.video.selection import Selection
from core.workspace import Side, Workspace, list_frames

log = logging.getLogger(__name__)
_PREFIX, _SUFFIX = ".frames.", ".partial"
_RESERVE = 1.1  # frames differ in size: ask for a tenth more than the samples say
_TOLERANCE = 0.02  # of the length of a video: sound and pictures seldom end together


@dataclass(frozen=True)
class Estimate:
    """What was expected before decoding.

    frames: about how many.
    needed, free: bytes on the disk.
    """

    frames: int
    needed: float
    free: int


@dataclass(frozen=True)
class ExtractedFrames:
    """The frames of a side.

    count: how many there are.
    first, last: the names of the first and the last.
    made: whether this run put them there; else they were there, and are what was asked for as far as is known.
    replaced: how many older frames it moved to the trash.
    estimate: None where the container does not say how long the video is, and where nothing was decoded.
    receipt: what the extraction left, with what was odd about the video; empty where there is none.
    foreign: whether the frames that were there did not come from the video, by all that is known.
    faces_outdated: whether the faces of this side were cut from the frames that were replaced.
    archived: the earlier film that was put away first, with its frames and faces; None where there was none.
    """

    count: int
    first: str
    last: str
    made: bool
    replaced: int = 0
    estimate: Estimate | None = None
    receipt: Receipt = Receipt()
    foreign: bool = False
    faces_outdated: bool = False
    archived: Archived | None = None


def extract_frames(
    workspace: Workspace,
    name: str,
    selection: Selection,
    image_format: ImageFormat = "png",
    *,
    overwrite: bool = False,
    archive: bool = False,
) -> ExtractedFrames:
    """Extract the frames of a side's video, unless they are there.

    name: ``src`` or ``dst``.
    overwrite: extract again; the frames that are there move to the trash when the new ones are complete.
    archive: where the frames there come from another film, put away that film, its frames and its faces first
        (``core.jobs.archive``).

    Raises:
        InputError: the frames there come from another video or from other choices; no video or more than one; a start
            after the end of the video; another run holds the side.
        CorruptFileError: not one frame decodes.
        DiskFullError: the disk has no room for the frames.
        EnvironmentFault: no ffmpeg here can decode it, or it was stopped before it was done.
        OutOfMemoryFault: there was not enough memory.
    """
    side = workspace.side(name)
    with side.locked():
        earlier.complete(side)
        archived = earlier.put_away_earlier(side) if archive else None
        # A finished staging folder means that a run died while it moved the frames: those that are there are not all.
        if not overwrite and list_frames(side.frames) and not any(_finished(side)):
            return _there(side, selection, image_format)
        film = find_film(side)
        wanted = _wanted(film, selection, image_format, overwrite)
        side.aligned.mkdir(parents=True, exist_ok=True)
        staging, estimate = _usable_staging(side, wanted), None
        if staging is None:
            staging, estimate = _extract(side, film, wanted, selection=selection, image_format=image_format)
        replaced = _make_room(side, staging)
        _publish(side, staging)
        outdated = replaced > 0 and side.database.exists()
        result = _result(side, made=True)
        return replace(result, replaced=replaced, estimate=estimate, faces_outdated=outdated, archived=archived)


def _wanted(film: Path, selection: Selection, image_format: ImageFormat, overwrite: bool) -> Receipt:
    # Names as in the options of the stage: people read them in errors, and receipts keep them.
    options = {"format": image_format, **asdict(selection)}
    if not selection.deinterlace:  # receipts of versions that could not do not name it
        del options["deinterlace"]
    return Receipt(video=identity(film), options=options, replaces=overwrite)


def _there(side: Side, selection: Selection, image_format: ImageFormat) -> ExtractedFrames:
    """The frames that are there. Without a video, which people move away, nothing is asked of them."""
    receipt = read_receipt(side.frames)
    with_video = bool(look_beside(side).films)
    if receipt and with_video:
        _require_same(receipt, _wanted(find_film(side), selection, image_format, False), side)
    return replace(_result(side, made=False), foreign=receipt is None and with_video)


def _result(side: Side, *, made: bool) -> ExtractedFrames:
    frames = list_frames(side.frames)
    receipt = read_receipt(side.frames) or Receipt()
    return ExtractedFrames(len(frames), frames[0].name, frames[-1].name, made=made, receipt=receipt)


def _require_same(receipt: Receipt, wanted: Receipt, side: Side) -> None:
    overwrite = "--overwrite extracts again and moves the old frames to workspace/.trash"
    archive = f"--archive puts away that film with its frames and faces first; {overwrite}"
    for part, words, hint in (("video", "from another video", archive), ("options", "with other options", overwrite)):
        before, now = receipt.source[part] or {}, wanted.source[part] or {}
        changed = [
            f"{key}: {before.get(key)} -> {now.get(key)}"
            for key in {**now, **before}
            if before.get(key) != now.get(key)
        ]
        if changed:
            raise InputError(
                f"the frames there were extracted {words}",
                where=side.frames,
                why=", ".join(changed),
                hint=hint,
            )


def _stagings(side: Side) -> list[Path]:
    return sorted(filter(is_real_folder, side.frames.glob(f"{_PREFIX}*{_SUFFIX}")))


def _finished(side: Side) -> Iterator[Path]:
    """Staging folders with a receipt: a run died after its extraction, before all frames were in their place."""
    return (folder for folder in _stagings(side) if read_receipt(folder))


def _usable_staging(side: Side, wanted: Receipt) -> Path | None:
    """The complete staging folder that fits what is wanted; others, which only this program makes, are removed."""
    found = None
    for folder in _stagings(side):
        receipt = read_receipt(folder)
        if receipt and not wanted.replaces:
            _require_same(receipt, wanted, side)
        if receipt and receipt.source == wanted.source:
            found = folder
        else:
            log.info("starting again: an earlier run was interrupted")
            shutil.rmtree(folder, ignore_errors=True)
    return found


def _extract(
    side: Side, film: Path, wanted: Receipt, *, selection: Selection, image_format: ImageFormat
) -> tuple[Path, Estimate | None]:
    """Decode into a new staging folder and leave a receipt in it."""
    info = probe(film)
    log.info("%s: %s", info.path.name, describe(info))
    _require_start(info, selection)
    estimate = _estimate(info, selection, image_format, side.frames)
    # The name is new, so that the ffmpeg of a killed run can never write into the folder.
    staging = Path(tempfile.mkdtemp(prefix=_PREFIX, suffix=_SUFFIX, dir=side.frames))
    try:
        outcome = _decode(info, staging, selection, image_format)
        count = len(list_frames(staging))
        if count == 0:
            raise _nothing_decoded(info, outcome)
        # A receipt counts as the end of the extraction, so it comes after the last frame.
        write_receipt(staging, _completed(wanted, info, selection, outcome=outcome, count=count))
    except BaseException:  # also when somebody cancels
        shutil.rmtree(staging, ignore_errors=True)
        raise
    return staging, estimate


def _require_start(info: VideoInfo, selection: Selection) -> None:
    if info.duration and (selection.start or 0) >= info.begins + info.duration:
        lasts = f"the video lasts {info.begins + info.duration:.1f} s"
        raise InputError("--start is after the end of the video", where=info.path, why=lasts)


def _estimate(info: VideoInfo, selection: Selection, image_format: ImageFormat, folder: Path) -> Estimate | None:
    """What the frames will take. Raises DiskFullError when that is more than there is."""
    frames = selection.expected(info)
    if not frames:
        log.info("the container does not say how long it is: free disk space was not checked")
        return None
    size = mean_file_size(info, image_format, selection)
    if not size:
        log.info("the frames that were tried did not decode: free disk space was not checked")
        return None
    estimate = Estimate(frames, needed=size * frames * _RESERVE, free=shutil.disk_usage(folder).free)
    needed, free = size_text(estimate.needed), size_text(estimate.free)
    log.info("about %d frames, %s; free: %s", frames, needed, free)
    if estimate.needed > estimate.free:
        raise DiskFullError(
            "not enough free space for the frames",
            where=folder,
            why=f"about {needed} needed, {free} free",
            hint="free some space, or use --format jpg, --fps, or --start and --end; "
            "`faces --from-video` needs no frames on disk",
        )
    return estimate


def _decode(info: VideoInfo, staging: Path, selection: Selection, image_format: ImageFormat) -> Outcome:
    expected = selection.expected(info)
    digits = max(5, len(str(expected or 0)))
    with Task("frames", "frame", total=expected) as task:
        return write_frames(
            info,
            staging,
            image_format,
            selection,
            digits=digits,
            on_frame=lambda count: task.update(count - task.done),
        )


def _nothing_decoded(info: VideoInfo, outcome: Outcome) -> CorruptFileError:
    return CorruptFileError(
        "no frame of this video could be decoded",
        where=info.path,
        why="; ".join(outcome.complaints[-1:]),
        hint="play it in a video player; if that fails too, copy or download it again",
    )


def _completed(wanted: Receipt, info: VideoInfo, selection: Selection, *, outcome: Outcome, count: int) -> Receipt:
    return replace(
        wanted,
        count=count,
        expected=info.frames if selection.every_frame else None,
        missing_seconds=_missing_seconds(info, selection, outcome),
        complaints=len(outcome.complaints),
        last_complaint=outcome.last_complaint,
        shapes=tuple(map(shape_text, outcome.shapes)),
        interlaced=info.interlaced and not selection.deinterlace,
    )


def _missing_seconds(info: VideoInfo, selection: Selection, outcome: Outcome) -> float:
    """How far from the promised end the last frame is, where that is more than a container may be wrong by."""
    if not info.duration or outcome.seconds is None or selection.start is not None:
        return 0.0
    end = info.begins + info.duration
    promised = end if selection.end is None else min(selection.end, end)
    missing = promised - outcome.seconds
    return round(missing, 3) if missing > max(1.0, promised * _TOLERANCE) else 0.0


def _make_room(side: Side, staging: Path) -> int:
    """Move the frames that ``staging`` replaces to the trash, once; returns how many.

    They are collected in a folder of a fixed name first: killed half-way, the next run goes on collecting.
    """
    receipt = read_receipt(staging)
    if receipt is None or not receipt.replaces:
        return 0
    collected = own_folder(side.frames / f".{side.frames.name}-old-frames")
    # glob, because there may be no receipt: frames may have come from elsewhere.
    for path in [*list_frames(side.frames), *side.frames.glob(RECEIPT)]:
        path.rename(collected / path.name)
    count = len(list_frames(collected))
    if count:
        fsio.move_to_trash(collected, side.workspace.trash)
    else:
        shutil.rmtree(collected)
    write_receipt(staging, replace(receipt, replaces=False))
    return count


def _publish(side: Side, staging: Path) -> None:
    """Move complete frames out of the staging folder. Killed at any point, the next run goes on here."""
    for path in list_frames(staging):
        target = side.frames / path.name
        if target.exists():
            raise InputError(
                "a file is in the way of a frame",
                where=target,
                hint="move it away and run it again, or use --overwrite",
            )
        path.rename(target)
    # Last: with the receipt in its place, the frames count as complete.
    (staging / RECEIPT).rename(side.frames / RECEIPT)
    fsio.fsync_dir(side.frames)
    shutil.rmtree(staging)
