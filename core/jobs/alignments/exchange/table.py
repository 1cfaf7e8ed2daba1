"""All faces of a side as a table for people and their programs: CSV, a row a face."""

import csv
import io
import itertools
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from core.faces.cropping import eyes_rolls, whole_face_poses
from core.faceset.database.brief import ListedFaces, listed_faces
from core.faceset.database.cells import NUMBER, TEXT, checked_rows
from core.faceset.database.faces import all_landmarks
from core.fsio import write_text

_AT_ONCE = 2000  # faces: what fits into the cache of a processor
_HEAD = (
    *("id", "frame", "left", "top", "right", "bottom", "pitch", "yaw", "roll", "person", "track", "status", "reason"),
    *("origin", "confidence", "landmark_confidence"),
)


def write_table(connection: sqlite3.Connection, path: Path) -> tuple[int, int]:
    """Write all faces, also those that are filtered or dropped; returns how many frames and faces there are.

    Pixels of the frame, angles in degrees; what is not known is empty. Scores have columns of their own after the
    usual ones.
    """
    scores = _scores(connection)
    names = sorted({name for of_face in scores.values() for name in of_face} - {"pitch", "yaw", "roll"})
    text, count = io.StringIO(), 0
    frames: set[str] = set()
    table = csv.writer(text, lineterminator="\n")
    table.writerow([*_HEAD, *names])
    # The solver of poses spreads faces over the processors: threads of the algebra would only wait for each other.
    with threadpool_limits(1, "blas"):
        for some in listed_faces(connection, _AT_ONCE):
            known = [scores.get(face, {}) for face in some.id]
            more = [[of_face.get(name, "") for of_face in known] for name in names]
            table.writerows(zip(*_columns(some, known), *more, strict=True))
            frames.update(some.frame)
            count += len(some.id)
    write_text(path, text.getvalue())
    return len(frames), count


def _columns(some: ListedFaces, known: Sequence[Mapping[str, float]]) -> list[Sequence[object]]:
    """The columns of ``_HEAD``; empty texts for what is not known."""
    sure = np.stack([some.confidence, some.landmark_confidence])
    numbers = np.concatenate([some.box.round(1), _poses(some, known).round(2), sure.round(4)])
    cells = numbers.astype(object)
    cells[np.isnan(numbers)] = ""
    *placed, confidence, landmark_confidence = cells.tolist()
    tracks = [track or "" for track in some.track]
    said = (some.person, tracks, some.status, some.reason, some.origin)
    return [some.id, some.frame, *placed, *said, confidence, landmark_confidence]


def _poses(some: ListedFaces, known: Sequence[Mapping[str, float]]) -> NDArray[np.float64]:
    """Pitch, yaw and roll (3, n) in degrees as extraction measures them. known: scores of each, which save a solver."""
    found = np.full((len(some.id), 3), np.nan)
    placed = [row for row, blob in enumerate(some.landmarks) if blob is not None]
    points = all_landmarks([some.landmarks[row] or b"" for row in placed])
    found[placed, 2] = eyes_rolls(points)
    measured = [{"pitch", "yaw"} <= known[row].keys() for row in placed]
    stale = np.flatnonzero(np.logical_not(measured))
    found[np.array(placed, np.intp)[stale], :2] = whole_face_poses(points[stale])
    for row in itertools.compress(placed, measured):
        found[row, :2] = known[row]["pitch"], known[row]["yaw"]
    return np.degrees(found).T


def _scores(connection: sqlite3.Connection) -> dict[str, dict[str, float]]:
    """Face -> name -> value, of faces whose points are still those that were measured."""
    query = """
    SELECT scores.face, name, value FROM faces
    CROSS JOIN scores ON scores.face = faces.face AND scores.geometry = faces.geometry
    """
    found: dict[str, dict[str, float]] = {}
    for face, name, value in checked_rows(connection.execute(query), (TEXT, TEXT, NUMBER), "scores"):
        if value is not None:
            found.setdefault(face, {})[name] = value
    return found
