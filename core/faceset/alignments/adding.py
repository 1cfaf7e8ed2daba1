"""New faces: one that was made before and taken back is the same face again."""

import itertools
import sqlite3
from dataclasses import replace

import numpy as np

from core.faceset.database import faces
from core.faceset.database.changes import UNMADE, Change
from core.faceset.database.faces import FaceRow
from core.faceset.identity import birth_id
from core.types import Face

_TAKEN_OVER = ("box", "landmarks", "confidence", "landmark_confidence", "roll", "origin", "status", "reason")
_FIELDS = (*_TAKEN_OVER, "person", "track", "extra")


def add_again(connection: sqlite3.Connection, change: Change, frame: int, face: Face) -> str:
    """Add a face with landmarks to the frame with this number, as a part of a change; returns its id."""
    for twin in itertools.count():
        identity = birth_id(face.frame, np.asarray(face.landmarks), twin)
        before = faces.find_face(connection, identity)
        if before is None:
            change.add(frame, FaceRow(replace(face, id=identity)))
            return identity
        if before.reason == UNMADE["reason"]:
            change.update(before, **{name: getattr(face, name) for name in _FIELDS})
            return identity
    raise AssertionError("numbers never end")
