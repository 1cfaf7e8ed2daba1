"""A film of pictures in a folder: numbered files, shown at the times of a film's frames or at a rate."""

import re
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from core.errors import InputError, naming
from core.imaging.codec import decode_any, decode_image
from core.imaging.dimensions import MAX_PIXELS
from core.video.film.encoders import FilmSettings
from core.video.film.frames import Frame, Image, frame_times
from core.video.film.plan import Plan, plan_film, plan_pictures
from core.video.film.writer import FilmReport, FilmWriter
from core.video.info import VideoInfo
from core.workspace import list_frames

_NUMBER = re.compile(r"(?:.*\D)?(\d+)")


def film_of_pictures(
    folder: Path,
    target: Path,
    settings: FilmSettings,
    *,
    reference: VideoInfo | None = None,
    rate: Fraction | None = None,
) -> FilmReport:
    """Write ``target`` from the numbered pictures of a folder.

    reference: the film whose frames they were: it gives their times, the sound, and all else that it has.
    rate: frames a second, where there is no such film.

    Raises:
        InputError: a picture is missing or too many, there are none, or neither times nor rate are known.
        CorruptFileError: a picture is damaged.
        And what ``plan_film`` and ``FilmWriter`` raise.
    """
    pictures = numbered(folder)
    deep = _pixels(next(iter(pictures.values()))).dtype == np.uint16
    if reference is not None:
        times: Sequence[int] = frame_times(reference, deinterlace=settings.deinterlace)
        require_each(pictures, len(times), folder)
        plan = _plan_as(reference, target, settings, deep)
    elif rate is not None:
        require_each(pictures, max(pictures), folder)
        times = range(len(pictures))
        plan = plan_pictures(target.suffix, settings, rate=rate, deep=deep)
    else:
        raise InputError(
            "how long each picture is shown is not known",
            where=folder,
            hint="--reference FILM takes the times and the sound of that film; --rate 25 shows 25 pictures a second",
        )
    with FilmWriter(target, plan, reference, made_from=_made_from(pictures)) as writer:
        for frame in _frames(pictures, times, plan, writer.done + 1):
            writer.write(frame)
        return writer.finish()


def numbered(folder: Path) -> dict[int, Path]:
    """The pictures of a folder by the last number in their names, in order.

    Raises:
        InputError: there are none, one has no number, or two have the same.
    """
    found: dict[int, Path] = {}
    for path in list_frames(folder):
        match = _NUMBER.fullmatch(path.stem)
        if match is None:
            raise InputError("a picture without a number", where=path, hint="frames are called 00001.png and so on")
        other = found.setdefault(int(match[1]), path)
        if other != path:
            raise InputError("two pictures with one number", where=path, why=f"the other is {other.name}")
    if not found:
        raise InputError("no pictures", where=folder, hint="frames are called 00001.png and so on")
    return dict(sorted(found.items()))


def require_each(pictures: Iterable[int], count: int, folder: Path) -> None:
    """Raises InputError unless the numbers are 1 to ``count``, each once."""
    there = set(pictures)
    missing = sorted(set(range(1, count + 1)) - there)
    extra = sorted(number for number in there if not 1 <= number <= count)
    said = [f"{word}: {ranges(numbers)}" for word, numbers in (("missing", missing), ("too many", extra)) if numbers]
    if said:
        raise InputError(
            f"the pictures are not the {count} frames",
            where=folder,
            why="; ".join(said),
            hint="a film of them would be out of step with its sound: make the missing ones again",
        )


def ranges(numbers: Sequence[int]) -> str:
    """Numbers in order for people: 3, 7-9."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    shown = [f"{first}" if first == last else f"{first}-{last}" for first, last in runs[:20]]
    return ", ".join(shown) + (f" and {len(runs) - 20} more" if len(runs) > 20 else "")


def _plan_as(reference: VideoInfo, target: Path, settings: FilmSettings, deep: bool) -> Plan:
    plan = plan_film(reference, target.suffix, settings)
    if plan.deep and not deep:
        raise InputError(
            "the pictures have 8 bits and the film has more",
            where=reference.path,
            why="its colors would lose their depth",
            hint="write pictures of 16 bits, or --bits 8",
        )
    return plan


def _frames(pictures: dict[int, Path], times: Sequence[int], plan: Plan, first: int) -> Iterator[Frame]:
    for number, path in pictures.items():
        if number >= first:
            yield Frame(number, times[number - 1], plan.time_base, _image(path, plan.deep))


def _image(path: Path, deep: bool) -> Image:
    with naming(path):
        data = path.read_bytes()
    if not deep:
        return decode_image(data, path, MAX_PIXELS)
    image = decode_any(data, path, MAX_PIXELS)
    if image.dtype != np.uint16 or image.ndim != 3:
        raise InputError("a picture of another depth", where=path, why=f"{image.dtype}, the others are uint16 BGR")
    return image[..., :3]


def _pixels(path: Path) -> Image:
    with naming(path):
        return decode_any(path.read_bytes(), path, MAX_PIXELS)


def _made_from(pictures: dict[int, Path]) -> str:
    """Pictures that were changed make other films."""
    newest = max(path.stat().st_mtime_ns for path in pictures.values())
    total = sum(path.stat().st_size for path in pictures.values())
    return f"{len(pictures)} pictures, {total} bytes, {newest}"
