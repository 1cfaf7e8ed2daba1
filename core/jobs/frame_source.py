"""Where the frames of a side come from: a folder of images, or the video itself."""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.imaging.codec import read_frame
from core.video.decode import read_frames
from core.video.find import find_film
from core.video.info import VideoInfo, describe
from core.video.messages import Outcome, shape_text
from core.video.probe import count_frames, probe
from core.video.selection import EVERY_FRAME, Selection
from core.workspace import Side, list_frames, other_frames

log = logging.getLogger(__name__)
_LONGEST_ADDITION = "_9999.jpg"  # to the name of a frame, in that of a face
_LONG = "its name is too long for the names of its faces: rename it to something shorter"
_SHOWN = 20

# (name of the frame, how to load its image: uint8, H x W x 3, BGR)
Frames = Iterator[tuple[str, Callable[[], NDArray[np.uint8]]]]


@dataclass(frozen=True)
class FrameSource:
    """The frames of a side.

    names: file names, in order; of a video that does not say how long it is, those that are likely.
    frames: starts to read them, once for each call; at the end it tells the function it is given how many there were.
    sure: whether each of the names is a frame: one that does not come is damaged.
    left_out: (name, why) of files beside the frames that are none.
    """

    names: tuple[str, ...]
    frames: Callable[[Callable[[int], None]], Frames]
    sure: bool = True
    left_out: tuple[tuple[str, str], ...] = ()


def frames_of_folder(side: Side, every: int) -> FrameSource:
    """The images in the folder of a side, every Nth of them.

    Raises:
        InputError: there are none, or two have the same name but for the ending: faces are named after their frame.
    """
    paths = [path for path in list_frames(side.frames) if not _too_long(path)]
    left_out = other_frames(side.frames)
    left_out += [(path.name, _LONG) for path in list_frames(side.frames) if _too_long(path)]
    if not paths:
        raise InputError(
            "no frames",
            where=side.frames,
            why=_listed(left_out),
            hint=f"run the frames step first, or use --from-video, or put pictures into {side.frames}",
        )
    _require_distinct(paths)
    chosen = paths[::every]
    names = tuple(path.name for path in chosen)
    return FrameSource(names, partial(_images, chosen), left_out=tuple(left_out))


def _too_long(path: Path) -> bool:
    return len(os.fsencode(path.stem)) + len(_LONGEST_ADDITION) > 255


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


def _images(paths: list[Path], on_end: Callable[[int], None]) -> Frames:
    for path in paths:
        yield path.name, partial(read_frame, path)
    on_end(len(paths))


def frames_of_video(
    side: Side, every: int, *, deinterlace: bool = False, known: Callable[[Path], int | None] = lambda film: None
) -> FrameSource:
    """The frames of the video of a side, under the names that the frames step would give them.

    known: says how many frames a film has, when it was read to its end before.

    Raises what finding and probing the video raise.
    """
    film = find_film(side)
    info = probe(film)
    log.info("%s: %s", film.name, describe(info))
    count = known(film) or count_frames(info)
    digits = max(5, len(str(EVERY_FRAME.expected(info) or 0)))
    names = tuple(_name(number, digits) for number in range(1, count + 1, every))
    frames = partial(_video_frames, info, Selection(deinterlace=deinterlace), digits, every)
    return FrameSource(names, frames, sure=info.frames is not None)


def _name(number: int, digits: int) -> str:
    return f"{number:0{digits}d}.png"


def _video_frames(
    info: VideoInfo, selection: Selection, digits: int, every: int, on_end: Callable[[int], None]
) -> Frames:
    number = 0
    for number, image in enumerate(read_frames(info, selection, on_end=_note_oddities), start=1):
        if (number - 1) % every == 0:
            yield _name(number, digits), partial(_itself, image)
    on_end(number)


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
