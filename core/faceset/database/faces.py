"""The faces: where each is in its frame, what became of it, who it is."""

import itertools
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.faceset.database.cells import (
    BLOB,
    NAME,
    NUMBER,
    TEXT,
    WHOLE,
    checked,
    checked_rows,
    damaged,
    json_object,
    known,
    restored,
    stored,
    value_of,
)
from core.faceset.database.frames import OWN_SOURCE, FrameRow, Source, add_frame, add_source, remove_frame
from core.faceset.database.images import ImageRow, add_image
from core.faceset.identity import birth_id, geometry_of
from core.geometry.landmarks import COUNT
from core.types import Face


@dataclass(frozen=True, eq=False)
class FaceRow:
    """A face as the database has it.

    face: where it is in its frame.
    image: the file as extracted; None for a face that was filtered.
    scores: name -> value, such as yaw in radians.
    vectors: name of the embedder -> identity vector, float32.
    """

    face: Face
    image: ImageRow | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    vectors: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)


def add(
    connection: sqlite3.Connection, results: Iterable[tuple[FrameRow, list[FaceRow]]], origin: Source = OWN_SOURCE
) -> None:
    """Frames of a source with their faces, all or none; a frame that is there is replaced."""
    with connection:
        source = add_source(connection, origin.path, origin.kind, origin.fps)
        for frame, found in results:
            remove_frame(connection, source, frame.name)
            number = add_frame(connection, source, frame)
            for row in found:
                add_face(connection, number, row)


def add_face(connection: sqlite3.Connection, frame: int, row: FaceRow) -> None:
    """Insert a face of the frame with this number, with all that is known of it."""
    face = row.face
    geometry = geometry_of(face.frame, points_of(face))
    add_bare_faces(connection, [(frame, face)])
    if row.image is not None:
        add_image(connection, row.image)
    for name, value in row.scores.items():
        connection.execute("INSERT INTO scores VALUES (?, ?, ?, ?)", (face.id, name, geometry, value))
    for name, vector in row.vectors.items():
        blob = np.asarray(vector, "<f4").tobytes()
        connection.execute("INSERT INTO vectors VALUES (?, ?, ?, ?)", (face.id, name, geometry, blob))


def add_bare_faces(connection: sqlite3.Connection, found: Sequence[tuple[int, Face]]) -> None:
    """Insert faces, each of the frame with this number, without anything that belongs to them."""
    columns = ", ".join(f'"{name}"' for name in ("face", "frame", "geometry", *COLUMNS))
    places = ", ".join("?" * (3 + len(COLUMNS)))
    rows = (
        (face.id, frame, geometry_of(face.frame, points_of(face)), *columns_of(face).values()) for frame, face in found
    )
    connection.executemany(f"INSERT INTO faces ({columns}) VALUES ({places})", rows)


# left and right are keywords of SQL, hence the quotation marks. CROSS JOIN: frame by frame, so that little is sorted.
_FACE = """
SELECT faces.face, frames.name, "left", top, "right", bottom, landmarks, confidence, landmark_confidence, roll, origin,
       faces.status, reason, person, track, faces.extra
FROM frames CROSS JOIN faces ON faces.frame = frames.frame
"""
ORDER = 'ORDER BY frames.name, -("right" - "left") * (bottom - top), faces.face'
_AT_ONCE = 1000
_NAMED_AT_ONCE = 500  # what old versions of SQLite take is 999
_FACE_KINDS = (TEXT, NAME, *[NUMBER] * 4, BLOB, *[NUMBER] * 3, *[TEXT] * 4, WHOLE, TEXT)


def faces(
    connection: sqlite3.Connection,
    status: str = "kept",
    *,
    person: str | None = None,
    tracks: tuple[int, int] | None = None,
) -> Iterator[Face]:
    """All faces of a status, by frame, the largest first.

    status: empty for any. person: of this one only. tracks: only those from the first to the last of these.
    """
    first, last = tracks or (None, None)
    where = """
    (faces.status = :status OR :status = '') AND (person = :person OR :person IS NULL)
    AND (track BETWEEN :first AND :last OR :first IS NULL)
    """
    values = {"status": status, "person": person, "first": first, "last": last}
    rows = connection.execute(f"{_FACE} WHERE {where} {ORDER}", values)
    for row in checked_rows(rows, _FACE_KINDS, "faces"):
        yield _face(*row)


def extras(connection: sqlite3.Connection) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """(id, name of the frame, ``extra``, which nobody may change) of the faces that have something there."""
    query = """
    SELECT faces.face, frames.name, faces.extra FROM faces JOIN frames ON frames.frame = faces.frame
    WHERE faces.extra <> ''
    """
    said = lru_cache(partial(json_object, table="faces"))  # many faces say the same
    for face, frame, extra in checked_rows(connection.execute(query), (TEXT, NAME, TEXT), "faces"):
        yield face, restored(frame), said(extra)


def all_points(connection: sqlite3.Connection) -> Iterator[tuple[list[str], NDArray[np.float64]]]:
    """(ids of faces, n; their landmarks (n, 68, 2), or the corners of the box so often), some at a time."""
    query = 'SELECT face, landmarks, "left", top, "right", bottom FROM faces'
    rows = checked_rows(connection.execute(query), (TEXT, BLOB, *[NUMBER] * 4), "faces")
    while some := list(itertools.islice(rows, _AT_ONCE)):
        points = np.empty((len(some), COUNT, 2))
        with_points = [row for row, values in enumerate(some) if values[1] is not None]
        points[with_points] = all_landmarks([some[row][1] for row in with_points])
        for row, (_, blob, *box) in enumerate(some):
            if blob is None:
                corners = np.array([value_of(value) for value in box], np.float32).reshape(2, 2)
                points[row] = np.tile(corners, (COUNT // 2, 1))
        yield [face for face, *_ in some], points


def find_face(connection: sqlite3.Connection, face: str) -> Face | None:
    """The face with this id."""
    query = _FACE.replace("CROSS JOIN", "JOIN")
    values = connection.execute(f"{query} WHERE faces.face = ?", (face,)).fetchone()
    return None if values is None else _face(*checked(values, _FACE_KINDS, "faces"))


def find_faces(connection: sqlite3.Connection, ids: Sequence[str]) -> Iterator[Face]:
    """The faces with these ids that there are, in their order; ids that come twice are given once."""
    query = _FACE.replace("CROSS JOIN", "JOIN")
    wanted = list(dict.fromkeys(ids))
    for start in range(0, len(wanted), _NAMED_AT_ONCE):
        some = wanted[start : start + _NAMED_AT_ONCE]
        rows = connection.execute(f"{query} WHERE faces.face IN ({', '.join('?' * len(some))})", some)
        by_id = {row[0]: row for row in checked_rows(rows, _FACE_KINDS, "faces")}
        for identity in some:
            if identity in by_id:
                yield _face(*by_id[identity])


def of_frames(connection: sqlite3.Connection, names: Sequence[str]) -> dict[str, list[Face]]:
    """Name of a frame -> its kept faces, the largest first, of these frames (a few hundred at most)."""
    places = ", ".join("?" * len(names))
    query = f"{_FACE.replace('CROSS JOIN', 'JOIN')} WHERE frames.name IN ({places}) AND faces.status = 'kept' {ORDER}"
    found: dict[str, list[Face]] = {}
    for row in checked_rows(connection.execute(query, [stored(name) for name in names]), _FACE_KINDS, "faces"):
        face = _face(*row)
        found.setdefault(face.frame, []).append(face)
    return found


def filtered_by_reason(connection: sqlite3.Connection) -> dict[str, int]:
    """How many faces were filtered for which reason."""
    query = "SELECT reason, COUNT(*) FROM faces WHERE status = 'filtered' GROUP BY reason ORDER BY reason"
    return dict(checked_rows(connection.execute(query), (TEXT, WHOLE), "faces"))


def persons(connection: sqlite3.Connection) -> dict[str, str]:
    """Face -> name of the person, empty for nobody known."""
    return dict(checked_rows(connection.execute("SELECT face, person FROM faces"), (TEXT, TEXT), "faces"))


def name_persons(connection: sqlite3.Connection, persons: Mapping[str, str]) -> None:
    """Say who faces are: face -> name of the person, empty for nobody known."""
    with connection:
        rows = [(person, face) for face, person in persons.items()]
        connection.executemany("UPDATE faces SET person = ? WHERE face = ?", rows)


def floats_of(blob: bytes | None, kind: str) -> NDArray:
    """The numbers in a cell. Raises CorruptFileError when their bytes are not a whole number of them."""
    data = blob or b""
    if len(data) % np.dtype(kind).itemsize:
        raise damaged("vectors or faces", f"{len(data)} bytes are no numbers")
    return np.frombuffer(data, kind)


def landmarks_of(blob: bytes | None) -> NDArray[np.float64] | None:
    if blob is None:
        return None
    points = floats_of(blob, "<f8")
    if points.size != 2 * COUNT or not np.isfinite(points).all():
        raise damaged("faces", "its landmarks are no points")
    return points.reshape(COUNT, 2)


def all_landmarks(blobs: Sequence[bytes]) -> NDArray[np.float64]:
    """The landmarks (n, 68, 2) in many cells at once. Raises CorruptFileError when some are none."""
    points = floats_of(b"".join(blobs), "<f8")
    if {len(blob) for blob in blobs} - {2 * COUNT * points.itemsize} or not np.isfinite(points).all():
        raise damaged("faces", "its landmarks are no points")
    return points.reshape(-1, COUNT, 2)


def _face(face: str, frame: str | bytes, *values: Any) -> Face:
    left, top, right, bottom, landmarks, confidence, sure, roll, origin, status, reason, person, track, extra = values
    return Face(
        box=np.array([value_of(value) for value in (left, top, right, bottom)], np.float32),
        confidence=value_of(confidence),
        roll=value_of(roll),
        landmarks=landmarks_of(landmarks),
        landmark_confidence=value_of(sure),
        frame=restored(frame),
        origin=origin,
        status=status,
        reason=reason,
        person=person,
        track=track,
        extra=json_object(extra, "faces") if extra else {},
        id=face,
    )


def points_of(face: Face) -> NDArray:
    """What a face is known by: its landmarks, or the corners of its box where it has none."""
    return face.box.reshape(2, 2) if face.landmarks is None else face.landmarks


# The columns that say something about a face, but its id, its frame and the hash of its points.
COLUMNS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("left", "top", "right", "bottom"), NUMBER),
    "landmarks": BLOB,
    **dict.fromkeys(("confidence", "landmark_confidence", "roll"), NUMBER),
    **dict.fromkeys(("origin", "status", "reason", "person"), TEXT),
    "track": WHOLE,
    "extra": TEXT,
}
# The fields of ``Face`` that these are.
_PLAIN = ("origin", "status", "reason", "person", "track")
_PLAIN_SET = frozenset(_PLAIN)
_MEASURED = ("confidence", "landmark_confidence", "roll")
_FIELDS = ("box", "landmarks", *_MEASURED, *_PLAIN, "extra")


def columns_of(face: Face) -> dict[str, Any]:
    """The values of ``COLUMNS``, in their order."""
    return columns_for({name: getattr(face, name) for name in _FIELDS})


def columns_for(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that these fields of a ``Face`` are. Raises ValueError for one that never changes."""
    if _PLAIN_SET.issuperset(fields):  # most often, and of many faces
        return dict(fields)
    columns: dict[str, Any] = {}
    for name, value in fields.items():
        if name in _PLAIN:
            columns[name] = value
        elif name == "box":
            columns |= zip(("left", "top", "right", "bottom"), map(known, np.asarray(value, np.float64)), strict=True)
        elif name == "landmarks":
            columns[name] = None if value is None else np.asarray(value, "<f8").tobytes()
        elif name == "extra":
            columns[name] = json.dumps(dict(value)) if value else ""
        elif name in _MEASURED:
            columns[name] = known(value)
        else:
            raise ValueError(f"a face does not change its {name}")
    return columns


def filtered_face(frame: str, reason: str, ordinal: int) -> Face:
    """A face of which nothing is known but that it was filtered: older versions counted only."""
    box = np.full(4, np.nan, np.float32)
    identity = birth_id(f"{frame}\0{reason}", np.array([[ordinal, 0.0]]))
    return Face(box, 0.0, frame=frame, origin="unknown", status="filtered", reason=reason, id=identity)
