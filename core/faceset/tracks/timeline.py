"""The frames of a side in the order of their films, with their places in time and their scenes."""

import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.faceset.database.frames import LOOK_BYTES, frame_number, looks
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
    look = looks(connection)
    films: dict[str, list[str]] = {}
    for name in look:
        films.setdefault(_film(name), []).append(name)
    names: list[str] = []
    number: list[int] = []
    scene: list[int] = []
    seen = all(len(one) == LOOK_BYTES for one in look.values())
    for _, film in sorted(films.items()):
        numbers = _numbers(film)
        order = np.argsort(numbers, kind="stable")
        start = number[-1] + _APART if number else 0
        ordered = [film[i] for i in order]
        names += ordered
        number += [start + numbers[i] - numbers[order[0]] for i in order]
        cuts = find_cuts(_looks([look[name] for name in ordered])) if seen else np.zeros(len(film), bool)
        scene += (np.cumsum(cuts) + (scene[-1] + 1 if scene else 0)).tolist()
    found = len(set(scene)) - len(films) if seen and names else None
    return Timeline(tuple(names), np.array(number, np.intp), np.array(scene, np.intp), len(films), found)


def _film(name: str) -> str:
    """What the names of a film's frames begin with."""
    return os.path.splitext(name)[0].rpartition("_")[0] if frame_number(name) is not None else "\0"


def _numbers(film: Sequence[str]) -> list[int]:
    """The numbers in the names; where there are none, the order of the names."""
    numbers = [frame_number(name) for name in film]
    if None not in numbers:
        return [int(number or 0) for number in numbers]
    place = {name: i for i, name in enumerate(sorted(film, key=natural_key))}
    return [place[name] for name in film]


def _looks(film: Sequence[bytes]) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(film), np.uint8).reshape(len(film), 8, 8, 3)
