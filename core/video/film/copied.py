"""What a new film takes over from the old one without a change: sound, subtitles, chapters, attachments, tags."""

import io
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import av
from av.stream import Disposition

from core.video.info import VideoInfo
from core.video.probe import video_streams

# What a container says of itself, not of the film.
_STRUCTURE = frozenset({"major_brand", "minor_version", "compatible_brands", "encoder", "duration", "rotate"})
_STATISTICS = ("_statistics", "bps", "number_of_", "handler_name", "vendor_id")
# Packets that an edit list hides are kept where they are needed for the first sound.
_RUN_UP = Fraction(1, 10)
_HIDING = ("mp4", "mov")


def other_streams(source: Any, info: VideoInfo, container: str) -> tuple[list[Any], tuple[str, ...]]:
    """The streams of an open film that its container can hold beside the new pictures, and what cannot be kept."""
    kept, lost = [], []
    films = {stream.index for stream in video_streams(source)}
    for stream in source.streams:
        if stream.index == info.stream or _is_made_anew(stream, source):
            continue
        if stream.index in films:
            lost.append(f"{_named(stream)} was left out: a film has one picture")
        elif fits(stream, container):
            kept.append(stream)
        else:
            lost.append(f"{_named(stream)} was left out: {container} cannot hold it")
    return kept, tuple(lost)


def fits(stream: Any, container: str) -> bool:
    """Whether FFmpeg writes such a stream into such a container: it is tried, in memory."""
    if stream.type == "attachment":
        return container == "matroska"
    try:
        with av.open(io.BytesIO(), "w", format=container) as trial:
            trial.add_stream_from_template(stream)
            trial.start_encoding()
    except (av.error.FFmpegError, ValueError, NotImplementedError):
        return False
    return True


def add_copy(target: Any, stream: Any) -> Any:
    """A stream of ``target`` for the packets of another film's stream."""
    if stream.type == "attachment":
        new = target.add_attachment(stream.name or "attachment", stream.mimetype or "", stream.data)
    else:
        new = target.add_stream_from_template(stream)
    describe_as(new, stream)
    return new


def describe_as(new: Any, old: Any) -> None:
    """Language, title and purpose of a stream."""
    new.metadata.update(
        {key: text for key, text in old.metadata.items() if not key.lower().startswith(_STATISTICS) and _is_kept(key)}
    )
    if disposition := Disposition(old.disposition):
        new.disposition = disposition


def film_tags(source: Any, tags: Mapping[str, str]) -> dict[str, str]:
    """The tags of a film and ours; where both have one, ours comes first and the film's follows it."""
    found = {key: text for key, text in source.metadata.items() if _is_kept(key)}
    for key, text in tags.items():
        old = [found.pop(name) for name in list(found) if name.lower() == key.lower()]
        labelled = next((one for one in old if text in one), "")
        found[key] = labelled or "; before: ".join([text, *old])
    return found


def is_shown(packet: Any, container: str) -> bool:
    """Whether a packet belongs into the new film. Matroska has no edit lists that hide the beginning of a stream."""
    if packet.size == 0 and packet.dts is None:  # the end of a stream
        return False
    if container in _HIDING or not packet.is_discard or packet.pts is None:
        return True
    return packet.pts * packet.time_base >= -_RUN_UP


def _is_kept(key: str) -> bool:
    return key.lower() not in _STRUCTURE


def _is_made_anew(stream: Any, source: Any) -> bool:
    """The tracks of an mp4 that hold its time code and its chapters, which the library writes by itself."""
    if stream.type != "data" or not source.format.name.startswith("mov"):
        return False
    return "timecode" in stream.metadata or (stream.name == "bin_data" and stream.frames == len(source.chapters()))


def _named(stream: Any) -> str:
    what = {"audio": "sound", "subtitle": "subtitles", "video": "picture"}.get(stream.type, stream.type)
    codec = stream.codec_context.name if stream.codec_context else ""
    language = f", {stream.language}" if stream.language else ""
    return f"{what} {stream.index} ({codec or 'unknown'}{language})"
