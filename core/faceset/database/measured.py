"""What was measured of faces: scores, and identity vectors."""

import sqlite3
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from core.faceset.database.cells import BLOB, NUMBER, TEXT, checked_rows
from core.faceset.database.faces import floats_of


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


def all_vectors(connection: sqlite3.Connection) -> Iterator[tuple[str, str, NDArray[np.float32]]]:
    """(face, embedder, identity vector) of all faces whose points are still those that it was made from."""
    query = """
    SELECT vectors.face, embedder, vector FROM vectors
    JOIN faces ON faces.face = vectors.face AND faces.geometry = vectors.geometry ORDER BY vectors.face, embedder
    """
    for face, embedder, blob in checked_rows(connection.execute(query), (TEXT, TEXT, BLOB), "vectors"):
        yield face, embedder, floats_of(blob, "<f4")


def note_vectors(connection: sqlite3.Connection, embedder: str, found: dict[str, NDArray]) -> None:
    """Keep identity vectors, face -> vector, as made from the points that the faces have now."""
    query = """
    INSERT OR REPLACE INTO vectors SELECT face, ?, geometry, ? FROM faces WHERE face = ?
    """
    rows = ((embedder, np.asarray(vector, "<f4").tobytes(), face) for face, vector in found.items())
    connection.executemany(query, rows)
