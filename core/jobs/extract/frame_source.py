"""Where the frames of a side come from: a folder of images, a film, or several of both."""

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.faceset.database.frames import Source
from core.imaging.codec import read_frame
from core.jobs.extract.frame_times import times_of_images
from core.video.decode import read_frames
from core.video.info import VideoInfo, describe
from core.video.messages import Outcome, shape_text
from core.video.probe import count_frames, probe
from core.video.selection import EVERY_FRAME, Selection
from core.video.times import at_rate, presentation_times
from core.workspace import list_frames, other_frames

log = logging.getLogger(__name__)
_LONGEST_ADDITION = "_9999.jpg"  # to the name of a frame, in that of a face
_LONG = "its name is too long for the names of its faces: rename it to something shorter"
_SHOWN = 20

# (name of the frame, how to load its image: uint8, H x W x 3, BGR)
Frames = Iterator[tuple[str, Callable[[], NDArray[np.uint8]]]]
# Seconds from the beginning of the film by name of the frame, as far as they are known.
Times = Callable[[], Mapping[str, float]]


@dataclass(frozen=True)
class Pick:
    """Which frames of a source are looked at: every Nth, or so many for each second of film."""

    every: int = 1
    fps: float | None = None


@dataclass(frozen=True)
class FrameSource:
    """The frames of a side.

    names: file names, in order; of a video that does not say how long it is, those that are likely.
    frames: starts to read them, once for each call; at the end it tells the function it is given how many there were.
    times: asks for the times of the frames, which may mean reading through the film.
    rate: frames a second of those in ``names``; None where it is not known.
    sure: whether each of the names is a frame: one that does not come is damaged.
    left_out: (name, why) of files beside the frames that are none.
    origins: name of a frame -> the source that it is of; those of the side's own source are not in it.
    """

    names: tuple[str, ...]
    frames: Callable[[Callable[[int], None]], Frames]
    times: Times
    rate: float | None = None
    sure: bool = True
    left_out: tuple[tuple[str, str], ...] = ()
    origins: Mapping[str, Source] = field(default_factory=dict)

    def of(self, name: str) -> Source:
        """The source of a frame, with its rate where that is known."""
        return self.origins.get(name, Source(fps=self.rate))


def frames_of_folder(folder: Path, pick: Pick, prefix: str = "") -> FrameSource:
    """The images in a folder. prefix: of the names of the frames.

    Raises:
        InputError: there are none, or two have the same name but for the ending: faces are named after their frame; or
            so many a second are wanted and it is not known when they are shown.
    """
    paths = [path for path in list_frames(folder) if not _too_long(prefix, path)]
    left_out = other_frames(folder)
    left_out += [(path.name, _LONG) for path in list_frames(folder) if _too_long(prefix, path)]
    if not paths:
        raise InputError(
            "no frames",
            where=folder,
            why=_listed(left_out),
            hint=f"run the frames step first, or use --from-video, or put pictures into {folder}",
        )
    _require_distinct(paths)

    @cache
    def times() -> dict[str, float]:
        return times_of_images(folder, [path.name for path in paths])

    chosen = paths[:: pick.every] if pick.fps is None else _at_rate(folder, paths, times(), pick.fps)
    return FrameSource(
        tuple(prefix + path.name for path in chosen),
        partial(_images, chosen, prefix),
        times=lambda: {prefix + name: time for name, time in times().items()},
        left_out=tuple(left_out),
    )


def _at_rate(folder: Path, paths: list[Path], times: Mapping[str, float], fps: float) -> list[Path]:
    unknown = [path.name for path in paths if path.name not in times]
    if unknown:
        raise InputError(
            "it is not known when these frames are shown, so --fps cannot choose among them",
            where=folder,
            why=f"{len(unknown)} of {len(paths)}, the first is {unknown[0]}",
            hint="--every N takes every Nth image; the frames step, or --from-video, knows the times",
        )
    ordered = sorted(paths, key=lambda path: times[path.name])
    return [ordered[index] for index in at_rate([times[path.name] for path in ordered], fps)]


def _too_long(prefix: str, path: Path) -> bool:
    return len(os.fsencode(prefix + path.stem)) + len(_LONGEST_ADDITION) > 255


def _listed(left_out: Sequence[tuple[str, str]]) -> str:
    if not left_out:
        return ""
    named = "; ".join(f"{name}: {why}" for name, why in left_out[:_SHOWN])
    more = f"; and {len(left_out) - _SHOWN} more" if len(left_out) > _SHOWN else ""
    return f"{len(left_out)} files there cannot be used: {named}{more}"


def _require_distinct(paths: Sequence[Path]) -> None:
    first: dict[str, str] = {}
    pairs = []
    for path in paths:
        if first.setdefault(path.stem, path.name) != path.name:
            pairs.append(f"{first[path.stem]} and {path.name}")
    if pairs:
        more = f", and {len(pairs) - _SHOWN} more pairs" if len(pairs) > _SHOWN else ""
        raise InputError(
            "frames with the same name but for the ending",
            where=paths[0].parent,
            why=", ".join(pairs[:_SHOWN]) + more,
            hint="face files are named after their frame: rename or move one of each",
        )


def _images(paths: list[Path], prefix: str, on_end: Callable[[int], None]) -> Frames:
    for path in paths:
        yield prefix + path.name, partial(read_frame, path)
    on_end(len(paths))


def frames_of_film(
    film: Path,
    pick: Pick,
    prefix: str = "",
    *,
    deinterlace: bool = False,
    known: Callable[[Path], int | None] = lambda film: None,
) -> FrameSource:
    """The frames of a film, under the names that the frames step would give them.

    prefix: of the names. known: says how many frames a film has, when it was read to its end before.

    Raises what probing the film raises.
    """
    info = probe(film)
    log.info("%s: %s", film.name, describe(info))
    count = known(film) or count_frames(info)
    digits = max(5, len(str(EVERY_FRAME.expected(info) or 0)))

    @cache
    def times() -> list[float]:
        return presentation_times(info)

    indices: Sequence[int] = range(0, count, pick.every)
    rate = info.rate / pick.every if info.rate else None
    if pick.fps is not None:
        indices, rate = [index for index in at_rate(times(), pick.fps) if index < count], pick.fps
    chosen = {index: f"{prefix}{index + 1:0{digits}d}.png" for index in indices}
    return FrameSource(
        tuple(chosen.values()),
        partial(_film_frames, info, Selection(deinterlace=deinterlace), chosen),
        times=lambda: {name: times()[index] for index, name in chosen.items() if index < len(times())},
        rate=rate,
        sure=info.frames is not None,
    )


def _film_frames(
    info: VideoInfo, selection: Selection, chosen: Mapping[int, str], on_end: Callable[[int], None]
) -> Frames:
    number = 0
    for number, image in enumerate(read_frames(info, selection, on_end=_note_oddities), start=1):
        if number - 1 in chosen:
            yield chosen[number - 1], partial(_itself, image)
    on_end(number)


def joined(sources: Sequence[FrameSource]) -> FrameSource:
    """The frames of several sources, one after the other."""

    def frames(on_end: Callable[[int], None]) -> Frames:
        counts: list[int] = []
        for source in sources:
            yield from source.frames(counts.append)
        on_end(sum(counts))

    rates = {source.rate for source in sources}
    return replace(
        sources[0],
        names=tuple(chain.from_iterable(source.names for source in sources)),
        frames=frames,
        times=lambda: {name: time for source in sources for name, time in source.times().items()},
        rate=rates.pop() if len(rates) == 1 else None,
        # How long one of several is, is not kept, so that those of its frames that did not come count as damaged.
        sure=True,
        left_out=tuple(chain.from_iterable(source.left_out for source in sources)),
        origins={name: origin for source in sources for name, origin in source.origins.items()},
    )


def _note_oddities(outcome: Outcome) -> None:
    if outcome.complaints:
        log.warning(
            "ffmpeg complained (%d different lines); the last: %s", len(outcome.complaints), outcome.last_complaint
        )
    if len(outcome.shapes) > 1:
        shapes = ", ".join(map(shape_text, outcome.shapes))
        log.warning("the size changes in mid-stream: %s; frames of another shape stand between black bars", shapes)


def _itself(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return image
