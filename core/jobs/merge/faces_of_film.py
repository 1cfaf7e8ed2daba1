"""Which faces are swapped in which frame, by the database of the side."""

import hashlib
import sqlite3
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from core.errors import InputError
from core.faceset.database import faces
from core.faceset.database.connection import path_of
from core.faceset.database.frames import frame_number
from core.faceset.tracks.timeline import read_timeline
from core.jobs.merge.choices import MergeChoices
from core.merge.dfl.motion import motion_vectors
from core.types import Face

_STILL = (0.0, 0.0)


@dataclass(frozen=True)
class FilmFaces:
    """The faces that are swapped.

    by_number: number of a frame -> its faces, the largest first. motion: number -> (pixels, degrees) of its first face.
    scene: number -> number of its scene. left_out: faces that have no landmarks.
    """

    by_number: dict[int, tuple[Face, ...]]
    motion: dict[int, tuple[float, float]] = field(default_factory=dict)
    scene: dict[int, int] = field(default_factory=dict)
    left_out: int = 0

    @property
    def count(self) -> int:
        return sum(map(len, self.by_number.values()))

    def identity(self) -> str:
        """A digest of all places: other faces make another film."""
        digest = hashlib.sha256()
        for number, there in sorted(self.by_number.items()):
            for face in there:
                digest.update(f"{number} {face.id} {self.scene.get(number, 0)}".encode())
                digest.update(np.asarray(face.landmarks, "<f8").tobytes())
        return digest.hexdigest()


def read_faces(connection: sqlite3.Connection, choices: MergeChoices) -> FilmFaces:
    """The kept faces with landmarks, of the wanted people and frames.

    Raises:
        InputError: there are none, a person is not known, or frames have no numbers.
    """
    known = list(faces.faces(connection))
    _require_persons(choices.persons, {face.person for face in known if face.person})
    wanted = [face for face in known if not choices.persons or face.person in choices.persons]
    found: dict[int, list[Face]] = defaultdict(list)
    for face in wanted:
        if face.landmarks is not None:
            found[_number(face)].append(face)
    motion = _motion(found)
    first, last = choices.first or 1, choices.last or max(found, default=0)
    inside = {number: tuple(there) for number, there in found.items() if first <= number <= last}
    if not inside:
        raise InputError(
            "no face is to be swapped",
            where=path_of(connection),
            why=f"{len(known)} faces are kept on this side",
            hint="look at --person and the range of frames, or extract the faces: step 4",
        )
    timeline = read_timeline(connection)
    scenes = zip(timeline.names, timeline.scene.tolist(), strict=True)
    scene = {number: one for name, one in scenes if (number := frame_number(name)) is not None}
    return FilmFaces(inside, motion, scene, sum(face.landmarks is None for face in wanted))


def _number(face: Face) -> int:
    number = frame_number(face.frame)
    if number is None:
        raise InputError(
            "a frame without a number", where=face.frame, hint="the frames step names frames 00001.png and so on"
        )
    return number


def _motion(found: dict[int, list[Face]]) -> dict[int, tuple[float, float]]:
    """Of the first face of each frame, from the frame before to the one after."""
    if not found:
        return {}
    numbers = range(min(found), max(found) + 1)
    points = [found[number][0].landmarks if number in found else None for number in numbers]
    return dict(zip(numbers, motion_vectors(points), strict=True))


def _require_persons(asked: tuple[str, ...], known: set[str]) -> None:
    for person in asked:
        if person not in known:
            there = f"there are: {', '.join(sorted(known)[:20])}" if known else "nobody has a name yet"
            hint = f"{there}; bash scripts/4.1.3_tracks_dst.sh tells people apart"
            raise InputError("nobody of that name", where=person, hint=hint)
