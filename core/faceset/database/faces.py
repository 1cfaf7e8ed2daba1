"""Settings, frames, faces, and what was measured of a face: the tables that extraction fills."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.faceset.database.cells import BLOB, NUMBER, TEXT, WHOLE, checked, damaged, json_value
from core.faceset.database.images import ImageRow, add_image
from core.faceset.database.names import NAME, restored, stored
from core.faceset.identity import birth_id, geometry_of
from core.geometry.landmarks import COUNT
from core.types import Face

# The one source of a side until somebody names others: its folder of frames, or the film that these come from.
DEFAULT_SOURCE = "."
_MOST_DIGITS = 18  # that SQLite takes as a number
_MOST_FRAMES = 10**8  # of a film: it would last five weeks


@dataclass(frozen=True)
class FrameRow:
    """A frame that was looked at.

    name: its file name.
    status: ``done`` or ``corrupt``.
    error: why it could not be read, or empty.
    """

    name: str
    status: str = "done"
    error: str = ""


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


def read_settings(connection: sqlite3.Connection) -> dict[str, Any]:
    """How the extraction was asked for; empty in a new file."""
    rows = connection.execute("SELECT key, value FROM settings ORDER BY key")
    return {key: json_value(value, "settings") for key, value in rows}


def write_settings(connection: sqlite3.Connection, settings: Mapping[str, Any]) -> None:
    """Replace the recorded settings (JSON values)."""
    rows = [(key, json.dumps(value)) for key, value in settings.items()]
    with connection:
        connection.execute("DELETE FROM settings")
        connection.executemany("INSERT INTO settings VALUES (?, ?)", rows)


def write_film_length(connection: sqlite3.Connection, film: Mapping[str, Any], frames: int) -> None:
    """Remember how many frames a film gave, read to its end. film: what tells it from others (JSON values)."""
    value = json.dumps({"film": dict(film), "frames": frames})
    with connection:
        connection.execute("INSERT OR REPLACE INTO state VALUES ('film', ?)", (value,))


def film_length(connection: sqlite3.Connection) -> tuple[dict[str, Any], int] | None:
    """What ``write_film_length`` left: the film and how many frames it has; None where there is nothing."""
    row = connection.execute("SELECT value FROM state WHERE key = 'film'").fetchone()
    if row is None:
        return None
    (value,) = checked([json_value(row[0], "state")], [(dict,)], "state")
    film, frames = checked([value.get("film"), value.get("frames")], [(dict,), WHOLE], "state")
    if not 0 <= frames <= _MOST_FRAMES:
        raise damaged("state", f"no film has {frames} frames")
    return film, frames


def add_source(connection: sqlite3.Connection, path: str = DEFAULT_SOURCE, kind: str = "frames") -> int:
    """The number of a source, a new one if need be. path: relative to the side; kind: ``frames`` or ``film``."""
    connection.execute("INSERT OR IGNORE INTO sources (path, kind) VALUES (?, ?)", (path, kind))
    return connection.execute("SELECT source FROM sources WHERE path = ?", (path,)).fetchone()[0]


def add(connection: sqlite3.Connection, results: Iterable[tuple[FrameRow, list[FaceRow]]]) -> None:
    """Frames with their faces, all or none; a frame that is there is replaced."""
    with connection:
        source = add_source(connection)
        for frame, found in results:
            # Its faces go along, and what was measured of them: the foreign keys cascade.
            connection.execute("DELETE FROM frames WHERE source = ? AND name = ?", (source, stored(frame.name)))
            number = add_frame(connection, source, frame)
            for row in found:
                add_face(connection, number, row)


def add_frame(connection: sqlite3.Connection, source: int, frame: FrameRow) -> int:
    """Insert a frame; returns its number in the table."""
    stem = PurePath(frame.name).stem
    values = {
        "source": source,
        "name": stored(frame.name),
        # isdigit alone accepts superscripts and digits of other scripts, which int refuses or reads otherwise.
        "number": int(stem) if stem.isascii() and stem.isdigit() and len(stem) <= _MOST_DIGITS else None,
        "status": frame.status,
        "error": frame.error,
    }
    _insert(connection, "frames", values)
    return connection.execute("SELECT last_insert_rowid()").fetchone()[0]


def add_face(connection: sqlite3.Connection, frame: int, row: FaceRow) -> None:
    """Insert a face of the frame with this number, with all that is known of it."""
    face = row.face
    geometry = geometry_of(face.frame, _points(face))
    box = np.asarray(face.box, np.float64)
    left, top, right, bottom = map(_known, box)
    values = {
        "face": face.id,
        "frame": frame,
        "left": left,
        "top": top,
        "right": right,
        "bottom": bottom,
        "landmarks": None if face.landmarks is None else np.asarray(face.landmarks, "<f8").tobytes(),
        "confidence": _known(face.confidence),
        "landmark_confidence": _known(face.landmark_confidence),
        "roll": _known(face.roll),
        "origin": face.origin,
        "status": face.status,
        "reason": face.reason,
        "person": face.person,
        "geometry": geometry,
    }
    _insert(connection, "faces", values)
    if row.image is not None:
        add_image(connection, row.image)
    for name, value in row.scores.items():
        connection.execute("INSERT INTO scores VALUES (?, ?, ?, ?)", (face.id, name, geometry, value))
    for name, vector in row.vectors.items():
        blob = np.asarray(vector, "<f4").tobytes()
        connection.execute("INSERT INTO vectors VALUES (?, ?, ?, ?)", (face.id, name, geometry, blob))


def forget(connection: sqlite3.Connection) -> None:
    """Drop every frame, and with it its faces and all that is known of them; files are not touched."""
    with connection:
        connection.execute("DELETE FROM frames")


def frames(connection: sqlite3.Connection) -> Iterator[FrameRow]:
    """All frames that were looked at, by name."""
    for name, status, error in connection.execute("SELECT name, status, error FROM frames ORDER BY name"):
        checked((name, status, error), (NAME, TEXT, TEXT), "frames")
        yield FrameRow(restored(name), status, error)


# left and right are keywords of SQL, hence the quotation marks.
_FACE = """
SELECT faces.face, frames.name, "left", top, "right", bottom, landmarks, confidence, landmark_confidence, roll, origin,
       faces.status, reason, person
FROM faces JOIN frames ON frames.frame = faces.frame
"""


_FACE_KINDS = (TEXT, NAME, *[NUMBER] * 4, BLOB, *[NUMBER] * 3, *[TEXT] * 4)


def faces(connection: sqlite3.Connection, status: str = "kept") -> Iterator[Face]:
    """All faces of a status, by frame, the largest first."""
    order = 'ORDER BY frames.name, -("right" - "left") * (bottom - top), faces.face'
    for values in connection.execute(f"{_FACE} WHERE faces.status = ? {order}", (status,)):
        yield _face(*values)


def find_face(connection: sqlite3.Connection, face: str) -> Face | None:
    """The face with this id."""
    values = connection.execute(f"{_FACE} WHERE faces.face = ?", (face,)).fetchone()
    return None if values is None else _face(*values)


def faces_by_frame(connection: sqlite3.Connection) -> dict[str, int]:
    """How many faces each frame that was looked at gave, by name of the frame."""
    query = """
    SELECT frames.name, COUNT(faces.face) FROM frames
    LEFT JOIN faces ON faces.frame = frames.frame AND faces.status = 'kept'
    GROUP BY frames.name ORDER BY frames.name
    """
    return {restored(name): count for name, count in _checked(connection.execute(query), (NAME, WHOLE), "frames")}


def filtered_by_reason(connection: sqlite3.Connection) -> dict[str, int]:
    """How many faces were filtered for which reason."""
    query = "SELECT reason, COUNT(*) FROM faces WHERE status = 'filtered' GROUP BY reason ORDER BY reason"
    return dict(_checked(connection.execute(query), (TEXT, WHOLE), "faces"))


def scores(connection: sqlite3.Connection, name: str) -> dict[str, float]:
    """Face -> value of a score, of faces whose points are still those that it was measured on."""
    query = """
    SELECT scores.face, value FROM scores
    JOIN faces ON faces.face = scores.face AND faces.geometry = scores.geometry WHERE name = ?
    """
    return dict(_checked(connection.execute(query, (name,)), (TEXT, NUMBER), "scores"))


def vectors(connection: sqlite3.Connection, embedder: str) -> dict[str, NDArray[np.float32]]:
    """Face -> identity vector, of faces whose points are still those that it was made from."""
    query = """
    SELECT vectors.face, vector FROM vectors
    JOIN faces ON faces.face = vectors.face AND faces.geometry = vectors.geometry WHERE embedder = ?
    """
    rows = connection.execute(query, (embedder,))
    return {face: floats_of(blob, "<f4") for face, blob in _checked(rows, (TEXT, BLOB), "vectors")}


def persons(connection: sqlite3.Connection) -> dict[str, str]:
    """Face -> name of the person, empty for nobody known."""
    return dict(_checked(connection.execute("SELECT face, person FROM faces"), (TEXT, TEXT), "faces"))


def name_persons(connection: sqlite3.Connection, persons: Mapping[str, str]) -> None:
    """Say who faces are: face -> name of the person, empty for nobody known."""
    with connection:
        rows = [(person, face) for face, person in persons.items()]
        connection.executemany("UPDATE faces SET person = ? WHERE face = ?", rows)


def _checked(rows: Iterable[Any], kinds: Sequence[tuple[type, ...]], table: str) -> Iterator[Any]:
    return (checked(values, kinds, table) for values in rows)


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


def _face(*values: Any) -> Face:
    checked(values, _FACE_KINDS, "faces")
    face, frame, left, top, right, bottom, landmarks, confidence, sure, roll, origin, status, reason, person = values
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
        id=face,
    )


def _known(value: float) -> float | None:
    """NaN is nothing in a database."""
    return None if np.isnan(value) else float(value)


def value_of(value: float | None) -> float:
    """A number from a cell; NULL is NaN."""
    return np.nan if value is None else value


def _points(face: Face) -> NDArray:
    return face.box.reshape(2, 2) if face.landmarks is None else face.landmarks


def _insert(connection: sqlite3.Connection, table: str, values: Mapping[str, Any]) -> None:
    columns = ", ".join(f'"{name}"' for name in values)
    places = ", ".join(f":{name}" for name in values)
    connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({places})", dict(values))


def filtered_face(frame: str, reason: str, ordinal: int) -> Face:
    """A face of which nothing is known but that it was filtered: older versions counted only."""
    box = np.full(4, np.nan, np.float32)
    identity = birth_id(f"{frame}\0{reason}", np.array([[ordinal, 0.0]]))
    return Face(box, 0.0, frame=frame, origin="unknown", status="filtered", reason=reason, id=identity)
