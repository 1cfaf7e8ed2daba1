"""All faces of a side as a table for people and their programs: CSV, a row a face."""

import csv
import io
import math
import sqlite3
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from core.errors import InputError
from core.faces.cropping import CropSettings, eyes_roll, pose_scores, record_of
from core.faceset.database import faces
from core.faceset.database.cells import NUMBER, TEXT, checked_rows
from core.fsio import write_text
from core.types import Face

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
    text, frames, count = io.StringIO(), set(), 0
    table = csv.writer(text, lineterminator="\n")
    table.writerow([*_HEAD, *names])
    for face in faces.faces(connection, ""):
        known = scores.get(face.id, {})
        table.writerow([*_row(face, known), *(known.get(name, "") for name in names)])
        frames.add(face.frame)
        count += 1
    write_text(path, text.getvalue())
    return len(frames), count


def _row(face: Face, known: Mapping[str, float]) -> list[object]:
    box = [_number(float(n), 1) for n in face.box]
    pose = [_number(math.degrees(angle), 2) for angle in _pose(face, known)]
    sure = [_number(face.confidence, 4), _number(face.landmark_confidence, 4)]
    return [
        face.id,
        face.frame,
        *box,
        *pose,
        face.person,
        face.track or "",
        face.status,
        face.reason,
        face.origin,
        *sure,
    ]


def _pose(face: Face, known: Mapping[str, float]) -> tuple[float, float, float]:
    """Pitch, yaw and roll in radians as extraction measures them. known: scores of the face, which save a solver."""
    if face.landmarks is None:
        return math.nan, math.nan, math.nan
    roll = eyes_roll(np.asarray(face.landmarks))
    if {"pitch", "yaw"} <= known.keys():
        return known["pitch"], known["yaw"], roll
    try:
        found = pose_scores(record_of(face, "", CropSettings(size=256)))
    except InputError:
        return math.nan, math.nan, roll
    return found["pitch"], found["yaw"], roll


def _number(value: float, digits: int) -> object:
    return "" if math.isnan(value) else round(value, digits)


def _scores(connection: sqlite3.Connection) -> dict[str, dict[str, float]]:
    """Face -> name -> value, of faces whose points are still those that were measured."""
    query = """
    SELECT scores.face, name, value FROM scores
    JOIN faces ON faces.face = scores.face AND faces.geometry = scores.geometry
    """
    found: dict[str, dict[str, float]] = {}
    for face, name, value in checked_rows(connection.execute(query), (TEXT, TEXT, NUMBER), "scores"):
        if value is not None:
            found.setdefault(face, {})[name] = value
    return found
