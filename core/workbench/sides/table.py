"""The faces of a side as columns of numbers, kept in memory as long as the database does not change."""

import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.faceset.alignments.marks import mark_of
from core.faceset.cleaning.rejected import rejected_in
from core.faceset.database.cells import NAME, NUMBER, TEXT, WHOLE, checked_columns, damaged, restored
from core.faceset.database.images import ALIGNED, PAK
from core.faceset.steps import TRASH
from core.workspace import natural_key

# Columns with words: a number for each face, and the words that the numbers mean.
WORDS = ("status", "reason", "person", "origin", "mark", "rejected")
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
_ID = re.compile("[0-9a-f]{16}")
_AT_ONCE = 500  # faces that a query names
_SCORES_AT_ONCE = 200_000
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
    """Everything at once; about 15 microseconds a face."""
    names, place_of = _frames(connection)
    columns = checked_columns(connection.execute(_FACES), _KINDS, "faces")
    faces, geometry = columns[0], columns[15]
    frames = np.array([place_of[number] for number in columns[1]], np.int32)
    pictures = _pictures(connection.execute(f"SELECT {_PICTURE} FROM images"))
    numbers = _numbers(columns, pictures)
    order = np.lexsort((-numbers["size"] * (numbers["bottom"] - numbers["top"]), frames))
    numbers |= _scores(connection, faces, geometry)
    words = {name: _coded(column) for name, column in _texts(columns).items()}
    return FaceTable(
        _ids(faces)[order],
        frames[order],
        {name: np.asarray(column[order], np.float32) for name, column in numbers.items()},
        {name: (codes[order], known) for name, (codes, known) in words.items()},
        np.array(geometry, np.str_)[order],
        pictures,
        names,
    )


def reread(table: FaceTable, connection: sqlite3.Connection, faces: Sequence[str]) -> FaceTable | None:
    """The table with these faces as they are now, each in its place; None where all has to be read anew."""
    (count,) = connection.execute("SELECT COUNT(*) FROM faces").fetchone()
    if count != len(table) or len(faces) > _MANY:
        return None
    rows: list[tuple[Any, ...]] = []
    found: dict[str, Picture] = {}
    for start in range(0, len(faces), _AT_ONCE):
        some = list(faces[start : start + _AT_ONCE])
        places = f"face IN ({', '.join('?' * len(some))})"
        rows += connection.execute(f"{_FACES} WHERE {places}", some)
        found |= _pictures(connection.execute(f"SELECT {_PICTURE} FROM images WHERE {places}", some))
    columns = checked_columns(rows, _KINDS, "faces")
    at = _places(table, _ids(columns[0]))
    # What stays as it is stays the same object: copies of all faces take longer than the rest.
    return replace(
        table,
        numbers={**table.numbers, **_changed_numbers(table, at, _numbers(columns, found))},
        words={name: _recoded(*table.words[name], at, texts) for name, texts in _texts(columns).items()},
        geometry=_with(table.geometry, at, np.array(columns[15], np.str_)),
        pictures=_with_pictures(table.pictures, faces, found),
    )


def _places(table: FaceTable, ids: NDArray[np.uint64]) -> NDArray[np.intp]:
    if len(ids) == 1:
        return np.flatnonzero(table.ids == ids[0])
    order = np.argsort(table.ids)
    return order[np.searchsorted(table.ids, ids, sorter=order)]


def _with(values: NDArray, at: NDArray[np.intp], new: NDArray) -> NDArray:
    """The values with new ones in some places; the same array where nothing differs."""
    before = values[at]
    if np.array_equal(before, new, equal_nan=values.dtype.kind == "f"):
        return values
    values = values.copy()
    values[at] = new
    return values


def _with_pictures(
    pictures: Mapping[str, Picture], faces: Sequence[str], found: Mapping[str, Picture]
) -> Mapping[str, Picture]:
    if all(pictures.get(face) == found.get(face) for face in faces):
        return pictures
    changed = {**pictures, **found}
    for face in faces:
        if face not in found:
            changed.pop(face, None)
    return changed


def _changed_numbers(
    table: FaceTable, at: NDArray[np.intp], numbers: Mapping[str, NDArray[np.float32]]
) -> dict[str, NDArray[np.float32]]:
    found = {name: _with(table.numbers[name], at, values) for name, values in numbers.items()}
    # What was measured on other points is not known of these.
    moved = at[np.any([found[name][at] != table.numbers[name][at] for name in ("left", "top")], axis=0)]
    for name in MEASURED if len(moved) else ():
        found[name] = _with(table.numbers[name], moved, np.full(len(moved), np.nan, np.float32))
    return found


def _recoded(
    codes: NDArray[np.int32], known: tuple[str, ...], at: NDArray[np.intp], texts: Sequence[str]
) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    known = (*known, *sorted(set(texts) - set(known), key=natural_key))
    number_of = {word: number for number, word in enumerate(known)}
    return _with(codes, at, np.array([number_of[word] for word in texts], np.int32)), known


def _ids(faces: Sequence[str]) -> NDArray[np.uint64]:
    try:
        ids = np.frombuffer(bytes.fromhex("".join(faces)), ">u8").astype(np.uint64)
    except ValueError:
        ids = np.empty(0, np.uint64)
    if len(ids) != len(faces) or not set(map(len, faces)) <= {16}:
        wrong = next((face for face in faces if not _ID.fullmatch(face)), "")
        raise damaged("faces", f"{wrong[:40]!r} is no id of a face")
    return ids


def _numbers(columns: Sequence[Sequence[Any]], pictures: Mapping[str, Picture]) -> dict[str, NDArray[np.float32]]:
    numbers = {name: np.array(column, np.float32) for name, column in zip(_NUMBERS, columns[2:10], strict=True)}
    numbers["size"] = numbers["right"] - numbers["left"]
    stale = [_is_stale(pictures.get(face), geometry) for face, geometry in zip(columns[0], columns[15], strict=True)]
    numbers["stale"] = np.array(stale, np.float32)
    return numbers


def _texts(columns: Sequence[Sequence[Any]]) -> dict[str, Sequence[str]]:
    extras = columns[14]
    mark_in = {extra: mark_of(extra) for extra in set(extras)}
    rejected = {extra: ", ".join(rejected_in(extra)) for extra in mark_in}
    marks, rejections = [mark_in[extra] for extra in extras], [rejected[extra] for extra in extras]
    return dict(zip(WORDS, [*columns[10:14], marks, rejections], strict=True))


def _frames(connection: sqlite3.Connection) -> tuple[tuple[str, ...], dict[int, int]]:
    """(names in natural order, number in the table -> place)."""
    columns = checked_columns(connection.execute("SELECT name, frame FROM frames"), (NAME, WHOLE), "frames")
    named = sorted(
        ((restored(name), number) for name, number in zip(*columns, strict=True)), key=lambda pair: natural_key(pair[0])
    )
    return tuple(name for name, _ in named), {number: place for place, (_, number) in enumerate(named)}


def _coded(texts: Sequence[str]) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    known = ("", *sorted(set(texts) - {""}, key=natural_key))
    number_of = {word: number for number, word in enumerate(known)}
    return np.array([number_of[word] for word in texts], np.int32), known


def _scores(
    connection: sqlite3.Connection, faces: Sequence[str], geometry: Sequence[str]
) -> dict[str, NDArray[np.float32]]:
    """What was measured of faces whose points are still those that it was measured on."""
    # Without a join: looking faces up in SQLite takes three times as long.
    rows = connection.execute("SELECT face, name, geometry, value FROM scores")
    place_of = {face: place for place, face in enumerate(faces)}
    made_of = np.array(geometry, np.str_)
    columns = {name: np.full(len(faces), np.nan, np.float32) for name in MEASURED}
    # A million faces have several million scores, which at once would take more memory than all the rest.
    while some := rows.fetchmany(_SCORES_AT_ONCE):
        measured, names, measured_on, values = checked_columns(some, (TEXT, TEXT, TEXT, NUMBER), "scores")
        places = np.array([place_of.get(face, -1) for face in measured], np.intp)
        current = places >= 0
        current[current] = made_of[places[current]] == np.array(measured_on, np.str_)[current]
        named, numbers = np.array(names, np.str_), np.array(values, np.float32)
        for name in dict.fromkeys(names):
            column = columns.setdefault(name, np.full(len(faces), np.nan, np.float32))
            known = current & (named == name)
            column[places[known]] = numbers[known]
    return columns


_PICTURE = "face, folder, name, geometry"


def _pictures(rows: sqlite3.Cursor) -> dict[str, Picture]:
    found: dict[str, Picture] = {}
    columns = checked_columns(rows, (TEXT, TEXT, NAME, TEXT), "images")
    for face, folder, name, geometry in zip(*columns, strict=True):
        if folder not in FOLDERS:
            continue
        before = found.get(face)
        if before is None or FOLDERS.index(folder) < FOLDERS.index(before.folder):
            found[face] = Picture(folder, restored(name), geometry)
    return found


def _is_stale(picture: Picture | None, geometry: str) -> bool:
    return picture is not None and picture.folder != TRASH and picture.geometry != geometry
