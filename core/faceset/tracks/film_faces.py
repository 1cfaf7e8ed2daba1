"""The faces of a side in the order of the film, as the jobs on time need them."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.faceset.database import measured
from core.faceset.database.brief import BriefFace, TrackFace, TrackSize, in_brief
from core.faceset.database.connection import path_of
from core.faceset.database.faces import all_points
from core.faceset.scores.measures import IDENTITY_SIZE
from core.faceset.scores.persons import EMBEDDER
from core.faceset.tracks.link import Detections
from core.faceset.tracks.timeline import Timeline
from core.types import Face

# ``Face.origin`` of faces that stand in gaps of their tracks; no picture was looked at for them.
INTERPOLATED = "interpolated"
Found = TypeVar("Found", Face, TrackFace)


def in_tracks(connection: sqlite3.Connection, timeline: Timeline, status: str = "kept") -> list[BriefFace]:
    """The faces of a status of readable frames, with or without tracks, in the order of ``in_film_order``."""
    place = {name: place for place, name in enumerate(timeline.names)}
    found = [face for face in in_brief(connection, status) if face.frame in place]
    return sorted(found, key=lambda face: place[face.frame])


@dataclass(frozen=True, eq=False)
class FilmFaces(Generic[Found]):
    """faces: in the order of the film. place: int (n,), of the frame of each in the timeline."""

    timeline: Timeline
    faces: tuple[Found, ...]
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


def in_film_order(timeline: Timeline, found: Sequence[Found]) -> FilmFaces[Found]:
    """Faces of readable frames by time, those of a frame in the order that they have."""
    place_of = {name: place for place, name in enumerate(timeline.names)}
    known = [face for face in found if face.frame in place_of]
    place = np.array([place_of[face.frame] for face in known], np.intp)
    order = np.argsort(place, kind="stable")
    return FilmFaces(timeline, tuple(known[i] for i in order), place[order])


def require_tracks(
    found: Sequence[Face | TrackSize], connection: sqlite3.Connection, side: str, person: str = ""
) -> None:
    """Raise InputError where no face has a track, or none is of the person."""
    if not any(face.track for face in found):
        hint = f"bash scripts/alignments.sh tracks {side} finds them"
        raise InputError("the faces have no tracks yet", where=path_of(connection), hint=hint)
    persons = sorted({face.person for face in found if face.person})
    if person and person not in persons:
        hint = f"there are: {', '.join(persons[:20])}" if persons else "nobody has a name yet"
        raise InputError("nobody of that name", where=person, hint=hint)


def detections(found: Sequence[Face | BriefFace], timeline: Timeline, connection: sqlite3.Connection) -> Detections:
    """What linking needs of faces in the order of the film."""
    place_of = {name: place for place, name in enumerate(timeline.names)}
    place = np.array([place_of[face.frame] for face in found], np.intp)
    centre, width = _places(connection, [face.id for face in found])
    return Detections(timeline.number[place], timeline.scene[place], centre, width, _vectors(connection, found))


def _vectors(connection: sqlite3.Connection, found: Sequence[Face | BriefFace]) -> NDArray[np.float32]:
    ids, matrix = measured.vector_matrix(connection, EMBEDDER, IDENTITY_SIZE)
    row = {face: row for row, face in enumerate(ids)}
    known = [k for k, face in enumerate(found) if face.id in row]
    vector = np.full((len(found), IDENTITY_SIZE), np.nan, np.float32)
    vector[known] = matrix[[row[found[k].id] for k in known]]
    return vector


def centre_of(face: Face) -> NDArray[np.float64]:
    """The middle of a face in its frame, (2,), pixels."""
    return face.box.reshape(2, 2).mean(axis=0) if face.landmarks is None else face.landmarks.mean(axis=0)


def width_of(face: Face) -> float:
    """The longer side of what the landmarks, or else the box, take up, pixels."""
    points = face.box.reshape(2, 2) if face.landmarks is None else face.landmarks
    return float(np.ptp(points, axis=0).max())


def _places(connection: sqlite3.Connection, ids: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """``centre_of`` (n, 2) and ``width_of`` (n,) of the faces with these ids, read some at a time."""
    row = {face: row for row, face in enumerate(ids)}
    centre, width = np.empty((len(ids), 2)), np.empty(len(ids))
    for some, points in all_points(connection):
        known = [k for k, face in enumerate(some) if face in row]
        rows = [row[some[k]] for k in known]
        x, y = points[known, :, 0], points[known, :, 1]  # each in one piece: far quicker
        centre[rows] = np.column_stack([x.mean(axis=1), y.mean(axis=1)])
        width[rows] = np.maximum(np.ptp(x, axis=1), np.ptp(y, axis=1))
    return centre, width
