"""What is measured of the points of faces for the timeline, kept as long as the points stay."""

import sqlite3
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.faceset.database import faces
from core.geometry.face_shape import unlikeness
from core.workbench.sides.table import FaceTable, hexadecimal

NAMES = ("distance", "extent", "left", "top", "right", "bottom")
# Fewer faces than this are read one by one.
_FEW = 200


@dataclass
class Measures:
    """distance: mean, from the mean face, sides of the unit square; NaN without points. extent: the longer side of what
    the points take up; left, top, right, bottom: of them, pixels of the frame.
    """

    _known: dict[str, tuple[float, ...]] = field(default_factory=dict)

    def of(self, connection: sqlite3.Connection, table: FaceTable, rows: NDArray[np.intp]) -> dict[str, NDArray]:
        """Name -> (n,) float32, of the faces in these rows of the table."""
        geometry = [table.geometry[row] for row in rows]
        unknown = [(row, known) for row, known in zip(rows, geometry, strict=True) if known not in self._known]
        missing = {hexadecimal(table.ids[row]): known for row, known in unknown}
        if len(missing) > _FEW:
            for ids, points in faces.all_points(connection):
                self._note([missing.get(face, "") for face in ids], points)
        else:
            for identity, known in missing.items():
                face = faces.find_face(connection, identity)
                if face is not None:
                    points = faces.points_of(face).astype(np.float64)
                    self._note([known], points[None] if len(points) == 68 else np.tile(points, (34, 1))[None])
        nothing = (np.nan,) * len(NAMES)
        found = np.array([self._known.get(known, nothing) for known in geometry], np.float32).reshape(-1, len(NAMES))
        return dict(zip(NAMES, found.T, strict=True))

    def _note(self, geometry: list[str], points: NDArray[np.float64]) -> None:
        """points: (n, 68, 2)."""
        low, high = points.min(axis=1), points.max(axis=1)
        extent = (high - low).max(axis=1)
        columns = np.column_stack([unlikeness(points), extent, low, high])
        for known, values in zip(geometry, columns.tolist(), strict=True):
            if known:
                self._known[known] = tuple(values)
