"""The points of smoothed faces as they were found, by the geometry that smoothing gave the face.

They are no part of a change: a face whose points go back, or on to others, has another geometry, and what belongs to
that is found again or not at all.
"""

import sqlite3
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from core.faceset.database.cells import BLOB, TEXT, checked_rows, damaged
from core.faceset.database.faces import landmarks_of

_AS_THEY_ARE = """
SELECT faces.face, smoothed.landmarks FROM smoothed
JOIN faces ON faces.face = smoothed.face AND faces.geometry = smoothed.geometry
"""
_KINDS = (TEXT, BLOB)


def found_points(connection: sqlite3.Connection, tracks: tuple[int, int]) -> dict[str, NDArray[np.float64]]:
    """Face -> landmarks (68, 2) before smoothing, of the faces of these tracks (first and last) that are smoothed."""
    rows = connection.execute(f"{_AS_THEY_ARE} WHERE track BETWEEN ? AND ?", tracks)
    return {face: _points(blob) for face, blob in checked_rows(rows, _KINDS, "smoothed")}


def _points(blob: bytes) -> NDArray[np.float64]:
    points = landmarks_of(blob)
    if points is None:
        raise damaged("smoothed", "a face without points")
    return points


def all_found_points(connection: sqlite3.Connection) -> dict[str, bytes]:
    """The same of all faces, as the bytes of the table."""
    rows = checked_rows(connection.execute(_AS_THEY_ARE), _KINDS, "smoothed")
    return {face: _points(blob).tobytes() for face, blob in rows}


def note_found_points(connection: sqlite3.Connection, rows: Iterable[tuple[str, str, bytes]]) -> None:
    """Keep points as found: (face, the geometry that smoothing gives it, 136 little-endian float64)."""
    connection.executemany("INSERT OR REPLACE INTO smoothed VALUES (?, ?, ?)", rows)
