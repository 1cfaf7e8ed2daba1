"""Which faces of a film follow each other, and their landmarks without trembling, for this film only."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from core.faceset.database.measured import all_found_points
from core.faceset.tracks.film_faces import FilmFaces, detections, in_film_order
from core.faceset.tracks.link import link
from core.faceset.tracks.smooth import smooth_track
from core.faceset.tracks.timeline import Timeline
from core.jobs.alignments.time.smooth import HAND
from core.jobs.alignments.time.tracks import TrackSettings
from core.types import Face


@dataclass(frozen=True)
class Calmed:
    """Faces of a film.

    faces: as they were given, the smoothed ones with their new points. track: id of a face -> its track, which lies in
    one scene. smoothed: ids of the faces that were.
    """

    faces: tuple[Face, ...]
    track: dict[str, int] = field(default_factory=dict)
    smoothed: frozenset[str] = frozenset()


def calmed(connection: sqlite3.Connection, timeline: Timeline, found: Sequence[Face], strength: float) -> Calmed:
    """Smooth the landmarks of each track inside of its scene. Tracks that were smoothed before stay as they are.

    Where the database has no tracks, faces are linked as the tracks step does it; nothing is written.

    strength: 0..1.

    Raises:
        CorruptFileError: points from before smoothing are damaged.
    """
    film = in_film_order(timeline, [face for face in found if face.landmarks is not None])
    faces = list(film.faces)
    track: dict[str, int] = {}
    smoothed: set[str] = set()
    before = all_found_points(connection)
    for number, members in enumerate(_tracks(film, connection), start=1):
        track |= {faces[i].id: number for i in members}
        if not any(faces[i].id in before for i in members):
            for i, points in zip(members, _points(film, members, strength), strict=True):
                faces[i] = replace(faces[i], landmarks=points)
            smoothed.update(faces[i].id for i in members)
    known = {face.id: face for face in faces}
    return Calmed(tuple(known.get(face.id, face) for face in found), track, frozenset(smoothed))


def _tracks(film: FilmFaces, connection: sqlite3.Connection) -> Iterator[NDArray[np.intp]]:
    """The faces of each track in the order of time; a track that goes on behind a cut is another one there."""
    scene = film.timeline.scene[film.place]
    for members in _known_tracks(film) or _linked(film, connection):
        for one in np.unique(scene[members]):
            yield members[scene[members] == one]


def _known_tracks(film: FilmFaces) -> list[NDArray[np.intp]]:
    return [members for _, members in film.tracks()]


def _linked(film: FilmFaces, connection: sqlite3.Connection) -> list[NDArray[np.intp]]:
    label = link(detections(film.faces, film.timeline, connection), TrackSettings().max_gap)
    order = np.argsort(label, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(label[order])) + 1) if len(label) else []


def _points(film: FilmFaces, members: NDArray[np.intp], strength: float) -> NDArray[np.float64]:
    there = [film.faces[i] for i in members]
    fixed = np.array([face.origin == HAND for face in there])
    time = film.number(members).astype(np.float64)
    return smooth_track(time, np.array([face.landmarks for face in there], np.float64), strength, fixed)
