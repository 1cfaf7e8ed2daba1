"""What was made from faces: scores, identity vectors, thumbnails, the points of smoothed ones as they were found."""

import sqlite3
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from core.faceset.database.cells import BLOB, NUMBER, TEXT, checked_rows, damaged
from core.faceset.database.faces import floats_of, landmarks_of


def scores(connection: sqlite3.Connection, name: str) -> dict[str, float]:
    """Face -> value of a score, of faces whose points are still those that it was measured on."""
    query = """
    SELECT scores.face, value FROM scores
    JOIN faces ON faces.face = scores.face AND faces.geometry = scores.geometry WHERE name = ?
    """
    return dict(checked_rows(connection.execute(query, (name,)), (TEXT, NUMBER), "scores"))


def vectors(connection: sqlite3.Connection, embedder: str, *, stale: bool = False) -> dict[str, NDArray[np.float32]]:
    """Face -> identity vector, of faces whose points are still those that it was made from.

    stale: of the others as well: points that moved a little still show the same person.
    """
    query = "SELECT vectors.face, vector FROM vectors WHERE embedder = ?"
    if not stale:
        query = """
        SELECT vectors.face, vector FROM vectors
        JOIN faces ON faces.face = vectors.face AND faces.geometry = vectors.geometry WHERE embedder = ?
        """
    rows = connection.execute(query, (embedder,))
    return {face: floats_of(blob, "<f4") for face, blob in checked_rows(rows, (TEXT, BLOB), "vectors")}


def vector_matrix(connection: sqlite3.Connection, embedder: str, size: int) -> tuple[list[str], NDArray[np.float32]]:
    """(ids of faces, ascending; their identity vectors, (n, size)), also of faces whose points have moved since.

    Of many far quicker than ``vectors``; those of another length are left out.
    """
    rows = connection.execute("SELECT face, vector FROM vectors WHERE embedder = ? ORDER BY face", (embedder,))
    length = size * np.dtype("<f4").itemsize
    found = [row for row in checked_rows(rows, (TEXT, BLOB), "vectors") if row[1] is not None and len(row[1]) == length]
    return [face for face, _ in found], floats_of(b"".join(blob for _, blob in found), "<f4").reshape(-1, size)


def all_vectors(connection: sqlite3.Connection) -> Iterator[tuple[str, str, NDArray[np.float32]]]:
    """(face, embedder, identity vector) of all faces whose points are still those that it was made from."""
    query = """
    SELECT vectors.face, embedder, vector FROM vectors
    JOIN faces ON faces.face = vectors.face AND faces.geometry = vectors.geometry ORDER BY vectors.face, embedder
    """
    for face, embedder, blob in checked_rows(connection.execute(query), (TEXT, TEXT, BLOB), "vectors"):
        yield face, embedder, floats_of(blob, "<f4")


# Not by REPLACE, for which SQLite copies pages before each row in case that it has to take it back.
_VECTOR_AGAIN = "ON CONFLICT (face, embedder) DO UPDATE SET geometry = excluded.geometry, vector = excluded.vector"


def note_vectors(connection: sqlite3.Connection, embedder: str, found: dict[str, NDArray]) -> None:
    """Keep identity vectors, face -> vector, as made from the points that the faces have now."""
    query = f"INSERT INTO vectors SELECT face, ?, geometry, ? FROM faces WHERE face = ? {_VECTOR_AGAIN}"
    rows = ((embedder, np.asarray(vector, "<f4").tobytes(), face) for face, vector in found.items())
    connection.executemany(query, rows)


def note_made_vectors(
    connection: sqlite3.Connection, found: Iterable[tuple[str, str, str, NDArray[np.float32]]]
) -> None:
    """Keep identity vectors: (face, embedder, the geometry that it was made from, vector)."""
    rows = ((face, name, geometry, np.asarray(vector, "<f4").tobytes()) for face, name, geometry, vector in found)
    connection.executemany(f"INSERT INTO vectors VALUES (?, ?, ?, ?) {_VECTOR_AGAIN}", rows)


# The points as found, by the geometry that smoothing gave the face. They are no part of a change: a face whose points
# go back, or on to others, has another geometry, and what belongs to that is found again or not at all.
_SMOOTHED = """
SELECT faces.face, smoothed.landmarks FROM smoothed
JOIN faces ON faces.face = smoothed.face AND faces.geometry = smoothed.geometry
"""
_SMOOTHED_KINDS = (TEXT, BLOB)


def found_points(connection: sqlite3.Connection, tracks: tuple[int, int]) -> dict[str, bytes]:
    """Face -> landmarks before smoothing, as the table has them, of the smoothed faces of tracks (first, last)."""
    rows = connection.execute(f"{_SMOOTHED} WHERE track BETWEEN ? AND ?", tracks)
    return dict(checked_rows(rows, _SMOOTHED_KINDS, "smoothed"))


def _points(blob: bytes) -> NDArray[np.float64]:
    points = landmarks_of(blob)
    if points is None:
        raise damaged("smoothed", "a face without points")
    return points


def all_found_points(connection: sqlite3.Connection) -> dict[str, bytes]:
    """The same of all faces, as the bytes of the table."""
    rows = checked_rows(connection.execute(_SMOOTHED), _SMOOTHED_KINDS, "smoothed")
    return {face: _points(blob).tobytes() for face, blob in rows}


def note_found_points(connection: sqlite3.Connection, rows: Iterable[tuple[str, str, bytes]]) -> None:
    """Keep points as found: (face, the geometry that smoothing gives it, 136 little-endian float64)."""
    query = """
    INSERT INTO smoothed VALUES (?, ?, ?) ON CONFLICT (face, geometry) DO UPDATE SET landmarks = excluded.landmarks
    """
    connection.executemany(query, rows)


def note_thumbs(connection: sqlite3.Connection, found: Iterable[tuple[str, bytes]]) -> None:
    """Keep the thumbnails of faces as they are now: face, JPEG."""
    query = """
    INSERT INTO thumbs SELECT face, geometry, ? FROM faces WHERE face = ?
    ON CONFLICT (face) DO UPDATE SET geometry = excluded.geometry, jpeg = excluded.jpeg
    """
    connection.executemany(query, ((jpeg, face) for face, jpeg in found))


def thumbs(connection: sqlite3.Connection) -> dict[str, bytes]:
    """Face -> JPEG, of faces whose points are still those that it shows."""
    query = """
    SELECT thumbs.face, jpeg FROM thumbs
    JOIN faces ON faces.face = thumbs.face AND faces.geometry = thumbs.geometry
    """
    return dict(checked_rows(connection.execute(query), (TEXT, BLOB), "thumbs"))
