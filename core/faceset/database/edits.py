"""What an edit keeps of a face, and how the two exchange their values, many at a time."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from core.faceset.database.cells import (
    BLOB,
    NAME,
    TEXT,
    WHOLE,
    checked,
    checked_columns,
    damaged,
    json_object,
    restored,
    value_of,
)
from core.faceset.database.faces import COLUMNS, all_landmarks, landmarks_of
from core.faceset.identity import geometries_of, geometry_of

# Rows that are read and written at once.
AT_ONCE = 1000
_HIGHEST = (1 << 63) - 1  # number of a row
# What somebody drew on a face, under this name in ``extra``: its file says it, too.
DRAWN = "drawn"
_DRAWN_KEY = f'"{DRAWN}"'
# The columns that place a face.
POINTS = frozenset({"landmarks", "left", "top", "right", "bottom"})


def stored(values: Mapping[str, Any]) -> tuple[str, bytes | None]:
    """Columns of a face as an edit keeps them: a JSON text, and the landmarks, which JSON cannot hold."""
    landmarks = values.get("landmarks")
    if landmarks is not None:
        values = {name: value for name, value in values.items() if name != "landmarks"}
    return _text(tuple(values.items())), landmarks


def concerns_files(values: Mapping[str, Any]) -> bool:
    """Whether the file of a face has to follow when it gets these values, or loses them."""
    return "status" in values or _DRAWN_KEY in (values.get("extra") or "")


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


def write_faces(
    connection: sqlite3.Connection, rows: Mapping[tuple[str, ...], Sequence[tuple[Any, ...]]], key: str = "face"
) -> None:
    """Write columns of faces: their names -> their values and the key of the face, a row a face."""
    for columns, some in rows.items():
        places = ", ".join(f'"{name}" = ?' for name in columns)
        connection.executemany(f"UPDATE faces SET {places} WHERE {key} = ?", some)


_EDITS = f"""
SELECT edit, edits.other, edits.landmarks, faces.rowid, frames.name,
       {", ".join(f'faces."{name}"' for name in COLUMNS)}
FROM edits CROSS JOIN faces ON faces.face = edits.face JOIN frames ON frames.frame = faces.frame
WHERE change = ?
"""
_KINDS = (WHOLE, TEXT, BLOB, WHOLE, NAME, *COLUMNS.values())
_PLACES = {name: place for place, name in enumerate(COLUMNS)}


class _Moved(NamedTuple):
    """A face that goes elsewhere: the columns that it gets, and those that it has, in the order of ``COLUMNS``."""

    face: int
    frame: str
    values: Mapping[str, Any]
    columns: Sequence[Any]

    def value(self, name: str) -> Any:
        """What it will have in this column."""
        return self.values.get(name, self.columns[_PLACES[name]])


def exchange(connection: sqlite3.Connection, change: int, *, back: bool) -> bool:
    """Give faces and the edits of a change each other's values; returns whether files have to follow.

    back: the last edit first: a face that a change touched twice goes back step by step. An edit of a face that is
    gone, whose frame was looked at anew since, is left out.
    """
    beyond, order, last = ("<", "DESC", _HIGHEST) if back else (">", "ASC", -_HIGHEST)
    query = f"{_EDITS} AND edit {beyond} ? ORDER BY edit {order} LIMIT {AT_ONCE}"
    moves_files = False
    while rows := connection.execute(query, (change, last)).fetchall():
        checked_columns(rows, _KINDS, "edits")
        some = _of_different_faces(rows)
        moves_files |= _exchange(connection, some)
        last = some[-1][0]
    return moves_files


def _of_different_faces(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The first rows, up to where a face comes again."""
    seen: set[int] = set()
    for count, row in enumerate(rows):
        if row[3] in seen:
            return rows[:count]
        seen.add(row[3])
    return rows


def _exchange(connection: sqlite3.Connection, rows: Iterable[tuple[Any, ...]]) -> bool:
    edits: list[tuple[Any, ...]] = []
    faces: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
    moved: list[_Moved] = []
    files_follow = False
    for edit, other, landmarks, face, frame, *columns in rows:
        values = _values(other) if landmarks is None else {**_values(other), "landmarks": landmarks}
        before = {name: columns[_PLACES[name]] for name in values}
        files_follow |= concerns_files(values) or concerns_files(before)
        edits.append((*stored(before), edit))
        if POINTS.isdisjoint(values):
            faces.setdefault(tuple(values), []).append((*values.values(), face))
        else:
            moved.append(_Moved(face, restored(frame), values, columns))
    for one, geometry in zip(moved, _geometries(moved), strict=True):
        faces.setdefault((*one.values, "geometry"), []).append((*one.values.values(), geometry, one.face))
    write_faces(connection, faces, "rowid")
    connection.executemany("UPDATE edits SET other = ?, landmarks = ? WHERE edit = ?", edits)
    return files_follow


def _geometries(moved: Sequence[_Moved]) -> list[str]:
    """The geometry that each face gets."""
    frames = [one.frame for one in moved]
    blobs = [one.value("landmarks") for one in moved]
    if None not in blobs:
        return geometries_of(frames, all_landmarks(blobs))
    return [geometry_of(one.frame, _points(one)) for one in moved]


def _points(moved: _Moved) -> np.ndarray:
    """What the face will be known by."""
    points = landmarks_of(moved.value("landmarks"))
    if points is not None:
        return points
    box = [value_of(moved.value(name)) for name in ("left", "top", "right", "bottom")]
    return np.array(box, np.float32).reshape(2, 2)
