"""Faces with no more than a job on all of them asks for: a tuple each instead of a ``Face``."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.faceset.database.cells import (
    BLOB,
    NAME,
    NUMBER,
    TEXT,
    WHOLE,
    checked_columns,
    checked_rows,
    json_object,
    restored,
    value_of,
)
from core.faceset.database.faces import ORDER, landmarks_of


class BriefFace(NamedTuple):
    """What ``Face`` says, but where the face is: of many far quicker, and a tenth of the memory."""

    id: str
    frame: str
    confidence: float
    origin: str
    status: str
    reason: str
    person: str
    track: int


_BRIEF = """
SELECT faces.face, frames.name, confidence, origin, faces.status, reason, person, track
FROM frames CROSS JOIN faces ON faces.frame = frames.frame
"""


def in_brief(connection: sqlite3.Connection, status: str = "kept", *, person: str | None = None) -> Iterator[BriefFace]:
    """The faces that ``faces`` gives, in the same order."""
    query = f"""
    {_BRIEF} WHERE (faces.status = :status OR :status = '') AND (person = :person OR :person IS NULL) {ORDER}
    """
    return _in_brief(connection.execute(query, {"status": status, "person": person}))


def brief_faces(connection: sqlite3.Connection, ids: Iterable[str]) -> Iterator[BriefFace]:
    """The faces with these ids, as far as there are any, in that order."""
    query = f"{_BRIEF.replace('CROSS JOIN', 'JOIN')} WHERE faces.face IN (SELECT value FROM json_each(?))"
    wanted = list(ids)
    found = {face.id: face for face in _in_brief(connection.execute(query, (json.dumps(wanted),)))}
    return (found[face] for face in wanted if face in found)


def _in_brief(rows: Iterable[Any]) -> Iterator[BriefFace]:
    for face, frame, confidence, *rest in checked_rows(rows, (TEXT, NAME, NUMBER, *[TEXT] * 4, WHOLE), "faces"):
        yield BriefFace(face, restored(frame), value_of(confidence), *rest)


class TrackSize(NamedTuple):
    """How many kept faces of a person a track has. person: empty for nobody known. track: 0 for faces without one."""

    track: int
    person: str
    faces: int


def track_sizes(connection: sqlite3.Connection) -> list[TrackSize]:
    """The tracks and who is in them."""
    query = "SELECT track, person, COUNT(*) FROM faces WHERE status = 'kept' GROUP BY track, person"
    return [TrackSize(*row) for row in checked_rows(connection.execute(query), (WHOLE, TEXT, WHOLE), "faces")]


class TrackFace(NamedTuple):
    """A face of a track and where it is. landmarks: as the table has them, or None."""

    id: str
    frame: str
    origin: str
    person: str
    track: int
    landmarks: bytes | None


def track_faces(connection: sqlite3.Connection, tracks: tuple[int, int]) -> Iterator[TrackFace]:
    """The kept faces of the tracks from the first to the last of these, in the order of ``faces``."""
    query = f"""
    SELECT faces.face, frames.name, origin, person, track, landmarks
    FROM frames CROSS JOIN faces ON faces.frame = frames.frame
    WHERE faces.status = 'kept' AND track BETWEEN ? AND ? {ORDER}
    """
    rows = checked_rows(connection.execute(query, tracks), (TEXT, NAME, TEXT, TEXT, WHOLE, BLOB), "faces")
    for face, frame, *rest in rows:
        yield TrackFace(face, restored(frame), *rest)


class PlacedFace(NamedTuple):
    """Where a face is from the left, and what nothing else holds. left: of its box, else of its points; NaN where it
    has neither. extra: see ``Face``.
    """

    id: str
    frame: str
    left: float
    extra: Mapping[str, Any]


def placed_faces(connection: sqlite3.Connection) -> Iterator[PlacedFace]:
    """The kept faces, in the order of ``faces``."""
    query = f"""
    SELECT faces.face, frames.name, "left", CASE WHEN "left" IS NULL THEN landmarks END, faces.extra
    FROM frames CROSS JOIN faces ON faces.frame = frames.frame WHERE faces.status = 'kept' {ORDER}
    """
    rows = checked_rows(connection.execute(query), (TEXT, NAME, NUMBER, BLOB, TEXT), "faces")
    for face, frame, left, landmarks, extra in rows:
        points = landmarks_of(landmarks)
        place = value_of(left) if points is None else float(points[:, 0].min())
        yield PlacedFace(face, restored(frame), place, json_object(extra, "faces") if extra else {})


class ListedFaces(NamedTuple):
    """All that ``Face`` says of some faces, but what nothing else holds: a list a column, one value a face.

    box: left, top, right and bottom; NaN, like ``confidence`` and ``landmark_confidence``, where they are not known.
    landmarks: as the table has them, or None.
    """

    id: Sequence[str]
    frame: Sequence[str]
    box: NDArray[np.float64]
    landmarks: Sequence[bytes | None]
    confidence: NDArray[np.float64]
    landmark_confidence: NDArray[np.float64]
    origin: Sequence[str]
    status: Sequence[str]
    reason: Sequence[str]
    person: Sequence[str]
    track: Sequence[int]


def listed_faces(connection: sqlite3.Connection, at_once: int) -> Iterator[ListedFaces]:
    """The faces of any status, in the order of ``faces``, so many at once."""
    query = f"""
    SELECT faces.face, frames.name, "left", top, "right", bottom, landmarks, confidence, landmark_confidence, origin,
           faces.status, reason, person, track
    FROM frames CROSS JOIN faces ON faces.frame = frames.frame {ORDER}
    """
    kinds = (TEXT, NAME, *[NUMBER] * 4, BLOB, *[NUMBER] * 2, *[TEXT] * 4, WHOLE)
    rows = connection.execute(query)
    while some := rows.fetchmany(at_once):
        face, frame, left, top, right, bottom, landmarks, *sure, origin, status, reason, person, track = (
            checked_columns(some, kinds, "faces")
        )
        box, confidence = np.array([left, top, right, bottom], np.float64), np.array(sure, np.float64)
        names = list(map(restored, frame))
        yield ListedFaces(
            face, names, box, landmarks, confidence[0], confidence[1], origin, status, reason, person, track
        )
