"""The frames of a side in the order of their films, with their places in time and their scenes."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from core.faceset.database.frames import LOOK_BYTES, FrameRow, frame_number, frames
from core.faceset.tracks.cuts import find_cuts
from core.workspace import natural_key

# Between films, so that the last frame of one is never a neighbour of the first of the next.
_APART = 100_000


@dataclass(frozen=True, eq=False)
class Timeline:
    """Readable frames in order.

    names: of the frames. number: int (n,), ascending, in frames of the film. scene: int (n,).
    films: how many. cuts: how many were found inside of films; None where the looks of frames are not known.
    """

    names: tuple[str, ...]
    number: NDArray[np.intp]
    scene: NDArray[np.intp]
    films: int
    cuts: int | None


def read_timeline(connection: sqlite3.Connection) -> Timeline:
    """The frames that were looked at. Names such as ``holiday_00012.png`` tell films apart and give the numbers."""
    films: dict[str, list[FrameRow]] = {}
    for frame in frames(connection):
        if frame.status == "done":
            films.setdefault(_film(frame.name), []).append(frame)
    names: list[str] = []
    number: list[int] = []
    scene: list[int] = []
    seen = all(len(frame.look) == LOOK_BYTES for film in films.values() for frame in film)
    for _, film in sorted(films.items()):
        numbers = _numbers(film)
        order = np.argsort(numbers, kind="stable")
        start = number[-1] + _APART if number else 0
        names += [film[i].name for i in order]
        number += [start + numbers[i] - numbers[order[0]] for i in order]
        cuts = find_cuts(_looks([film[i] for i in order])) if seen else np.zeros(len(film), bool)
        scene += (np.cumsum(cuts) + (scene[-1] + 1 if scene else 0)).tolist()
    found = len(set(scene)) - len(films) if seen and names else None
    return Timeline(tuple(names), np.array(number, np.intp), np.array(scene, np.intp), len(films), found)


def _film(name: str) -> str:
    """What the names of a film's frames begin with."""
    return PurePath(name).stem.rpartition("_")[0] if frame_number(name) is not None else "\0"


def _numbers(film: Sequence[FrameRow]) -> list[int]:
    """The numbers in the names; where there are none, the order of the names."""
    numbers = [frame_number(frame.name) for frame in film]
    if None not in numbers:
        return [int(number or 0) for number in numbers]
    place = {name: i for i, name in enumerate(sorted((frame.name for frame in film), key=natural_key))}
    return [place[frame.name] for frame in film]


def _looks(film: Sequence[FrameRow]) -> NDArray[np.uint8]:
    return np.array([np.frombuffer(frame.look, np.uint8) for frame in film]).reshape(len(film), 8, 8, 3)
