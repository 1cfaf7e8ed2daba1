"""What is in a video file. PyAV looks, because the ``imageio-ffmpeg`` wheel has no ffprobe."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

import av
from av.stream import Disposition

from core.errors import InputError
from core.video.info import Colors, VideoInfo, within_reason
from core.video.trial import settle, unreadable

# A picture beside the film, not a part of it.
_COVER = Disposition.attached_pic | Disposition.timed_thumbnails
_PICTURES = frozenset({"mjpeg", "png", "bmp", "gif", "webp", "tiff"})
# The containers that say where each frame is.
_INDEXED = ("mov,", "matroska,", "avi")
# Enough frames to see whether they are interlaced; enough packets to get over a damaged beginning.
_FRAMES, _PACKETS = 5, 300
# Numbers of a display matrix have 16 bits behind the point.
_UNIT = 1 << 16


def probe(path: Path) -> VideoInfo:
    """Describe the main video stream of ``path``, decoding some frames of it, and find the ffmpeg that decodes it.

    The main one is marked as the default, else it is the largest. Cover pictures never are.

    Raises:
        InputError: the file has no video stream.
        CorruptFileError: it is no video, or no frame decodes.
        EnvironmentFault: no ffmpeg here can decode it.
    """
    path.open("rb").close()  # what cannot be opened is no fault of the video
    with opened(path) as container:
        stream = main_stream(container, path)
        frames = list(first_frames(container, stream))
        info = _info(path, container, stream, frames)
    return settle(info, plays_here=bool(frames))


def count_frames(info: VideoInfo) -> int:
    """How many frames the video has: as its container counts them, else by reading its packets, without decoding."""
    if info.frames:
        return info.frames
    with opened(info.path) as container:
        packets = container.demux(container.streams[info.stream])
        # The last packet of a stream is empty, and those that an edit list leaves out are never shown.
        return sum(packet.size > 0 and not packet.is_discard for packet in packets)


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """A container that PyAV reads, its errors typed.

    Raises:
        CorruptFileError: it is no container.
    """
    try:
        # A file object, for a path that is not UTF-8; else the name, which helps to recognise some formats.
        with path.open("rb") as file:
            source = str(path) if _is_utf8(path) else file
            with av.open(source, metadata_errors="replace") as container:
                yield container
    except av.error.FFmpegError as error:
        raise unreadable(path, getattr(error, "strerror", "") or str(error)) from None


def _is_utf8(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def video_streams(container: Any) -> list[Any]:
    """The video streams of a container that are no cover pictures, nor single pictures beside a film."""
    streams = [stream for stream in container.streams.video if not stream.disposition & _COVER]
    films = [stream for stream in streams if not (_codec(stream) in _PICTURES and stream.frames == 1)]
    return films or streams


def main_stream(container: Any, path: Path) -> Any:
    """The video stream that is marked as the default, else the largest.

    Raises:
        InputError: there is none.
    """
    streams = video_streams(container)
    if not streams:
        raise InputError(
            "this file has no video stream",
            where=path,
            why="it may hold sound only",
            hint="check that it is the right file",
        )
    return max(streams, key=lambda stream: (bool(stream.disposition & Disposition.default), _area(stream)))


def _codec(stream: Any) -> str:
    return stream.codec_context.name if stream.codec_context else "an unknown codec"


def _area(stream: Any) -> int:
    return stream.codec_context.width * stream.codec_context.height if stream.codec_context else 0


def first_frames(container: Any, stream: Any) -> Iterator[Any]:
    """Up to five frames or so from the beginning, past what is damaged."""
    found = 0
    for number, packet in enumerate(container.demux(stream)):
        with suppress(av.error.FFmpegError):
            for frame in packet.decode():
                found += 1
                yield frame
        if found >= _FRAMES or number >= _PACKETS:
            return


def _info(path: Path, container: Any, stream: Any, frames: list[Any]) -> VideoInfo:
    """What PyAV knows. It does not crop, so that the size is a first guess."""
    first = frames[0] if frames else None
    stored = (first.width, first.height) if first else _stored_size(stream)
    return VideoInfo(
        path=path,
        stream=stream.index,
        others=tuple(_named(other) for other in video_streams(container) if other.index != stream.index),
        codec=_codec(stream),
        width=stored[0],
        height=stored[1],
        stored=stored,
        aspect=_aspect(stream),
        rate=float(stream.average_rate or stream.guessed_rate or 0),
        frames=_counted(stream),
        begins=_begins(container, stream),
        duration=_duration(container, stream),
        rotation=int(first.rotation) % 360 if first else 0,  # phones turn the image by metadata
        mirrored=bool(first) and _is_mirrored(first),
        pixel_format=first.format.name if first else "",
        colors=_colors(first) if first else Colors(),
        interlaced=any(frame.interlaced_frame for frame in frames),
        seeking=_seeking(container),
    )


def _aspect(stream: Any) -> float:
    said = stream.sample_aspect_ratio or (stream.codec_context and stream.codec_context.sample_aspect_ratio)
    aspect = float(said or 1)
    return aspect if within_reason(aspect) else 1.0


def _stored_size(stream: Any) -> tuple[int, int]:
    return (stream.codec_context.width, stream.codec_context.height) if stream.codec_context else (0, 0)


def _named(stream: Any) -> str:
    width, height = _stored_size(stream)
    return f"{stream.index} ({_codec(stream)} {width} x {height})"


def _counted(stream: Any) -> int | None:
    """How many frames the container counts, without those that its edit list leaves out or that are empty."""
    if not stream.frames:
        return None
    index = stream.index_entries
    if len(index) < stream.frames:  # it is not whole, or there is none
        return stream.frames
    return sum(entry.size > 0 and not entry.is_discard for entry in index)


def _begins(container: Any, stream: Any) -> float:
    if stream.start_time is None or container.start_time is None:
        return 0.0
    return max(float(stream.start_time * stream.time_base) - container.start_time / av.time_base, 0.0)


def _duration(container: Any, stream: Any) -> float | None:
    if stream.duration:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else None


def _seeking(container: Any) -> Literal["exact", "near", "none"]:
    name, flags = container.format.name, container.format.flags
    if flags & av.format.Flags.no_timestamps.value:
        return "none"
    return "exact" if name.startswith(_INDEXED) else "near"


def _colors(frame: Any) -> Colors:
    return Colors(int(frame.color_trc), int(frame.color_primaries), int(frame.colorspace), int(frame.color_range))


def _is_mirrored(frame: Any) -> bool:
    """Whether the display matrix, 3 x 3 fixed-point numbers, turns the frame over."""
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return False
    a, b, _, c, d, *_ = struct.unpack("<9i", bytes(data)[:36])
    return a / _UNIT * d / _UNIT - b / _UNIT * c / _UNIT < 0
