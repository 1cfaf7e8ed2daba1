"""The whole film from its parts: packets only, nothing is encoded again."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from core.video.film.color import say
from core.video.film.copied import add_copy, describe_as, film_tags, is_shown, other_streams
from core.video.film.encoders import ordinary_threads
from core.video.film.parts import Parts
from core.video.film.plan import Plan
from core.video.info import VideoInfo
from core.video.probe import opened

_MOST_TICKS = 2**31 - 1
# Players of Apple show HEVC under this name only.
_TAGS = {("mp4", "libx265"): "hvc1", ("mov", "libx265"): "hvc1", ("mp4", "hevc_nvenc"): "hvc1"}


def join_parts(target: Path, plan: Plan, parts: Parts, info: VideoInfo | None, tags: Mapping[str, str]) -> list[str]:
    """Write the film ``target`` from whole parts and from what ``info``'s film has beside its pictures.

    info: of the film whose sound, subtitles, chapters and tags are taken over; None for a film of pictures only.
    tags: of the file.
    Returns what could not be taken over, in words.
    """
    with ExitStack() as stack:
        source = stack.enter_context(opened(info.path)) if info else None
        kept, lost = other_streams(source, info, plan.container) if source and info else ([], ())
        options = _options(plan, [plan.time_base, *(stream.time_base for stream in kept if stream.time_base)])
        film = stack.enter_context(av.open(str(target), "w", format=plan.container, container_options=options))
        film.metadata.update(film_tags(source, tags) if source else tags)
        if source and source.chapters():
            film.set_chapters(source.chapters())
        old = source.streams[info.stream] if source and info else None
        pictures, copies = _streams(film, plan, parts, old, kept)
        with ordinary_threads():
            film.start_encoding()
        _interleave(film, _pictures(plan, parts, pictures, old), copies, plan)
    return list(lost)


def decoding_times(shown: Sequence[int]) -> list[int]:
    """When packets are decoded, in ticks, from when they are shown; both in the order of decoding.

    Each is decoded when the frame that comes as many places before it is shown; so many that none is shown before it is
    decoded, and no more.
    """
    ordered = sorted(shown)
    place = {pts: at for at, pts in enumerate(ordered)}
    delay = max((at - place[pts] for at, pts in enumerate(shown)), default=0)
    step = ordered[1] - ordered[0] if len(ordered) > 1 else 1
    before = [ordered[0] - step * back for back in range(delay, 0, -1)]
    return [*before, *ordered][: len(ordered)]


@dataclass(frozen=True)
class _Packet:
    packet: Any
    second: Fraction


def _options(plan: Plan, bases: Sequence[Fraction]) -> dict[str, str]:
    if plan.container in ("matroska", "webm"):
        # Without it every stream begins later, by the run-up of the sound; and a random number would be in the file.
        return {"avoid_negative_ts": "disabled", "fflags": "+bitexact"}
    # Where a stream begins is counted in a clock of its own, by default in milliseconds.
    ticks = math.lcm(*(base.denominator for base in bases))
    clock = ticks if ticks <= _MOST_TICKS else plan.time_base.denominator
    # The track of a time code would count days; what it holds is a tag of the pictures as well.
    return {"movflags": "+faststart", "movie_timescale": str(clock), "video_track_timescale": str(_clock(plan))}


def _clock(plan: Plan) -> int:
    """Ticks a second of the pictures in an mp4: a multiple of the film's, fine enough for players."""
    ticks = plan.time_base.denominator
    while ticks < 10_000:
        ticks *= 2
    return ticks


def _streams(film: Any, plan: Plan, parts: Parts, old: Any, kept: Sequence[Any]) -> tuple[Any, dict[int, Any]]:
    """The new streams, in the order of the old film's: that of the pictures, the others by the old number."""
    pictures, copies = None, {}
    for stream in sorted([*kept, *([old] if old else [])], key=lambda stream: stream.index) or [None]:
        if stream is None or stream is old:
            pictures = _picture_stream(film, plan, parts)
            if old is not None:
                describe_as(pictures, old)
        else:
            copies[stream.index] = (stream, add_copy(film, stream))
    return pictures, copies


def _picture_stream(film: Any, plan: Plan, parts: Parts) -> Any:
    """A stream that says of itself what the encoder of the parts said."""
    stream = film.add_stream(plan.encoder, rate=plan.rate, options=plan.options)
    context = stream.codec_context
    context.width, context.height = parts.size or (0, 0)
    context.pix_fmt = plan.pixels
    context.time_base = plan.time_base
    context.thread_count = plan.threads
    say(context, plan.colors)
    if tag := _TAGS.get((plan.container, plan.encoder)):
        context.codec_tag = tag
    return stream


def _pictures(plan: Plan, parts: Parts, stream: Any, old: Any) -> Iterator[_Packet]:
    shown = parts.times()
    following = dict(zip(ordered := sorted(shown), ordered[1:], strict=False))
    last = ordered[-1] + _last_duration(plan, ordered, old)
    for stored, decoded in zip(parts.packets(), decoding_times(shown), strict=True):
        packet = av.Packet(stored.data)
        packet.pts, packet.dts, packet.time_base = stored.pts, decoded, plan.time_base
        packet.duration = following.get(stored.pts, last) - stored.pts
        packet.is_keyframe = stored.key
        packet.stream = stream
        yield _Packet(packet, decoded * plan.time_base)


def _last_duration(plan: Plan, ordered: Sequence[int], old: Any) -> int:
    """How long the last frame is shown: to the end that the old film says, where that is believable."""
    usual = max(round(1 / (plan.rate * plan.time_base)), 1)
    step = ordered[-1] - ordered[-2] if len(ordered) > 1 else None
    if old is not None and old.duration and old.start_time is not None:
        said = round((old.start_time + old.duration) * old.time_base / plan.time_base) - ordered[-1]
        if 0 < said <= 2 * max(usual, step or said):
            return said
    return step or usual


def _interleave(film: Any, pictures: Iterator[_Packet], copies: Mapping[int, Any], plan: Plan) -> None:
    """Packets of all streams, about in the order of time."""
    waiting = next(pictures, None)
    for packet in _copied(copies, plan):
        second = packet.dts * packet.time_base if packet.dts is not None else None
        while waiting and second is not None and waiting.second <= second:
            film.mux_one(waiting.packet)
            waiting = next(pictures, None)
        packet.stream = copies[packet.stream.index][1]
        film.mux_one(packet)
    while waiting:
        film.mux_one(waiting.packet)
        waiting = next(pictures, None)


def _copied(copies: Mapping[int, Any], plan: Plan) -> Iterator[Any]:
    streams = [old for old, _ in copies.values() if old.type != "attachment"]
    if not streams:
        return
    for packet in streams[0].container.demux(streams):
        if is_shown(packet, plan.container):
            yield packet
