"""The frames that are merged: those of the film, or pictures."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from core.errors import InputError
from core.imaging.codec import read_frame
from core.jobs.alignments.exchange.opened import frame_choice
from core.jobs.frame_receipt import read_receipt
from core.video.film.encoders import FilmSettings
from core.video.film.frames import Frame, read_film
from core.video.film.pictures import numbered
from core.video.film.plan import Plan, plan_film, plan_pictures
from core.video.find import find_film, look_beside
from core.video.info import VideoInfo
from core.video.probe import probe
from core.workspace import Side, list_frames


@dataclass(frozen=True)
class Footage:
    """Frames and how a film of them is written.

    plan: of the new film. info: of the film that they are from; None for pictures. count: how many there are, as far as
    that is known. read: the frames from a number on. identity: tells them from others.
    """

    plan: Plan
    info: VideoInfo | None
    count: int
    read: Callable[[int], Iterator[Frame]]
    identity: str


def open_footage(side: Side, suffix: str, settings: FilmSettings, rate: float | None) -> Footage:
    """The film of a side; where there is none, or its frames were chosen from it, the pictures in its folder.

    suffix: of the new film. rate: frames a second of pictures; None takes what the frames step noted.

    Raises:
        InputError: there are neither, or it is not known how fast pictures are shown.
    """
    if look_beside(side).films and not frame_choice(side):
        return _of_film(find_film(side), suffix, settings)
    if not list_frames(side.frames):
        return _of_film(find_film(side), suffix, settings)
    return _of_pictures(side, suffix, settings, rate)


def _of_film(film: Path, suffix: str, settings: FilmSettings) -> Footage:
    info = probe(film)
    plan = plan_film(info, suffix, settings)

    def read(first: int) -> Iterator[Frame]:
        return read_film(info, first=first, deep=plan.deep, deinterlace=settings.deinterlace)

    status = film.stat()
    return Footage(plan, info, info.frames or 0, read, f"{film.name} {status.st_size} {status.st_mtime_ns}")


def _of_pictures(side: Side, suffix: str, settings: FilmSettings, rate: float | None) -> Footage:
    pictures = numbered(side.frames)
    plan = plan_pictures(suffix, settings, rate=Fraction(rate or _noted_rate(side)).limit_denominator(1001), deep=False)

    def read(first: int) -> Iterator[Frame]:
        # Frames of a film follow each other; numbers that are missing among the pictures are no frames.
        for place, (number, path) in enumerate(pictures.items(), start=1):
            if place >= first:
                yield Frame(number, place - 1, plan.time_base, read_frame(path))

    newest = max(path.stat().st_mtime_ns for path in pictures.values())
    return Footage(plan, None, len(pictures), read, f"{len(pictures)} pictures {newest}")


def _noted_rate(side: Side) -> float:
    receipt = read_receipt(side.frames)
    rate = (receipt.options or {}).get("fps") if receipt else None
    if not rate:
        raise InputError(
            "how fast the pictures are shown is not known", where=side.frames, hint="--rate 25 shows 25 a second"
        )
    return float(rate)
