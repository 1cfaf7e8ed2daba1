"""All faces of a side as a table for people and their programs: CSV, a row a face."""

import csv
import io
import itertools
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.faces.cropping import eyes_rolls, whole_face_poses
from core.faceset.database.brief import ListedFace, listed_faces
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
    listed = listed_faces(connection)
    while some := list(itertools.islice(listed, _AT_ONCE)):
        known = [scores.get(face.id, {}) for face in some]
        for face, of_face, numbers in zip(some, known, _numbers(some, known), strict=True):
            table.writerow([*_row(face, numbers), *(of_face.get(name, "") for name in names)])
        frames.update(face.frame for face in some)
        count += len(some)
    write_text(path, text.getvalue())
    return len(frames), count


def _row(face: ListedFace, numbers: Sequence[object]) -> list[object]:
    said = (face.person, face.track or "", face.status, face.reason, face.origin)
    return [face.id, face.frame, *numbers[:7], *said, *numbers[7:]]


def _numbers(some: Sequence[ListedFace], known: Sequence[Mapping[str, float]]) -> list[list[object]]:
    """The box, the pose and both confidences of each face, rounded; empty texts for what is not known."""
    boxes = np.array([face[2:6] for face in some])
    sure = np.array([(face.confidence, face.landmark_confidence) for face in some])
    numbers = np.concatenate([boxes.round(1), _poses(some, known).round(2), sure.round(4)], axis=1)
    cells = numbers.astype(object)
    cells[np.isnan(numbers)] = ""
    return cells.tolist()


def _poses(some: Sequence[ListedFace], known: Sequence[Mapping[str, float]]) -> NDArray[np.float64]:
    """Pitch, yaw and roll (n, 3) in degrees as extraction measures them. known: scores of each, which save a solver."""
    found = np.full((len(some), 3), np.nan)
    placed = [row for row, face in enumerate(some) if face.landmarks is not None]
    points = all_landmarks([some[row].landmarks or b"" for row in placed])
    found[placed, 2] = eyes_rolls(points)
    measured = [{"pitch", "yaw"} <= known[row].keys() for row in placed]
    stale = np.flatnonzero(np.logical_not(measured))
    found[np.array(placed, np.intp)[stale], :2] = whole_face_poses(points[stale])
    for row in itertools.compress(placed, measured):
        found[row, :2] = known[row]["pitch"], known[row]["yaw"]
    return np.degrees(found)


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
