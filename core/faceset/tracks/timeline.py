"""The frames of a side in the order of their films, with their places in time and their scenes."""

import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.faceset.database.frames import LOOK_BYTES, frame_number, looks
from core.faceset.tracks.cuts import find_cuts
from core.faceset.tracks.held import repeated
from core.workspace import natural_key

# Between films, so that the last frame of one is never a neighbour of the first of the next.
_APART = 100_000


@dataclass(frozen=True, eq=False)
class Timeline:
    """Readable frames in order.

    names: of the frames. number: int (n,), ascending, in frames of the film. scene: int (n,).
    picture: int (n,): the number without the frames that repeat the picture before them, which a recording of a slower
    camera has; as ``number`` where the looks of frames are not known.
    films: how many. cuts: how many were found inside of films; None where the looks of frames are not known.
    """

    names: tuple[str, ...]
    number: NDArray[np.intp]
    scene: NDArray[np.intp]
    picture: NDArray[np.intp]
    films: int
    cuts: int | None


def read_timeline(connection: sqlite3.Connection) -> Timeline:
    """The frames that were looked at. Names such as ``holiday_00012.png`` tell films apart and give the numbers."""
    look = looks(connection)
    films: dict[str, list[str]] = {}
    for name in look:
        films.setdefault(_film(name), []).append(name)
    seen = all(len(one) == LOOK_BYTES for one in look.values())
    names: list[str] = []
    number, scene, repeats = [np.empty(0, np.intp)], [np.empty(0, np.intp)], [np.empty(0, bool)]
    for _, film in sorted(films.items()):
        numbers = np.array(_numbers(film), np.intp)
        order = np.argsort(numbers, kind="stable")
        ordered = [film[i] for i in order]
        start = number[-1][-1] + _APART if names else 0
        tiny = _looks([look[name] for name in ordered]) if seen else None
        names += ordered
        number.append(start + numbers[order] - numbers[order[0]])
        cuts = np.zeros(len(film), bool) if tiny is None else find_cuts(tiny)
        scene.append(np.cumsum(cuts) + (scene[-1][-1] + 1 if len(scene) > 1 else 0))
        repeats.append(np.zeros(len(film), bool) if tiny is None else repeated(number[-1], tiny))
    numbered, scenes = np.concatenate(number), np.concatenate(scene)
    found = int(scenes[-1]) + 1 - len(films) if seen and names else None
    picture = numbered - np.cumsum(np.concatenate(repeats))
    return Timeline(tuple(names), numbered, scenes, picture, len(films), found)


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
