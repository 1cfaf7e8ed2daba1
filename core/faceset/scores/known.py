"""Scores that need no computing: what extraction measured and the face database kept."""

import sqlite3

import numpy as np
from numpy.typing import NDArray

from core.faceset.database import faces, images, measured
from core.faceset.gallery import Gallery

# Column of the scores -> name in the database; the values are those that would be computed.
_MEASURED = {name: name for name in ("pitch", "yaw", "head_pitch", "head_yaw")}


def known_columns(connection: sqlite3.Connection, gallery: Gallery) -> dict[str, NDArray[np.float64]]:
    """Column -> float64 (n,) over the gallery: pitch and yaw, of the format and of the head (radians), and rect_area
    (frame pixels).

    Only columns that are known of every image: where one is missing, all are computed the same way.
    """
    folder = images.ALIGNED if gallery.pak is None else images.PAK
    face_of = {row.name: row.face for row in images.images(connection, folder)}
    shown = [face_of.get(name, "") for name in gallery.names]
    found = {column: measured.scores(connection, name) for column, name in _MEASURED.items()}
    found["rect_area"] = _areas(connection)
    columns = {}
    for column, values in found.items():
        if values.keys() >= set(shown):
            columns[column] = np.array([values[face] for face in shown])
    return columns


def _areas(connection: sqlite3.Connection) -> dict[str, float]:
    """Face -> area of the detector's box in whole pixels, as face files have it."""
    areas = {}
    for face in faces.faces(connection):
        if face.origin != "imported" and np.isfinite(face.box).all():
            left, top, right, bottom = face.box.astype(int).tolist()
            areas[face.id] = float((right - left) * (bottom - top))
    return areas
