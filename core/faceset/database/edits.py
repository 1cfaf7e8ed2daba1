"""What an edit keeps of a face, and how the two exchange their values, many at a time."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from core.faceset.database.cells import (
    BLOB,
    NAME,
    TEXT,
    WHOLE,
    checked,
    checked_rows,
    damaged,
    json_object,
    restored,
    value_of,
)
from core.faceset.database.faces import COLUMNS, all_landmarks, landmarks_of
from core.faceset.identity import geometries_of, geometry_of

# Rows that are read and written at once.
AT_ONCE = 1000
# What somebody drew on a face, under this name in ``extra``: its file says it, too.
DRAWN = "drawn"
# The columns that place a face.
POINTS = frozenset({"landmarks", "left", "top", "right", "bottom"})


def stored(values: Mapping[str, Any]) -> tuple[str, bytes | None]:
    """Columns of a face as an edit keeps them: a JSON text, and the landmarks, which JSON cannot hold."""
    rest = {name: value for name, value in values.items() if name != "landmarks" or value is None}
    return _text(tuple(rest.items())), values.get("landmarks")


def concerns_files(values: Mapping[str, Any]) -> bool:
    """Whether the file of a face has to follow when it gets these values, or loses them."""
    return "status" in values or f'"{DRAWN}"' in (values.get("extra") or "")


# Many faces change from the same to the same.
@lru_cache(1024)
def _text(values: tuple[tuple[str, Any], ...]) -> str:
    return json.dumps(dict(values))


@lru_cache(1024)
def _values(other: str) -> Mapping[str, Any]:
    """The columns in such a text: nobody may change them. Raises CorruptFileError for what is none."""
    values = json_object(other, "edits")
    if not values.keys() <= COLUMNS.keys():
        raise damaged("edits", "it names columns that there are not")
    checked(list(values.values()), [COLUMNS[name] for name in values], "edits")
    return values


def write_faces(connection: sqlite3.Connection, rows: Mapping[tuple[str, ...], Sequence[tuple[Any, ...]]]) -> None:
    """Write columns of faces: their names -> their values and the id of the face, a row a face."""
    for columns, some in rows.items():
        places = ", ".join(f'"{name}" = ?' for name in columns)
        connection.executemany(f"UPDATE faces SET {places} WHERE face = ?", some)


_EDITS = f"""
SELECT edit, edits.other, edits.landmarks, faces.face, frames.name,
       {", ".join(f'faces."{name}"' for name in COLUMNS)}
FROM edits CROSS JOIN faces ON faces.face = edits.face JOIN frames ON frames.frame = faces.frame
WHERE change = ?
"""
_KINDS = (WHOLE, TEXT, BLOB, TEXT, NAME, *COLUMNS.values())


def exchange(connection: sqlite3.Connection, change: int, *, back: bool) -> bool:
    """Give faces and the edits of a change each other's values; returns whether files have to follow.

    back: the last edit first: a face that a change touched twice goes back step by step. An edit of a face that is
    gone, whose frame was looked at anew since, is left out.
    """
    beyond, order = ("<", "DESC") if back else (">", "ASC")
    query = f"{_EDITS} AND (edit {beyond} ?2 OR ?2 IS NULL) ORDER BY edit {order} LIMIT {AT_ONCE}"
    last, moves_files = None, False
    while rows := list(checked_rows(connection.execute(query, (change, last)), _KINDS, "edits")):
        some = _of_different_faces(rows)
        moves_files |= _exchange(connection, some)
        last = some[-1][0]
    return moves_files


def _of_different_faces(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The first rows, up to where a face comes again."""
    seen: set[str] = set()
    for count, row in enumerate(rows):
        if row[3] in seen:
            return rows[:count]
        seen.add(row[3])
    return rows


def _exchange(connection: sqlite3.Connection, rows: Iterable[tuple[Any, ...]]) -> bool:
    edits: list[tuple[Any, ...]] = []
    faces: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
    moved: list[tuple[str, str, Mapping[str, Any]]] = []
    files_follow = False
    for edit, other, landmarks, face, frame, *columns in rows:
        present = dict(zip(COLUMNS, columns, strict=True))
        values = _values(other) if landmarks is None else {**_values(other), "landmarks": landmarks}
        before = {name: present[name] for name in values}
        files_follow |= concerns_files(values) or concerns_files(before)
        edits.append((*stored(before), edit))
        faces.setdefault(tuple(values), []).append((*values.values(), face))
        if not POINTS.isdisjoint(values):
            moved.append((face, restored(frame), {**present, **values}))
    write_faces(connection, faces)
    geometries = zip(_geometries(moved), (face for face, _, _ in moved), strict=True)
    connection.executemany("UPDATE faces SET geometry = ? WHERE face = ?", geometries)
    connection.executemany("UPDATE edits SET other = ?, landmarks = ? WHERE edit = ?", edits)
    return files_follow


def _geometries(moved: Sequence[tuple[str, str, Mapping[str, Any]]]) -> list[str]:
    """The geometry of each face, of which these are the id, the name of the frame and the columns."""
    frames = [frame for _, frame, _ in moved]
    blobs = [columns["landmarks"] for _, _, columns in moved]
    if None not in blobs:
        return geometries_of(frames, all_landmarks(blobs))
    return [geometry_of(frame, _points(columns)) for _, frame, columns in moved]


def _points(columns: Mapping[str, Any]) -> np.ndarray:
    """What the face is known by that has these columns."""
    points = landmarks_of(columns["landmarks"])
    if points is not None:
        return points
    box = [value_of(columns[name]) for name in ("left", "top", "right", "bottom")]
    return np.array(box, np.float32).reshape(2, 2)
