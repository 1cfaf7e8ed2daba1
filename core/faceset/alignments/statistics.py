"""What the database says of all faces of a side, counted."""

import itertools
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from core.faceset.database.cells import BLOB, NAME, TEXT, WHOLE, checked_rows, restored
from core.faceset.database.faces import all_landmarks
from core.geometry.face_shape import unlikeness

# Landmarks that are farther than this from the mean face, sides of the unit square, are worth a look.
MISALIGNED = 0.1
_AT_ONCE = 2_000  # faces


@dataclass(frozen=True)
class PersonFaces:
    """The faces of a person. person: empty for nobody known. first, last: names of frames."""

    person: str
    faces: int
    tracks: int
    first: str
    last: str


@dataclass(frozen=True)
class Statistics:
    """All of a side, counted.

    frames: that were looked at. corrupt, empty, several: frames that could not be read, that hold no kept face, that
    hold more than one.
    statuses: ``kept``, ``filtered``, ``dropped`` -> faces. reasons: (status, reason) -> faces, of those not kept.
    origins: who found the kept faces -> how many. persons: the kept faces of each, most faces first.
    without_picture: kept faces that have no file. stale: files in ``aligned`` that do not show their face as it is now;
    stale_masks: masks that were made with other points.
    misaligned: ids of kept faces whose points are far from any face, the farthest first. without_points: kept faces
    that have no landmarks.
    changes: how many changes can be undone.
    """

    frames: int
    corrupt: int
    empty: int
    several: int
    statuses: dict[str, int]
    reasons: dict[tuple[str, str], int]
    origins: dict[str, int]
    persons: tuple[PersonFaces, ...]
    without_picture: int
    stale: int
    stale_masks: int
    misaligned: tuple[str, ...]
    without_points: int
    changes: int


def statistics(connection: sqlite3.Connection, misaligned: float = MISALIGNED) -> Statistics:
    """Count. misaligned: the ``unlikeness`` to a face beyond which points are, sides of the unit square."""
    far, pointless = misaligned_faces(connection, misaligned)
    counts = _kept_by_frame(connection)
    statuses: Counter[str] = Counter()
    reasons: Counter[tuple[str, str]] = Counter()
    origins: Counter[str] = Counter()
    for status, reason, origin, count in _kinds(connection):
        statuses[status] += count
        if status == "kept":
            origins[origin] += count
        else:
            reasons[status, reason] += count
    return Statistics(
        frames=_count(connection, "SELECT COUNT(*) FROM frames"),
        corrupt=_count(connection, "SELECT COUNT(*) FROM frames WHERE status = 'corrupt'"),
        empty=counts.get(0, 0),
        several=sum(count for faces, count in counts.items() if faces > 1),
        statuses=dict(sorted(statuses.items())),
        reasons=dict(sorted(reasons.items(), key=lambda item: (item[0][0], -item[1]))),
        origins=dict(origins.most_common()),
        persons=_persons(connection),
        without_picture=_count(connection, _WITHOUT_PICTURE),
        stale=_count(connection, _STALE.format("images", "AND other.folder = 'aligned'")),
        stale_masks=_count(connection, _STALE.format("masks", "")),
        misaligned=far,
        without_points=pointless,
        changes=_count(connection, "SELECT COUNT(*) FROM changes WHERE NOT undone"),
    )


_WITHOUT_PICTURE = """
SELECT COUNT(*) FROM faces WHERE status = 'kept' AND face NOT IN
  (SELECT face FROM images WHERE folder IN ('aligned', 'aligned/faceset.pak'))
"""
_STALE = """
SELECT COUNT(*) FROM {} AS other JOIN faces ON faces.face = other.face
WHERE faces.status = 'kept' AND faces.geometry <> other.geometry {}
"""


def _count(connection: sqlite3.Connection, query: str) -> int:
    return connection.execute(query).fetchone()[0]


def _kinds(connection: sqlite3.Connection) -> Iterator[tuple[str, str, str, int]]:
    """(status, reason, origin, how many faces)."""
    query = "SELECT status, reason, origin, COUNT(*) FROM faces GROUP BY status, reason, origin"
    return checked_rows(connection.execute(query), (TEXT, TEXT, TEXT, WHOLE), "faces")


def _kept_by_frame(connection: sqlite3.Connection) -> dict[int, int]:
    """How many kept faces -> how many readable frames have so many."""
    query = """
    SELECT n, COUNT(*) FROM (
      SELECT COUNT(faces.face) AS n FROM frames
      LEFT JOIN faces ON faces.frame = frames.frame AND faces.status = 'kept'
      WHERE frames.status <> 'corrupt' GROUP BY frames.frame
    ) GROUP BY n
    """
    return dict(checked_rows(connection.execute(query), (WHOLE, WHOLE), "frames"))


def _persons(connection: sqlite3.Connection) -> tuple[PersonFaces, ...]:
    query = """
    SELECT person, COUNT(*), COUNT(DISTINCT NULLIF(track, 0)), MIN(frames.name), MAX(frames.name)
    FROM faces JOIN frames ON frames.frame = faces.frame WHERE faces.status = 'kept'
    GROUP BY person ORDER BY 2 DESC, 1
    """
    rows = checked_rows(connection.execute(query), (TEXT, WHOLE, WHOLE, NAME, NAME), "faces")
    return tuple(PersonFaces(who, count, tracks, restored(a), restored(b)) for who, count, tracks, a, b in rows)


def misaligned_faces(connection: sqlite3.Connection, limit: float = MISALIGNED) -> tuple[tuple[str, ...], int]:
    """(ids of kept faces beyond the limit, the farthest first; how many have no points)."""
    found: list[tuple[float, str]] = []
    pointless = 0
    rows = connection.execute("SELECT face, landmarks FROM faces WHERE status = 'kept'")
    checked = checked_rows(rows, (TEXT, BLOB), "faces")
    while some := list(itertools.islice(checked, _AT_ONCE)):
        known = [(face, blob) for face, blob in some if blob is not None]
        pointless += len(some) - len(known)
        if known:
            distances = unlikeness(all_landmarks([blob for _, blob in known]))
            far = np.flatnonzero(~(distances <= limit))
            found += [(float(distances[i]), known[i][0]) for i in far]
    return tuple(face for _, face in sorted(found, key=lambda pair: -pair[0])), pointless
