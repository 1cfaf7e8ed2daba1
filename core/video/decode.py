"""The frames of a video, as image files or as arrays: the same pixels, in the same number, either way."""

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import ffmpeg
import numpy as np
from numpy.typing import NDArray

from core.errors import DiskFullError
from core.video import program
from core.video.probe import VideoInfo, unreadable

# To linear light, to the usual primaries, bright parts compressed (Hable's curve), back to a usual curve.
_TONE_MAP = (
    ("zscale", "t=linear:npl=100"),
    ("format", "gbrpf32le"),
    ("zscale", "p=bt709"),
    ("tonemap", "hable:desat=0"),
    ("zscale", "t=bt709:m=bt709:r=tv"),
    ("format", "yuv444p"),
)
# A fifth of the encoder's default time for a tenth more bytes.
_PNG_OPTIONS = {"compression_level": 1, "pred": "up"}
_JPG_OPTIONS = {"q:v": 2}
_PIXELS = {"png": "rgb24", "jpg": "yuvj444p", "raw": "bgr24"}
# The default conversion to RGB repeats chroma samples and rounds down: a level darker, 2.8 dB worse on a photo.
# This one takes 15 ms more at 720p.
_CONVERSION = "bicubic+accurate_rnd+full_chroma_int"


@dataclass(frozen=True)
class Selection:
    """Which frames of a video: all, or some by rate and time.

    fps: frames a second; None for every frame, once.
    start, end: seconds; None for the beginning and the end of the video.
    """

    fps: float | None = None
    start: float | None = None
    end: float | None = None

    def expected(self, info: VideoInfo) -> int | None:
        """About how many frames will come out; None when the container does not say."""
        if self == Selection() and info.frames:
            return info.frames
        length = info.duration
        if not length and info.frames and info.rate:
            length = info.frames / info.rate
        if length is None:
            return None
        seconds = min(self.end or length, length) - (self.start or 0)
        return max(round(seconds * (self.fps or info.rate)), 0)


@dataclass(frozen=True)
class Outcome:
    """How a run of ffmpeg ended.

    code: its exit code, 0 for success.
    complaints: its error lines, each once.
    """

    code: int
    complaints: tuple[str, ...]


def write_frames(
    info: VideoInfo,
    folder: Path,
    fmt: Literal["png", "jpg"],
    selection: Selection = Selection(),
    *,
    digits: int = 5,
    on_frame: Callable[[int], None] = lambda count: None,
) -> Outcome:
    """Write the frames of a video to ``folder`` as 00001.png, 00002.png and so on.

    One frame in is one file out, unless ``selection.fps`` is set. Rotation metadata is applied, high dynamic range is
    mapped down, more than 8 bits are rounded to 8. JPEG is 4:4:4, full range. ``on_frame`` is told the number of frames
    written so far. A damaged video gives the frames that decode: the outcome tells.

    Raises:
        DiskFullError: the disk ran full.
    """
    options = _PNG_OPTIONS if fmt == "png" else _JPG_OPTIONS
    stream = _decoded(info, selection, fmt).output(
        f"%0{digits}d.{fmt}", f="image2", start_number=1, **options, **program.keep_every_frame()
    )
    outcome = _run(_command(stream), folder, on_frame)
    if any("No space left on device" in line for line in outcome.complaints):
        raise DiskFullError("no space left on the disk", where=folder, hint="free some space and run it again")
    return outcome


def read_frames(info: VideoInfo, selection: Selection = Selection()) -> Iterator[NDArray[np.uint8]]:
    """The frames of a video, uint8 H x W x 3 BGR: what ``write_frames`` to PNG writes.

    Raises:
        CorruptFileError: not one frame decodes.
    """
    stream = _decoded(info, selection, "raw").output("pipe:1", f="rawvideo", **program.keep_every_frame())
    size = info.width * info.height * 3
    count = 0
    with tempfile.TemporaryFile() as errors:
        with program.running(_command(stream), errors) as process:
            while len(data := process.stdout.read(size)) == size:
                count += 1
                yield np.frombuffer(data, np.uint8).reshape(info.height, info.width, 3)
            process.wait()
        if count == 0:
            raise unreadable(info.path, "; ".join(program.read_complaints(errors)[-1:]))


def mean_file_size(info: VideoInfo, fmt: Literal["png", "jpg"], selection: Selection, samples: int = 3) -> float | None:
    """Mean size in bytes that a frame will take as a file, by ``samples`` frames spread over the selection.

    None when none of them decodes.
    """
    length = info.duration or 0.0
    start = selection.start or 0.0
    end = min(selection.end or length, length)
    sizes = []
    for i in range(samples):
        middle = (2 * i + 1) / (2 * samples)
        if size := _file_size(info, fmt, start + max(end - start, 0.0) * middle):
            sizes.append(size)
    return sum(sizes) / len(sizes) if sizes else None


def _file_size(info: VideoInfo, fmt: Literal["png", "jpg"], second: float) -> int:
    """Bytes of the frame at ``second`` as a file; 0 when it does not decode."""
    options = _PNG_OPTIONS | {"vcodec": "png"} if fmt == "png" else _JPG_OPTIONS | {"vcodec": "mjpeg"}
    decoded = _decoded(info, Selection(start=second), fmt)
    stream = decoded.output("pipe:1", f="image2pipe", vframes=1, **options)
    done = subprocess.run(_command(stream), stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return len(done.stdout)


def _decoded(info: VideoInfo, selection: Selection, kind: str) -> Any:
    """The beginning of an ffmpeg command: input, time range, rate, tone mapping, pixels as ``kind`` of output takes."""
    seek = {} if selection.start is None else {"ss": f"{selection.start:.6f}"}
    until = {} if selection.end is None else {"to": f"{selection.end:.6f}"}
    stream = ffmpeg.input(str(info.path.resolve()), **seek, **until)["V:0"]  # a capital V leaves cover pictures out
    # Not every build has the filter; without it the colors of such a video come out pale.
    if info.hdr and program.has_filter(program.find_ffmpeg(), "zscale"):
        for name, arguments in _TONE_MAP:
            stream = _filter(stream, name, arguments)
    if selection.fps is not None:
        stream = stream.filter("fps", fps=f"{selection.fps:g}")
    return stream.filter("scale", flags=_CONVERSION).filter("format", _PIXELS[kind])


def _filter(stream: Any, name: str, arguments: str) -> Any:
    pairs = [part.partition("=") for part in arguments.split(":")]
    positional = [key for key, equals, _ in pairs if not equals]
    named = {key: value for key, equals, value in pairs if equals}
    return stream.filter(name, *positional, **named)


def _command(stream: Any) -> list[str]:
    return ffmpeg.compile(stream, cmd=program.find_ffmpeg())


def _run(command: list[str], folder: Path, on_frame: Callable[[int], None]) -> Outcome:
    """Run in ``folder``, so that a percent sign in its path is no pattern."""
    reporting = [command[0], "-progress", "pipe:1", "-nostats", *command[1:]]
    with tempfile.TemporaryFile() as errors:
        with program.running(reporting, errors, folder=folder) as process:
            for line in process.stdout:
                if line.startswith(b"frame="):
                    on_frame(int(line[6:]))
            code = process.wait()
        return Outcome(code, program.read_complaints(errors))
