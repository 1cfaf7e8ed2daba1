"""A film made of another, frame by frame; and two films side by side."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from core.video.film.encoders import FilmSettings
from core.video.film.frames import Frame, Image, read_film
from core.video.film.plan import plan_film
from core.video.film.writer import FilmReport, FilmWriter
from core.video.messages import Outcome
from core.video.probe import probe

DEFAULTS = FilmSettings()


def edit_film(
    source: Path,
    target: Path,
    change: Callable[[int, Image], Image],
    settings: FilmSettings = DEFAULTS,
    *,
    made_from: str = "",
) -> FilmReport:
    """Write ``target``: the film ``source`` with every image changed, and all else of it kept.

    change: is given the number of a frame (1 for the first) and its image (H x W x 3 BGR, uint8, or uint16 where the
        film has more than 8 bits); returns an image of the same kind. All that it returns have one size. An interrupted
        run that is made again does not ask for the frames that are stored.
    made_from: what the change depends on, in any words; parts of an interrupted run with other words are thrown away.

    Raises:
        What ``probe``, ``plan_film``, ``read_film`` and ``FilmWriter`` raise.
    """
    info = probe(source)
    plan = plan_film(info, target.suffix, settings)
    with FilmWriter(target, plan, info, made_from=made_from) as writer:
        ended: list[Outcome] = []
        read = partial(read_film, deep=plan.deep, deinterlace=settings.deinterlace, on_end=ended.append)
        for frame in read(info, first=writer.done + 1):
            changed = change(frame.number, frame.image)
            writer.write(replace(frame, image=changed))
        if complaints := ended[-1].complaints:
            writer.note(f"the film is damaged ({complaints[-1]}): it has the frames that decode")
        return writer.finish()


def side_by_side(
    left: Path,
    right: Path,
    target: Path,
    settings: FilmSettings = DEFAULTS,
    *,
    seal: Callable[[Path], None] | None = None,
) -> FilmReport:
    """Write a film that shows two: frame 1 of one beside frame 1 of the other, and so on; times and sound of the left.

    The right one is scaled to the height of the left. Where it has fewer frames its last one stays.

    seal: as of ``FilmWriter``.

    Raises:
        What ``edit_film`` raises.
    """
    info, other = probe(left), probe(right)
    plan = plan_film(info, target.suffix, settings)
    status = right.stat()
    made_from = f"beside {right.name} {status.st_size} {status.st_mtime_ns}"
    read = partial(read_film, deep=plan.deep, deinterlace=settings.deinterlace)
    with FilmWriter(target, plan, info, made_from=made_from, seal=seal) as writer:
        partners = islice(_lasting(read(other)), writer.done, None)
        for frame, image in zip(read(info, first=writer.done + 1), partners, strict=False):
            pair: Any = np.hstack([frame.image, _as_high(image, frame.image.shape[0])])
            writer.write(replace(frame, image=pair))
        return writer.finish()


def _lasting(frames: Iterable[Frame]) -> Iterator[Image]:
    """The images of frames, the last of them for ever."""
    last = None
    for frame in frames:
        last = frame.image
        yield last
    while last is not None:
        yield last


def _as_high(image: Image, height: int) -> Image:
    width = max(round(image.shape[1] * height / image.shape[0]), 1)
    if image.shape[:2] == (height, width):
        return image
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)  # type: ignore[return-value]
