"""Videos through the ffmpeg program: what is in a file, its frames as pictures, its frames as arrays.

The program is the system's, else the one inside the ``imageio-ffmpeg`` wheel. Probing uses PyAV, because that wheel has no ffprobe.
"""

import functools
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import av
import ffmpeg
import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptFileError, DiskFullError, EnvironmentFault, InputError

# High-dynamic-range video by the numbers of ITU-T H.273: transfer curves PQ and HLG, BT.2020 colours.
_HDR_TRANSFERS, _BT2020_PRIMARIES, _BT2020_MATRICES = (16, 18), 9, (9, 10)
_TONE_MAP = "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv,format=yuv444p"
# A fifth of the encoder's default time for a tenth more bytes.
_PNG_OPTIONS = {"compression_level": 1, "pred": "up"}
_JPG_OPTIONS = {"q:v": 2}
_PIXELS = {"png": "rgb24", "jpg": "yuvj444p", "raw": "bgr24"}
# The default conversion to RGB repeats colour samples and rounds down: a level darker, 2.8 dB worse on a photo. This takes 15 ms more at 720p.
_CONVERSION = "bicubic+accurate_rnd+full_chroma_int"


@dataclass(frozen=True)
class VideoInfo:
    """What a video holds. width, height: as shown, after rotation; rate: average frames a second; frames: as the container
    counts them, None where it does not; duration: seconds or None; rotation: degrees; hdr: PQ or HLG transfer."""

    path: Path
    codec: str
    width: int
    height: int
    rate: float
    frames: int | None
    duration: float | None
    rotation: int
    pixel_format: str
    hdr: bool


@dataclass(frozen=True)
class Selection:
    """Which frames of a video: all, or ``fps`` a second, from second ``start`` up to second ``end``."""

    fps: float | None = None
    start: float | None = None
    end: float | None = None

    def expected(self, info: VideoInfo) -> int | None:
        """About how many frames will come out; None when the container does not say."""
        if self == Selection() and info.frames:
            return info.frames
        length = info.duration or (info.frames / info.rate if info.frames and info.rate else None)
        if length is None:
            return None
        seconds = min(self.end or length, length) - (self.start or 0)
        return max(round(seconds * (self.fps or info.rate)), 0)


@dataclass(frozen=True)
class Outcome:
    """How a run of ffmpeg ended. complaints: its error lines, without the addresses that differ from run to run."""

    code: int
    complaints: tuple[str, ...]


@functools.cache
def find_ffmpeg() -> str:
    """Path of the ffmpeg program. Raises EnvironmentFault when there is none."""
    system = shutil.which("ffmpeg")
    if system:
        return system
    try:
        import imageio_ffmpeg

        return imageio_ffmpeg.get_ffmpeg_exe()
    except (ImportError, RuntimeError) as error:
        raise EnvironmentFault(
            "no ffmpeg program",
            why=str(error),
            hint="pip install imageio-ffmpeg, or install ffmpeg and put it on the PATH",
        ) from None


@functools.cache
def version(program: str) -> tuple[int, int] | None:
    """(major, minor) of an ffmpeg program, None for a build that carries no number (taken from the repository, so recent)."""
    text = subprocess.run(
        [program, "-version"], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    ).stdout
    found = re.match(r"ffmpeg version n?(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else None


@functools.cache
def _has_filter(program: str, name: str) -> bool:
    text = subprocess.run(
        [program, "-hide_banner", "-filters"], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    ).stdout
    return re.search(rf"\s{name}\s", text) is not None


def probe(path: Path) -> VideoInfo:
    """Describe the first real video stream of ``path`` (cover pictures are not one), decoding one frame of it.

    Raises InputError when the file has no video stream, CorruptFileError when it is no video or no frame decodes.
    """
    path.open("rb").close()
    try:
        with av.open(str(path)) as container:
            stream = _video_stream(container, path)
            frame = next(container.decode(stream), None)
            return _info(path, container, stream, frame)
    except (av.error.FFmpegError, UnicodeDecodeError) as error:
        raise _unreadable(path, getattr(error, "strerror", "") or str(error)) from None


def _video_stream(container: Any, path: Path) -> Any:
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            return stream
    raise InputError(
        "this file has no video stream",
        where=path,
        why="it may hold sound only",
        hint="check that it is the right file",
    )


def _info(path: Path, container: Any, stream: Any, frame: Any) -> VideoInfo:
    if frame is None:
        raise _unreadable(path, "not one frame could be decoded")
    duration = (
        float(stream.duration * stream.time_base)
        if stream.duration
        else (container.duration / av.time_base if container.duration else None)
    )
    rotation = int(frame.rotation) % 360
    width, height = (frame.height, frame.width) if rotation in (90, 270) else (frame.width, frame.height)
    rate = float(stream.average_rate or stream.guessed_rate or 0)
    return VideoInfo(
        path,
        stream.codec_context.name,
        width,
        height,
        rate,
        stream.frames or None,
        duration,
        rotation,
        frame.format.name,
        _is_hdr(frame),
    )


def _is_hdr(frame: Any) -> bool:
    """Whether the colour tags say so; all three are needed to map the colours down."""
    tags = (int(frame.color_trc or 0), int(frame.color_primaries or 0), int(frame.colorspace or 0))
    return tags[0] in _HDR_TRANSFERS and tags[1] == _BT2020_PRIMARIES and tags[2] in _BT2020_MATRICES


def _unreadable(path: Path, why: str) -> CorruptFileError:
    return CorruptFileError(
        "cannot read this file as a video",
        where=path,
        why=why,
        hint="play it in a video player; if that fails too, copy or download it again",
    )


def write_frames(
    info: VideoInfo,
    folder: Path,
    fmt: Literal["png", "jpg"],
    selection: Selection = Selection(),
    *,
    digits: int = 5,
    on_frame: Callable[[int], None] = lambda count: None,
) -> Outcome:
    """Write the frames of a video to ``folder`` as 00001.png, 00002.png and so on; one frame in is one file out unless ``selection.fps``.

    Rotation metadata is applied, high dynamic range is mapped down, more than 8 bits are rounded to 8. JPEG is 4:4:4, full range.
    ``on_frame`` is told the number of frames written so far. A damaged video gives the frames that decode: see the outcome.
    """
    options = _PNG_OPTIONS if fmt == "png" else _JPG_OPTIONS
    stream = _decoded(info, selection, fmt).output(
        f"%0{digits}d.{fmt}", f="image2", start_number=1, **options, **_sync()
    )
    return _run(ffmpeg.compile(stream, cmd=find_ffmpeg()), folder, on_frame)


def read_frames(info: VideoInfo, selection: Selection = Selection()) -> Iterator[NDArray[np.uint8]]:
    """The frames of a video, uint8, H x W x 3, BGR: the same pictures, in the same number, as ``write_frames`` to PNG.

    Raises CorruptFileError when not one frame decodes.
    """
    stream = _decoded(info, selection, "raw").output("pipe:1", f="rawvideo", **_sync())
    size = info.width * info.height * 3
    count = 0
    with tempfile.TemporaryFile() as errors:
        process = _start(ffmpeg.compile(stream, cmd=find_ffmpeg()), errors)
        try:
            while len(data := process.stdout.read(size)) == size:
                count += 1
                yield np.frombuffer(data, np.uint8).reshape(info.height, info.width, 3)
            process.wait()
        finally:
            _stop(process)
        if count == 0:
            raise _unreadable(info.path, "; ".join(_complaints(errors)[-1:]))


def count_frames(info: VideoInfo) -> int:
    """How many frames the video has: as its container counts them, else by reading its packets, without decoding."""
    if info.frames:
        return info.frames
    with av.open(str(info.path)) as container:
        return sum(packet.size > 0 for packet in container.demux(_video_stream(container, info.path)))


def mean_file_size(info: VideoInfo, fmt: Literal["png", "jpg"], selection: Selection, samples: int = 3) -> float | None:
    """Mean size in bytes of a few frames spread over the selection, None when none of them decodes: what a picture will take."""
    length = info.duration or 0.0
    start, end = selection.start or 0.0, min(selection.end or length, length)
    options = _PNG_OPTIONS | {"vcodec": "png"} if fmt == "png" else _JPG_OPTIONS | {"vcodec": "mjpeg"}
    sizes = []
    for i in range(samples):
        stream = _decoded(info, Selection(start=start + max(end - start, 0.0) * (2 * i + 1) / (2 * samples)), fmt)
        command = ffmpeg.compile(stream.output("pipe:1", f="image2pipe", vframes=1, **options), cmd=find_ffmpeg())
        picture = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).stdout
        if picture:
            sizes.append(len(picture))
    return sum(sizes) / len(sizes) if sizes else None


def _decoded(info: VideoInfo, selection: Selection, kind: str) -> Any:
    """The beginning of an ffmpeg command: input, time range, rate, tone mapping, the pixels that ``kind`` of output takes."""
    seek = {} if selection.start is None else {"ss": f"{selection.start:.6f}"}
    until = {} if selection.end is None else {"to": f"{selection.end:.6f}"}
    stream = ffmpeg.input(str(info.path.resolve()), **seek, **until)["V:0"]
    if info.hdr and _has_filter(find_ffmpeg(), "zscale"):
        for step in _TONE_MAP.split(","):
            name, _, arguments = step.partition("=")
            stream = _filter(stream, name, arguments)
    if selection.fps is not None:
        stream = stream.filter("fps", fps=f"{selection.fps:g}")
    return stream.filter("scale", flags=_CONVERSION).filter("format", _PIXELS[kind])


def _filter(stream: Any, name: str, arguments: str) -> Any:
    pairs = [part.partition("=") for part in arguments.split(":")]
    positional = [key for key, equals, _ in pairs if not equals]
    return stream.filter(name, *positional, **{key: value for key, equals, value in pairs if equals})


def _sync() -> dict[str, str]:
    """One frame in, one frame out. Older programs spell it differently; FFmpeg 9 dropped the old spelling."""
    number = version(find_ffmpeg())
    return {"vsync": "passthrough"} if number is not None and number < (5, 1) else {"fps_mode": "passthrough"}


def _start(command: list[str], errors: Any, folder: Path | None = None) -> Any:
    quiet = [command[0], "-hide_banner", "-nostdin", "-v", "error", *command[1:]]
    return subprocess.Popen(quiet, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, cwd=folder)


def _run(command: list[str], folder: Path, on_frame: Callable[[int], None]) -> Outcome:
    """Run in ``folder``, so that a percent sign in its path is no pattern."""
    with tempfile.TemporaryFile() as errors:
        process = _start([command[0], "-progress", "pipe:1", "-nostats", *command[1:]], errors, folder)
        try:
            for line in process.stdout:
                if line.startswith(b"frame="):
                    on_frame(int(line[6:]))
            code = process.wait()
        finally:
            _stop(process)
        complaints = _complaints(errors)
    if any("No space left on device" in line for line in complaints):
        raise DiskFullError("no space left on the disk", where=folder, hint="free some space and run it again")
    return Outcome(code, complaints)


def _stop(process: Any) -> None:
    process.stdout.close()
    if process.poll() is None:
        process.kill()
        process.wait()


def _complaints(errors: Any) -> tuple[str, ...]:
    """The error lines of ffmpeg, each once."""
    errors.seek(0)
    lines = [re.sub(r"^\[[^\]]*\] ", "", line.strip()) for line in errors.read().decode(errors="replace").splitlines()]
    return tuple(dict.fromkeys(line for line in lines if line))


def describe(info: VideoInfo) -> str:
    """One line for people."""
    facts = asdict(info)
    length = f"{info.duration:.1f} s, " if info.duration else ""
    extra = (f", rotated by {info.rotation} degrees" if info.rotation else "") + (", HDR" if info.hdr else "")
    return "{codec} {width} x {height}, {length}{rate:g} frames/s{extra}".format(length=length, extra=extra, **facts)
