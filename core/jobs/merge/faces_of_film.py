"""Which faces are swapped in which frame, by the database of the side."""

import hashlib
import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from core.errors import InputError
from core.faceset.database import faces
from core.faceset.database.connection import path_of
from core.faceset.database.frames import frame_number
from core.faceset.tracks.timeline import Timeline, read_timeline
from core.jobs.merge.choices import MergeChoices
from core.jobs.merge.cues import Cue, FaceSettings, settings_of
from core.jobs.merge.tracks import Calmed, calmed
from core.merge.dfl.motion import motion_vectors
from core.types import Face

_STILL = (0.0, 0.0)


@dataclass(frozen=True)
class FilmFaces:
    """The faces that are swapped.

    by_number: number of a frame -> its faces, the largest first. told: number -> how each of them is merged.
    motion: number -> (pixels, degrees) of its first face. scene: number -> number of its scene, from 0.
    track: id of a face -> its track, which lies in one scene; only where the film is calmed. calmed: ids of the faces
    whose landmarks were smoothed for this film.
    left_out: faces that have no landmarks. unused: numbers of cues that no face obeys.
    """

    by_number: dict[int, tuple[Face, ...]]
    told: dict[int, tuple[FaceSettings, ...]]
    motion: dict[int, tuple[float, float]] = field(default_factory=dict)
    scene: dict[int, int] = field(default_factory=dict)
    track: dict[str, int] = field(default_factory=dict)
    calmed: frozenset[str] = frozenset()
    left_out: int = 0
    unused: tuple[int, ...] = ()

    @property
    def count(self) -> int:
        return sum(map(len, self.by_number.values()))

    @property
    def scene_starts(self) -> tuple[int, ...]:
        """The frames with which the scenes begin."""
        starts: dict[int, int] = {}
        for number, scene in sorted(self.scene.items()):
            starts.setdefault(scene, number)
        return tuple(starts.values())

    @property
    def settings(self) -> frozenset[FaceSettings]:
        """All that differ."""
        return frozenset(told for there in self.told.values() for told in there)

    def identity(self, numbers: Iterable[int]) -> str:
        """A digest of the places and settings in these frames: other ones make other frames."""
        digest = hashlib.sha256()
        for number in numbers:
            if number not in self.by_number:
                continue
            digest.update(repr(self.motion.get(number)).encode())
            for face, told in zip(self.by_number[number], self.told[number], strict=True):
                groups = self.scene.get(number, 0), self.track.get(face.id, 0)
                digest.update(f"{number} {face.id} {groups} {told}".encode())
                digest.update(np.asarray(face.landmarks, "<f8").tobytes())
        return digest.hexdigest()


def read_faces(
    connection: sqlite3.Connection, choices: MergeChoices, base: FaceSettings, cues: tuple[Cue, ...] = ()
) -> FilmFaces:
    """The kept faces with landmarks, of the wanted people and frames, and what ``base`` and the cues say of each.

    Raises:
        InputError: there are none, a person or a scene is not known, or frames have no numbers.
    """
    known = list(faces.faces(connection))
    named = {face.person for face in known if face.person}
    _require_persons((*choices.persons, *(cue.person for cue in cues if cue.person)), named)
    timeline = read_timeline(connection)
    _require_scenes(cues, timeline)
    scenes = zip(timeline.names, timeline.scene.tolist(), strict=True)
    scene = {number: one for name, one in scenes if (number := frame_number(name)) is not None}
    strength = choices.calming
    calm = calmed(connection, timeline, known, strength) if strength else Calmed(tuple(known))
    wanted = [face for face in calm.faces if not choices.persons or face.person in choices.persons]
    found: dict[int, list[Face]] = defaultdict(list)
    for face in wanted:
        if face.landmarks is not None:
            found[_number(face)].append(face)
    motion = _motion(found)
    first, last = choices.first or 1, choices.last or max(found, default=0)
    inside = {number: there for number, there in found.items() if first <= number <= last}
    by_number, told, used = told_of(inside, scene, base, cues)
    if not by_number:
        raise InputError(
            "no face is to be swapped",
            where=path_of(connection),
            why=f"{len(known)} faces are kept on this side",
            hint="look at --person, the range of frames and the cues, or extract the faces: step 4",
        )
    left_out = sum(face.landmarks is None for face in wanted)
    unused = tuple(cue.number for cue in cues if cue.number not in used)
    return FilmFaces(by_number, told, motion, scene, calm.track, calm.smoothed, left_out, unused)


def told_of(
    found: dict[int, list[Face]], scene: dict[int, int], base: FaceSettings, cues: tuple[Cue, ...]
) -> tuple[dict[int, tuple[Face, ...]], dict[int, tuple[FaceSettings, ...]], set[int]]:
    """The faces that are swapped, how, and the numbers of the cues that some face obeys.

    found: number of a frame -> its faces. scene: number -> number of its scene, from 0.
    """
    made: dict[tuple[int, ...], FaceSettings] = {}
    by_number: dict[int, tuple[Face, ...]] = {}
    told: dict[int, tuple[FaceSettings, ...]] = {}
    for number, there in found.items():
        pairs = []
        for face in there:
            mine = [cue for cue in cues if cue.means(number, scene.get(number, 0) + 1, face.person)]
            key = tuple(cue.number for cue in mine)
            if key not in made:
                made[key] = settings_of(mine, base)
            if made[key].swap:
                pairs.append((face, made[key]))
        if pairs:
            by_number[number] = tuple(face for face, _ in pairs)
            told[number] = tuple(each for _, each in pairs)
    return by_number, told, {number for key in made for number in key}


def _require_scenes(cues: tuple[Cue, ...], timeline: Timeline) -> None:
    asked = [cue for cue in cues if cue.scene is not None]
    if asked and timeline.cuts is None:
        raise InputError(
            "the scenes of this film are not known",
            where=f"cue {asked[0].number}",
            hint="give frames instead, or extract the faces anew: step 4 looks for cuts",
        )
    count = len(np.unique(timeline.scene))
    for cue in asked:
        if not 1 <= (cue.scene or 0) <= count:
            raise InputError("no scene of that number", where=f"cue {cue.number}", why=f"there are {count}")


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
