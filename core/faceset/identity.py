"""Which face a file shows, whatever it is called: ids that stay, and the state of the points that derived things belong
to.

A face gets its id when it is found: a hash of the name of its frame and its points there. The files that we write say
it. A file that does not (an older one, or one of another program) is of the face that its own source frame and points
give, which is the same hash; so old facesets, packed ones and renamed ones keep their faces without any bookkeeping.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.types import FaceRecord

# Under this name ``Face.extra`` has the place of a face among those of its frame, from 0, where somebody decided it.
INDEX = "index"


def birth_id(frame: str, points: ArrayLike, twin: int = 0) -> str:
    """The id of a face that is found in ``frame`` (a file name) with these points (n, 2) in it: 16 hexadecimal digits.

    twin: tells faces apart that have the very same points.
    """
    return _digest(f"face {twin}" if twin else "face", frame, points)


def geometry_of(frame: str, points: ArrayLike) -> str:
    """A hash of where a face is: what was made from other points than these is stale. Points (n, 2), frame pixels."""
    return _digest("geometry", frame, points)


def geometries_of(frames: Sequence[str], points: NDArray[np.float64]) -> list[str]:
    """``geometry_of`` of many faces: n names of frames, points (n, m, 2)."""
    data = np.ascontiguousarray(points, "<f4")
    return [_hash("geometry", frame, row) for frame, row in zip(frames, data, strict=True)]


def face_id(record: FaceRecord) -> str:
    """The id of the face that a file shows: what the file says, else what its frame and points give."""
    return record.face_id or birth_id(*_source(record))


def identified(record: FaceRecord) -> FaceRecord:
    """The record with the id in it: whoever writes a face file writes whose it is."""
    return record if record.face_id else replace(record, face_id=face_id(record))


def record_geometry(record: FaceRecord) -> str:
    """The geometry that a face file was made from."""
    return geometry_of(*_source(record))


def _source(record: FaceRecord) -> tuple[str, ArrayLike]:
    """(frame, points in it); a file that says neither is known by its own points, which nothing but an edit changes."""
    if record.source_landmarks is None:
        return record.source_filename or "", record.landmarks
    return record.source_filename or "", record.source_landmarks


def _digest(kind: str, frame: str, points: ArrayLike) -> str:
    # float32: the same points come back from files that keep them as float64 and from those that do not.
    return _hash(kind, frame, np.ascontiguousarray(points, "<f4"))


def _hash(kind: str, frame: str, points: NDArray[np.float32]) -> str:
    text = f"{kind}\0{frame}\0".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text + points.tobytes(), digest_size=8).hexdigest()
