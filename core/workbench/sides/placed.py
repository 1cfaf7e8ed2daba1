"""The faces of frames with their places, as the page draws and moves them."""

import math
import sqlite3
from collections.abc import Sequence
from typing import Any

import numpy as np

from core.errors import PipelineError
from core.faceset.alignments.marks import KEY
from core.faceset.database import faces
from core.faceset.database.cells import WHOLE, checked_rows
from core.faceset.database.names import NAME, restored, stored
from core.faceset.identity import geometry_of
from core.geometry.align import FaceType, face_matrix, invert, transform_points
from core.types import Face
from core.workbench.sides.placing import seen_as
from core.workbench.sides.table import FaceTable

MOST = 64  # frames at once


def placed(connection: sqlite3.Connection, table: FaceTable, first: int, count: int) -> list[dict[str, Any]]:
    """The kept faces of the frames with the numbers first, first + 1, ... (JSON values)."""
    names = table.frame_names[first : first + count]
    found = faces.of_frames(connection, names)
    sizes = _sizes(connection, names)
    return [
        {
            "number": first + k,
            "name": name,
            "size": sizes.get(name),
            "faces": [_shown(face, table) for face in found.get(name, ())],
        }
        for k, name in enumerate(names)
    ]


def _sizes(connection: sqlite3.Connection, names: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Name -> (width, height), of the frames whose size is known."""
    places = ", ".join("?" * len(names))
    query = f"SELECT name, width, height FROM frames WHERE name IN ({places}) AND width > 0 AND height > 0"
    rows = connection.execute(query, [stored(name) for name in names])
    return {
        restored(name): (width, height) for name, width, height in checked_rows(rows, (NAME, WHOLE, WHOLE), "frames")
    }


def near(connection: sqlite3.Connection, table: FaceTable, number: int) -> dict[str, Any]:
    """The next frames before and after this one that show faces, as ``placed`` gives them; None where there is none."""
    status, words = table.words["status"]
    with_faces = np.unique(table.frames[status == words.index("kept")]) if "kept" in words else np.empty(0, np.int32)
    before, after = with_faces[with_faces < number], with_faces[with_faces > number]
    return {
        "previous": placed(connection, table, int(before[-1]), 1)[0] if len(before) else None,
        "next": placed(connection, table, int(after[0]), 1)[0] if len(after) else None,
    }


def _shown(face: Face, table: FaceTable) -> dict[str, Any]:
    picture = table.pictures.get(face.id)
    return {
        "id": face.id,
        "base": seen_as(face),
        "box": _numbers(face.box),
        "points": None if face.landmarks is None else face.landmarks.round(3).tolist(),
        "square": _square(face),
        "roll": _number(face.roll),
        "confidence": _number(face.confidence),
        "sure": _number(face.landmark_confidence),
        "origin": face.origin,
        "person": face.person,
        "track": face.track,
        "mark": face.extra.get(KEY, ""),
        "picture": picture is not None,
        "stale": picture is None or picture.geometry != geometry_of(face.frame, faces.points_of(face)),
    }


def _square(face: Face) -> list[list[float]] | None:
    """The corners of the crop of a whole face, from the top left clockwise."""
    if face.landmarks is None:
        return None
    try:
        back = invert(face_matrix(face.landmarks, 1, FaceType.WHOLE_FACE))
    except PipelineError:
        return None
    corners = transform_points([(0, 0), (1, 0), (1, 1), (0, 1)], back)
    return corners.round(3).tolist()


def _numbers(values: Sequence[float] | np.ndarray) -> list[float] | None:
    known = np.asarray(values, np.float64)
    return known.round(3).tolist() if np.isfinite(known).all() else None


def _number(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None
