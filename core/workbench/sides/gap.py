"""Faces for the frames between two faces of one person."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from core.errors import InputError
from core.faceset.database import faces
from core.faceset.database.frames import frame_ids
from core.faceset.tracks.film_faces import INTERPOLATED, centre_of, width_of
from core.faceset.tracks.gaps import interpolate, interpolated_confidence
from core.faceset.tracks.timeline import read_timeline
from core.types import Face

MOST = 500  # frames
# In face widths: another face of the frame that is so near is this one.
_SAME_PLACE = 0.5
_AROUND = 3  # faces of the track on each side, which tell how fast the head was


def faces_between(connection: sqlite3.Connection, first: Face, last: Face) -> Iterator[tuple[int, Face]]:
    """(number of the frame in the table, a face) for each readable frame between two faces that shows none there.

    Raises:
        InputError: the faces have no points, there is no frame between them, or too many.
    """
    timeline = read_timeline(connection)
    place = {name: k for k, name in enumerate(timeline.names)}
    if first.landmarks is None or last.landmarks is None:
        raise InputError("a face without points cannot be interpolated")
    ends = place.get(first.frame, -1), place.get(last.frame, -1)
    if min(ends) < 0 or not 2 <= ends[1] - ends[0] <= MOST + 1:
        raise InputError("there is no gap between these faces", why=f"it has 1 to {MOST} frames")
    known = _known(connection, first, last)
    time = np.array([timeline.number[place[face.frame]] for face in known], np.float64)
    wanted = timeline.number[ends[0] + 1 : ends[1]].astype(np.float64)
    points = interpolate(time, np.array([face.landmarks for face in known]), wanted)
    both = np.array([timeline.number[ends[0]], timeline.number[ends[1]]], np.float64)
    confidence = interpolated_confidence(both, np.array([first.confidence, last.confidence]), wanted)
    ids = frame_ids(connection)
    for k, name in enumerate(timeline.names[ends[0] + 1 : ends[1]]):
        share = (wanted[k] - both[0]) / (both[1] - both[0])
        face = replace(
            first,
            box=((1 - share) * first.box + share * last.box).astype(np.float32),
            landmarks=points[k],
            confidence=float(confidence[k]),
            landmark_confidence=float(min(confidence[k], first.landmark_confidence)),
            frame=name,
            origin=INTERPOLATED,
            extra={},
            id="",
        )
        if not _is_there(connection, ids[name], face):
            yield ids[name], face


def _known(connection: sqlite3.Connection, first: Face, last: Face) -> list[Face]:
    """The two faces, and some of their track before and after, in the order of the film."""
    if not first.track or first.track != last.track:
        return [first, last]
    timeline = read_timeline(connection)
    place = {name: k for k, name in enumerate(timeline.names)}
    by_place = {
        place[face.frame]: face
        for face in faces.faces(connection, tracks=(first.track, first.track))
        if face.landmarks is not None and face.frame in place
    }
    before = sorted(k for k in by_place if k < place[first.frame])[-_AROUND:]
    after = sorted(k for k in by_place if k > place[last.frame])[:_AROUND]
    return [*(by_place[k] for k in before), first, last, *(by_place[k] for k in after)]


def _is_there(connection: sqlite3.Connection, frame: int, face: Face) -> bool:
    query = "SELECT face FROM faces WHERE frame = ? AND status = 'kept'"
    reach = _SAME_PLACE * width_of(face)
    for (identity,) in connection.execute(query, (frame,)).fetchall():
        other = faces.find_face(connection, identity)
        if other is not None and np.linalg.norm(centre_of(face) - centre_of(other)) < reach:
            return True
    return False
