"""The faces of a side in the order of the film, as the jobs on time need them."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.faceset.database import measured
from core.faceset.database.cells import TEXT, WHOLE, checked_rows
from core.faceset.database.connection import path_of
from core.faceset.database.names import NAME, restored
from core.faceset.scores.measures import IDENTITY_SIZE
from core.faceset.scores.persons import EMBEDDER
from core.faceset.tracks.link import Detections
from core.faceset.tracks.timeline import Timeline
from core.geometry.landmarks import COUNT
from core.types import Face

# ``Face.origin`` of faces that stand in gaps of their tracks; no picture was looked at for them.
INTERPOLATED = "interpolated"
_AT_ONCE = 1000  # faces


class InTrack(NamedTuple):
    """What is asked of a face where its points are not: see ``Face``."""

    id: str
    frame: str
    track: int
    person: str


def in_tracks(connection: sqlite3.Connection, timeline: Timeline) -> list[InTrack]:
    """The kept faces of readable frames in the order of the film, with or without tracks."""
    query = """
    SELECT face, frames.name, track, person FROM frames JOIN faces ON faces.frame = frames.frame
    WHERE faces.status = 'kept'
    """
    rows = checked_rows(connection.execute(query), (TEXT, NAME, WHOLE, TEXT), "faces")
    place = {name: place for place, name in enumerate(timeline.names)}
    found = [InTrack(face, restored(name), track, person) for face, name, track, person in rows]
    return sorted((face for face in found if face.frame in place), key=lambda face: place[face.frame])


@dataclass(frozen=True, eq=False)
class FilmFaces:
    """faces: in the order of the film. place: int (n,), of the frame of each in the timeline."""

    timeline: Timeline
    faces: tuple[Face, ...]
    place: NDArray[np.intp]

    def number(self, chosen: NDArray[np.intp]) -> NDArray[np.intp]:
        """The frame numbers of these faces."""
        return self.timeline.number[self.place[chosen]]

    def tracks(self, person: str = "") -> Iterator[tuple[int, NDArray[np.intp]]]:
        """Number of each track, and its faces with landmarks, one a frame, in the order of time.

        person: only tracks with faces of this one.
        """
        by_track: dict[int, dict[int, int]] = {}
        named = {face.track for face in self.faces if face.person == person}
        for i, face in enumerate(self.faces):
            if face.track > 0 and face.landmarks is not None and (not person or face.track in named):
                by_track.setdefault(face.track, {}).setdefault(int(self.place[i]), i)
        for track, members in sorted(by_track.items()):
            yield track, np.array(list(members.values()), np.intp)


def in_film_order(timeline: Timeline, found: Sequence[Face]) -> FilmFaces:
    """Faces of readable frames by time, those of a frame in the order that they have."""
    place_of = {name: place for place, name in enumerate(timeline.names)}
    known = [face for face in found if face.frame in place_of]
    place = np.array([place_of[face.frame] for face in known], np.intp)
    order = np.argsort(place, kind="stable")
    return FilmFaces(timeline, tuple(known[i] for i in order), place[order])


def require_tracks(
    found: Sequence[Face | InTrack], connection: sqlite3.Connection, side: str, person: str = ""
) -> None:
    """Raise InputError where no face has a track, or none is of the person."""
    if not any(face.track for face in found):
        hint = f"bash scripts/alignments.sh tracks {side} finds them"
        raise InputError("the faces have no tracks yet", where=path_of(connection), hint=hint)
    persons = sorted({face.person for face in found if face.person})
    if person and person not in persons:
        hint = f"there are: {', '.join(persons[:20])}" if persons else "nobody has a name yet"
        raise InputError("nobody of that name", where=person, hint=hint)


def detections(film: FilmFaces, connection: sqlite3.Connection) -> Detections:
    """What linking needs of the faces."""
    known = measured.vectors(connection, EMBEDDER, stale=True)
    unknown = np.full(IDENTITY_SIZE, np.nan, np.float32)
    found = (known.get(face.id, unknown) for face in film.faces)
    vector = np.array([one if len(one) == IDENTITY_SIZE else unknown for one in found], np.float32)
    centre, width = _places(film.faces)
    return Detections(
        number=film.timeline.number[film.place],
        scene=film.timeline.scene[film.place],
        centre=centre,
        width=width,
        vector=vector.reshape(-1, IDENTITY_SIZE),
    )


def centre_of(face: Face) -> NDArray[np.float64]:
    """The middle of a face in its frame, (2,), pixels."""
    return face.box.reshape(2, 2).mean(axis=0) if face.landmarks is None else face.landmarks.mean(axis=0)


def width_of(face: Face) -> float:
    """The longer side of what the landmarks, or else the box, take up, pixels."""
    points = face.box.reshape(2, 2) if face.landmarks is None else face.landmarks
    return float(np.ptp(points, axis=0).max())


def _places(found: Sequence[Face]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """``centre_of`` (n, 2) and ``width_of`` (n,) of many faces."""
    centre, width = np.empty((len(found), 2)), np.empty(len(found))
    for start in range(0, len(found), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        # A box is as good as its corners as often as there are landmarks.
        points = np.array([_points(face) for face in found[part]])
        x, y = points[:, :, 0].copy(), points[:, :, 1].copy()  # each in one piece: far quicker
        centre[part] = np.column_stack([x.mean(axis=1), y.mean(axis=1)])
        width[part] = np.maximum(np.ptp(x, axis=1), np.ptp(y, axis=1))
    return centre, width


def _points(face: Face) -> NDArray[np.float64]:
    """The landmarks (68, 2), or the corners of the box so often."""
    return np.tile(face.box.reshape(2, 2), (COUNT // 2, 1)) if face.landmarks is None else face.landmarks
