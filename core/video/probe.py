"""What is in a video file. PyAV looks, because the ``imageio-ffmpeg`` wheel has no ffprobe."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import av

from core.errors import CorruptFileError, InputError

# High-dynamic-range video by the numbers of ITU-T H.273: transfer curves PQ and HLG, BT.2020 colors.
_HDR_TRANSFERS = (16, 18)
_BT2020_PRIMARIES = 9
_BT2020_MATRICES = (9, 10)


@dataclass(frozen=True)
class VideoInfo:
    """What a video holds.

    width, height: pixels as shown, after rotation.
    rate: average frames a second.
    frames: as the container counts them, None where it does not.
    duration: seconds, or None.
    rotation: degrees, 0..359.
    hdr: whether the transfer curve is PQ or HLG.
    """

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


def probe(path: Path) -> VideoInfo:
    """Describe the first real video stream of ``path`` (cover pictures are not one), decoding one frame of it.

    Raises:
        InputError: the file has no video stream.
        CorruptFileError: it is no video, or no frame decodes.
    """
    path.open("rb").close()  # what cannot be opened is no fault of the video
    try:
        with av.open(str(path)) as container:
            stream = _video_stream(container, path)
            frame = next(container.decode(stream), None)
            return _info(path, container, stream, frame)
    except (av.error.FFmpegError, UnicodeDecodeError) as error:
        raise unreadable(path, getattr(error, "strerror", "") or str(error)) from None


def count_frames(info: VideoInfo) -> int:
    """How many frames the video has: as its container counts them, else by reading its packets, without decoding."""
    if info.frames:
        return info.frames
    with av.open(str(info.path)) as container:
        return sum(packet.size > 0 for packet in container.demux(_video_stream(container, info.path)))


def describe(info: VideoInfo) -> str:
    """One line for people."""
    length = f"{info.duration:.1f} s, " if info.duration else ""
    rotated = f", rotated by {info.rotation} degrees" if info.rotation else ""
    hdr = ", HDR" if info.hdr else ""
    return "{codec} {width} x {height}, {length}{rate:g} frames/s{extra}".format(
        length=length, extra=rotated + hdr, **asdict(info)
    )


def unreadable(path: Path, why: str) -> CorruptFileError:
    """The error for a file of which not one frame decodes."""
    return CorruptFileError(
        "cannot read this file as a video",
        where=path,
        why=why,
        hint="play it in a video player; if that fails too, copy or download it again",
    )


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
        raise unreadable(path, "not one frame could be decoded")
    rotation = int(frame.rotation) % 360  # phones turn the image by metadata; ffmpeg applies them
    width, height = frame.width, frame.height
    if rotation in (90, 270):
        width, height = height, width
    return VideoInfo(
        path=path,
        codec=stream.codec_context.name,
        width=width,
        height=height,
        rate=float(stream.average_rate or stream.guessed_rate or 0),
        frames=stream.frames or None,
        duration=_duration(container, stream),
        rotation=rotation,
        pixel_format=frame.format.name,
        hdr=_is_hdr(frame),
    )


def _duration(container: Any, stream: Any) -> float | None:
    # Matroska has no length for each stream.
    if stream.duration:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else None


def _is_hdr(frame: Any) -> bool:
    """Whether the color tags say so; all three are needed to map the colors down."""
    return (
        int(frame.color_trc or 0) in _HDR_TRANSFERS
        and int(frame.color_primaries or 0) == _BT2020_PRIMARIES
        and int(frame.colorspace or 0) in _BT2020_MATRICES
    )
