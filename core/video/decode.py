"""The frames of a video, as image files or as arrays: the same pixels, in the same number, either way."""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import DiskFullError, EnvironmentFault, OutOfMemoryFault
from core.video import program
from core.video.chain import decoded
from core.video.info import VideoInfo
from core.video.messages import Outcome, no_memory
from core.video.selection import EVERY_FRAME, Selection
from core.video.trial import unreadable

ImageFormat = Literal["png", "jpg"]
# A fifth of the encoder's default time for a tenth more bytes.
_PNG_OPTIONS = {"vcodec": "png", "compression_level": 1, "pred": "up"}
_JPG_OPTIONS = {"vcodec": "mjpeg", "q:v": 2}
_PIXELS = {"png": "rgb24", "jpg": "yuvj444p"}
# The exit code for "most packets were damaged": all the others were decoded.
_MOSTLY_DAMAGED = 69
_PATIENCE = 60  # seconds for a sample


def write_frames(
    info: VideoInfo,
    folder: Path,
    fmt: ImageFormat,
    selection: Selection = EVERY_FRAME,
    *,
    digits: int = 5,
    on_frame: Callable[[int], None] = lambda count: None,
) -> Outcome:
    """Write the frames of a video to ``folder`` as 00001.png, 00002.png and so on, all of the size ``info`` tells.

    One frame in is one file out, unless ``selection.fps`` is set. Rotation metadata is applied, pixels are made square,
    high dynamic range is mapped down, more than 8 bits are rounded to 8. JPEG is 4:4:4, full range. A damaged video
    gives the frames that decode: the outcome tells.

    on_frame: is told the number of frames written so far.

    Raises:
        DiskFullError: the disk ran full.
        OutOfMemoryFault: there was not enough memory.
        EnvironmentFault: ffmpeg was stopped, or could not go on, before the video ended.
    """
    stream = _decoded(info, selection, fmt).output(
        f"%0{digits}d.{fmt}", f="image2", start_number=1, **_options(fmt), **program.keep_every_frame(info.program)
    )
    # In the folder, so that a percent sign in its path is no pattern.
    command = _command(info, stream)
    reporting = [command[0], "-progress", "pipe:1", *command[1:]]
    count, seconds = 0, None
    with program.running(reporting, folder=folder) as run:
        for line in run.stdout:
            key, _, value = line.strip().partition(b"=")
            if key == b"frame":
                count = int(value)
                on_frame(count)
            elif key == b"out_time_us" and value.isdigit():
                seconds = int(value) / 1e6
        outcome = replace(run.end(), seconds=seconds)
    require_finished(info, outcome, selection, count)
    return outcome


def read_frames(
    info: VideoInfo, selection: Selection = EVERY_FRAME, *, on_end: Callable[[Outcome], None] = lambda outcome: None
) -> Iterator[NDArray[np.uint8]]:
    """The frames of a video, uint8 H x W x 3 BGR: what ``write_frames`` to PNG writes.

    on_end: is told how it ended, after the last frame.

    Raises:
        CorruptFileError: not one frame decodes.
        OutOfMemoryFault: there was not enough memory.
        EnvironmentFault: ffmpeg was stopped, or could not go on, before the video ended.
    """
    stream = _decoded(info, selection, "raw").output(
        "pipe:1", f="rawvideo", vcodec="rawvideo", **program.keep_every_frame(info.program)
    )
    size = info.width * info.height * 3
    count = 0
    with program.running(_command(info, stream)) as run:
        while len(data := run.stdout.read(size)) == size:
            count += 1
            yield np.frombuffer(data, np.uint8).reshape(info.height, info.width, 3)
        outcome = run.end()
    require_finished(info, outcome, selection, count)
    if count == 0:
        raise unreadable(info.path, outcome.last_complaint)
    on_end(outcome)


def mean_file_size(info: VideoInfo, fmt: ImageFormat, selection: Selection, samples: int = 3) -> float | None:
    """Mean size in bytes that a frame will take as a file, by ``samples`` frames spread over the selection.

    None when none of them decodes.
    """
    length = info.begins + (info.duration or 0.0)
    start = selection.start or 0.0
    end = min(selection.end or length, length)
    sizes = []
    for i in range(samples):
        middle = (2 * i + 1) / (2 * samples)
        if size := _file_size(info, fmt, start + max(end - start, 0.0) * middle):
            sizes.append(size)
    return sum(sizes) / len(sizes) if sizes else None


def _file_size(info: VideoInfo, fmt: ImageFormat, second: float) -> int:
    """Bytes of a frame near ``second`` as a file; 0 when it does not decode."""
    near = decoded(info, Selection(start=second), _PIXELS[fmt], size=(info.width, info.height), exact=False)
    stream = near.output("pipe:1", f="image2pipe", vframes=1, **_options(fmt))
    command = _command(info, stream)
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return 0
    return len(done.stdout)


def _decoded(info: VideoInfo, selection: Selection, kind: str) -> Any:
    return decoded(info, selection, _PIXELS.get(kind, "bgr24"), size=(info.width, info.height))


def _options(fmt: ImageFormat) -> dict[str, Any]:
    return _PNG_OPTIONS if fmt == "png" else _JPG_OPTIONS


def _command(info: VideoInfo, stream: Any) -> list[str]:
    return program.command(info.program, stream, info.path)


def require_finished(info: VideoInfo, outcome: Outcome, selection: Selection, count: int) -> None:
    """Frames that were not decoded because of this machine are never taken for frames that the video does not have.

    A damaged video is another matter: ffmpeg goes on behind the damage and ends well.
    """
    promised = selection.expected(info)
    of = f" of about {promised}" if promised else ""
    what = f"ffmpeg stopped after {count}{of} frames"
    why = outcome.stopped or "; ".join(dict.fromkeys([*outcome.complaints[:1], *outcome.complaints[-1:]]))
    memory = any(map(no_memory, outcome.complaints))
    ended_well = outcome.code in (0, _MOSTLY_DAMAGED) and not outcome.stopped
    # Looked for in its words: the exit code of a full disk is that of any other failure.
    if any("No space left on device" in line for line in outcome.complaints):
        raise DiskFullError("no space left on the disk", why=what, hint="free some space and run it again")
    if memory and not (ended_well and promised and count >= promised):
        raise OutOfMemoryFault(
            what, where=info.path, why="not enough memory", hint="close other programs and try again"
        )
    # Its first frame was decoded before; one that is wanted from the middle may be damaged there.
    if not ended_well and (count or outcome.stopped or selection.start is None):
        raise EnvironmentFault(
            what,
            where=info.path,
            why=why or f"exit code {outcome.code}",
            hint="check that there is enough memory and disk space, and run it again",
        )
