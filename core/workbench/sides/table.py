"""The faces of a side as columns of numbers, kept in memory as long as the database does not change."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.faceset.alignments.marks import mark_of
from core.faceset.database.cells import NAME, NUMBER, TEXT, WHOLE, checked_rows, damaged, restored
from core.faceset.database.images import ALIGNED, PAK
from core.faceset.steps import TRASH
from core.workspace import natural_key

# Columns with words: a number for each face, and the words that the numbers mean.
WORDS = ("status", "reason", "person", "origin", "mark")
# Scores that every table has, known or not: radians, and the sharpness of the extraction.
MEASURED = ("pitch", "yaw", "sharpness")
# Where the picture of a face is, the best place first.
FOLDERS = (ALIGNED, PAK, TRASH)
_FACES = """
SELECT face, frame, "left", top, "right", bottom, confidence, landmark_confidence, roll, track,
       status, reason, person, origin, extra, geometry FROM faces
"""
_KINDS = (TEXT, WHOLE, *[NUMBER] * 7, WHOLE, *[TEXT] * 6)
_NUMBERS = ("left", "top", "right", "bottom", "confidence", "landmark_confidence", "roll", "track")
_AT_ONCE = 500  # faces that a query names
# Reading so many faces one by one takes as long as reading all.
_MANY = 20_000


class Picture(NamedTuple):
    """The file that shows a face. folder: relative to the side. geometry: of the points that it was made from."""

    folder: str
    name: str
    geometry: str


@dataclass(frozen=True, eq=False)
class FaceTable:
    """The faces in the order of their frames, the largest of a frame first; n of them.

    ids: (n,) uint64; as 16 hexadecimal digits they are the ids of the database.
    frames: (n,) int32, which frame of ``frame_names``, from 0.
    numbers: name -> (n,) float32; what is not known is NaN.
    words: name -> ((n,) int32, the words that the numbers mean); the first word is always the empty one.
    geometry: (n,) texts, what the points of each face are known by.
    pictures: id -> its file. frame_names: in their natural order.
    """

    ids: NDArray[np.uint64]
    frames: NDArray[np.int32]
    numbers: Mapping[str, NDArray[np.float32]]
    words: Mapping[str, tuple[NDArray[np.int32], tuple[str, ...]]]
    geometry: NDArray[np.str_]
    pictures: Mapping[str, Picture]
    frame_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)


def hexadecimal(number: int) -> str:
    """The id of a face as the database has it."""
    return f"{int(number):016x}"


def read_table(connection: sqlite3.Connection) -> FaceTable:
    """Everything at once; about 20 microseconds a face."""
    names, place_of = _frames(connection)
    rows = list(checked_rows(connection.execute(_FACES), _KINDS, "faces"))
    frames = np.array([place_of[row[1]] for row in rows], np.int32)
    pictures = _pictures(connection.execute(f"SELECT {_PICTURE} FROM images"))
    numbers = _numbers(rows, pictures)
    order = np.lexsort((-numbers["size"] * (numbers["bottom"] - numbers["top"]), frames))
    numbers |= _scores(connection, [row[0] for row in rows])
    words = {name: _coded(column) for name, column in _texts(rows).items()}
    return FaceTable(
        np.array([_number(row[0]) for row in rows], np.uint64)[order],
        frames[order],
        {name: np.asarray(column[order], np.float32) for name, column in numbers.items()},
        {name: (codes[order], known) for name, (codes, known) in words.items()},
        np.array([row[15] for row in rows], np.str_)[order] if rows else np.array([], np.str_),
        pictures,
        names,
    )


def reread(table: FaceTable, connection: sqlite3.Connection, faces: Sequence[str]) -> FaceTable | None:
    """The table with these faces as they are now, each in its place; None where all has to be read anew."""
    (count,) = connection.execute("SELECT COUNT(*) FROM faces").fetchone()
    if count != len(table) or len(faces) > _MANY:
        return None
    rows: list[tuple[Any, ...]] = []
    pictures = dict(table.pictures)
    for start in range(0, len(faces), _AT_ONCE):
        some = list(faces[start : start + _AT_ONCE])
        places = f"face IN ({', '.join('?' * len(some))})"
        rows += checked_rows(connection.execute(f"{_FACES} WHERE {places}", some), _KINDS, "faces")
        for face in some:
            pictures.pop(face, None)
        pictures |= _pictures(connection.execute(f"SELECT {_PICTURE} FROM images WHERE {places}", some))
    at = _places(table, [_number(row[0]) for row in rows])
    geometry = table.geometry.copy()
    geometry[at] = [row[15] for row in rows]
    return replace(
        table,
        numbers={**table.numbers, **_changed_numbers(table, at, _numbers(rows, pictures))},
        words={name: _recoded(*table.words[name], at, texts) for name, texts in _texts(rows).items()},
        geometry=geometry,
        pictures=pictures,
    )


def _places(table: FaceTable, ids: list[int]) -> NDArray[np.intp]:
    order = np.argsort(table.ids)
    return order[np.searchsorted(table.ids, np.array(ids, np.uint64), sorter=order)]


def _changed_numbers(
    table: FaceTable, at: NDArray[np.intp], numbers: Mapping[str, NDArray[np.float32]]
) -> dict[str, NDArray[np.float32]]:
    found = {}
    for name, values in numbers.items():
        found[name] = table.numbers[name].copy()
        found[name][at] = values
    # What was measured on other points is not known of these.
    moved = at[np.any([found[name][at] != table.numbers[name][at] for name in ("left", "top")], axis=0)]
    for name in MEASURED if len(moved) else ():
        found[name] = table.numbers[name].copy()
        found[name][moved] = np.nan
    return found


def _recoded(
    codes: NDArray[np.int32], known: tuple[str, ...], at: NDArray[np.intp], texts: Iterable[str]
) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    found = list(texts)
    known = (*known, *sorted(set(found) - set(known), key=natural_key))
    number_of = {word: number for number, word in enumerate(known)}
    codes = codes.copy()
    codes[at] = [number_of[word] for word in found]
    return codes, known


def _number(face: str) -> int:
    try:
        if len(face) == 16:
            return int(face, 16)
    except ValueError:
        pass
    raise damaged("faces", f"{face[:40]!r} is no id of a face")


def _numbers(rows: Sequence[tuple[Any, ...]], pictures: Mapping[str, Picture]) -> dict[str, NDArray[np.float32]]:
    measured = np.array([row[2:10] for row in rows], np.float32).reshape(-1, len(_NUMBERS))
    numbers = dict(zip(_NUMBERS, measured.T, strict=True))
    numbers["size"] = numbers["right"] - numbers["left"]
    numbers["stale"] = np.array([_is_stale(pictures.get(row[0]), row[15]) for row in rows], np.float32)
    return numbers


def _texts(rows: Sequence[tuple[Any, ...]]) -> dict[str, list[str]]:
    columns = [[row[place] for row in rows] for place in range(10, 14)]
    return dict(zip(WORDS, [*columns, [mark_of(row[14]) for row in rows]], strict=True))


def _frames(connection: sqlite3.Connection) -> tuple[tuple[str, ...], dict[int, int]]:
    """(names in natural order, number in the table -> place)."""
    found = checked_rows(connection.execute("SELECT name, frame FROM frames"), (NAME, WHOLE), "frames")
    named = sorted(((restored(name), number) for name, number in found), key=lambda pair: natural_key(pair[0]))
    return tuple(name for name, _ in named), {number: place for place, (_, number) in enumerate(named)}


def _coded(texts: Sequence[str]) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    known = ("", *sorted(set(texts) - {""}, key=natural_key))
    number_of = {word: number for number, word in enumerate(known)}
    return np.array([number_of[word] for word in texts], np.int32), known


def _scores(connection: sqlite3.Connection, ids: list[str]) -> dict[str, NDArray[np.float32]]:
    """What was measured of faces whose points are still those that it was measured on."""
    query = """
    SELECT scores.face, name, value FROM scores
    JOIN faces ON faces.face = scores.face AND faces.geometry = scores.geometry
    """
    place_of = {face: place for place, face in enumerate(ids)}
    found: dict[str, tuple[list[int], list[float]]] = {name: ([], []) for name in MEASURED}
    for face, name, value in checked_rows(connection.execute(query), (TEXT, TEXT, NUMBER), "scores"):
        if name not in found:
            found[name] = ([], [])
        places, values = found[name]
        places.append(place_of[face])
        values.append(value)
    columns = {name: np.full(len(ids), np.nan, np.float32) for name in found}
    for name, (places, values) in found.items():
        columns[name][places] = np.array(values, np.float32)
    return columns


_PICTURE = "face, folder, name, geometry"


def _pictures(rows: sqlite3.Cursor) -> dict[str, Picture]:
    found: dict[str, Picture] = {}
    for face, folder, name, geometry in checked_rows(rows, (TEXT, TEXT, NAME, TEXT), "images"):
        if folder not in FOLDERS:
            continue
        before = found.get(face)
        if before is None or FOLDERS.index(folder) < FOLDERS.index(before.folder):
            found[face] = Picture(folder, restored(name), geometry)
    return found


def _is_stale(picture: Picture | None, geometry: str) -> bool:
    return picture is not None and picture.folder != TRASH and picture.geometry != geometry
