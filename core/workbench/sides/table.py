"""The faces of a side as columns of numbers, kept in memory as long as the database does not change."""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.faceset.alignments.marks import mark_of
from core.faceset.database.cells import NUMBER, TEXT, WHOLE, checked_rows, damaged
from core.faceset.database.images import ALIGNED, PAK
from core.faceset.database.names import NAME, restored
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
       status, reason, person, origin, extra, geometry FROM faces ORDER BY rowid
"""
_KINDS = (TEXT, WHOLE, *[NUMBER] * 7, WHOLE, *[TEXT] * 6)
_NUMBERS = ("left", "top", "right", "bottom", "confidence", "landmark_confidence", "roll", "track")


@dataclass(frozen=True)
class Picture:
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
    geometry: (n,) what the points of each face are known by.
    pictures: id -> its file. frame_names: in their natural order.
    """

    ids: NDArray[np.uint64]
    frames: NDArray[np.int32]
    numbers: Mapping[str, NDArray[np.float32]]
    words: Mapping[str, tuple[NDArray[np.int32], tuple[str, ...]]]
    geometry: tuple[str, ...]
    pictures: Mapping[str, Picture]
    frame_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)


def hexadecimal(number: int) -> str:
    """The id of a face as the database has it."""
    return f"{int(number):016x}"


def read_table(connection: sqlite3.Connection) -> FaceTable:
    """Everything at once; about 10 microseconds a face."""
    names, place_of = _frames(connection)
    rows = list(checked_rows(connection.execute(_FACES), _KINDS, "faces"))
    ids = np.array([_number(row[0]) for row in rows], np.uint64)
    frames = np.array([place_of[row[1]] for row in rows], np.int32)
    measured = np.array([row[2:10] for row in rows], np.float32).reshape(-1, len(_NUMBERS))
    numbers = dict(zip(_NUMBERS, measured.T, strict=True))
    numbers["size"] = numbers["right"] - numbers["left"]
    order = np.lexsort((-numbers["size"] * (numbers["bottom"] - numbers["top"]), frames))
    pictures = _pictures(connection)
    numbers |= _scores(connection, [row[0] for row in rows])
    numbers["stale"] = np.array([_is_stale(pictures.get(row[0]), row[15]) for row in rows], np.float32)
    columns = [*zip(*(row[10:14] for row in rows), strict=True)] or [()] * 4
    words = {name: _coded(column) for name, column in zip(WORDS, [*columns, map(_mark, rows)], strict=True)}
    return FaceTable(
        ids[order],
        frames[order],
        {name: np.asarray(column[order], np.float32) for name, column in numbers.items()},
        {name: (codes[order], known) for name, (codes, known) in words.items()},
        tuple(rows[place][15] for place in order),
        pictures,
        names,
    )


def _number(face: str) -> int:
    try:
        if len(face) == 16:
            return int(face, 16)
    except ValueError:
        pass
    raise damaged("faces", f"{face[:40]!r} is no id of a face")


def _mark(row: tuple[Any, ...]) -> str:
    return mark_of(row[14])


def _frames(connection: sqlite3.Connection) -> tuple[tuple[str, ...], dict[int, int]]:
    """(names in natural order, number in the table -> place)."""
    found = checked_rows(connection.execute("SELECT name, frame FROM frames"), (NAME, WHOLE), "frames")
    named = sorted(((restored(name), number) for name, number in found), key=lambda pair: natural_key(pair[0]))
    return tuple(name for name, _ in named), {number: place for place, (_, number) in enumerate(named)}


def _coded(texts: Iterable[str]) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    found = list(texts)
    known = ("", *sorted(set(found) - {""}, key=natural_key))
    number_of = {word: number for number, word in enumerate(known)}
    return np.array([number_of[word] for word in found], np.int32), known


def _scores(connection: sqlite3.Connection, ids: list[str]) -> dict[str, NDArray[np.float32]]:
    """What was measured of faces whose points are still those that it was measured on."""
    query = """
    SELECT scores.face, name, value FROM scores
    JOIN faces ON faces.face = scores.face AND faces.geometry = scores.geometry
    """
    place_of = {face: place for place, face in enumerate(ids)}
    found = {name: np.full(len(ids), np.nan, np.float32) for name in MEASURED}
    for face, name, value in checked_rows(connection.execute(query), (TEXT, TEXT, NUMBER), "scores"):
        column = found.setdefault(name, np.full(len(ids), np.nan, np.float32))
        column[place_of[face]] = np.nan if value is None else value
    return found


def _pictures(connection: sqlite3.Connection) -> dict[str, Picture]:
    rows = connection.execute("SELECT face, folder, name, geometry FROM images")
    found: dict[str, Picture] = {}
    for face, folder, name, geometry in checked_rows(rows, (TEXT, TEXT, NAME, TEXT), "images"):
        before = found.get(face)
        if folder in FOLDERS and (before is None or FOLDERS.index(folder) < FOLDERS.index(before.folder)):
            found[face] = Picture(folder, restored(name), geometry)
    return found


def _is_stale(picture: Picture | None, geometry: str) -> bool:
    return picture is not None and picture.folder != TRASH and picture.geometry != geometry
