"""What was computed about faces, as further columns of the table of faces."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from core.workbench.sides.table import FOLDERS, FaceTable

TRASHED = FOLDERS[-1]


@dataclass(frozen=True, eq=False)
class Found:
    """Columns for some faces.

    ids: (n,) uint64, ascending. numbers: name -> (n,) float32, NaN where nothing is known. words: name -> ((n,) int32,
    the words that the numbers mean), the first word empty. said: id -> what was found about the face, pairs of verdict
    and sentence. pictures: id -> geometry of the picture that was looked at.
    """

    ids: NDArray[np.uint64]
    numbers: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    words: Mapping[str, tuple[NDArray[np.int32], tuple[str, ...]]] = field(default_factory=dict)
    said: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    pictures: Mapping[str, str] = field(default_factory=dict)

    def covers(self, table: FaceTable) -> bool:
        """Whether all pictures of the table were looked at as they are now."""
        return pictures_of(table).items() <= self.pictures.items()


def pictures_of(table: FaceTable) -> dict[str, str]:
    """Id -> geometry of the picture, of the faces that have one outside of the trash."""
    return {face: shown.geometry for face, shown in table.pictures.items() if shown.folder != TRASHED}


def coded(texts: Iterable[str]) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Words as numbers, and what the numbers mean, in the order in which they come; the empty word first."""
    number_of: dict[str, int] = {"": 0}
    codes = [number_of.setdefault(text, len(number_of)) for text in texts]
    return np.array(codes, np.int32), tuple(number_of)


def has_word(table: FaceTable, name: str, word: str) -> NDArray[np.bool_]:
    """Which faces have this word in a column."""
    codes, known = table.words[name]
    return codes == known.index(word) if word in known else np.zeros(len(table), bool)


def with_found(table: FaceTable, found: Iterable[Found]) -> FaceTable:
    """The table with what was computed beside what it has: where it knows a number, that one stays."""
    numbers, words = dict(table.numbers), dict(table.words)
    for one in found:
        places, known = _places(one.ids, table.ids)
        for name, measured in one.numbers.items():
            values = np.full(len(table), np.nan, np.float32)
            values[known] = measured[places[known]]
            before = numbers.get(name)
            numbers[name] = values if before is None else np.where(np.isnan(before), values, before)
        for name, (codes, meanings) in one.words.items():
            numbered = np.zeros(len(table), np.int32)
            numbered[known] = codes[places[known]]
            words[name] = (numbered, meanings)
    return replace(table, numbers=numbers, words=words)


def _places(ids: NDArray[np.uint64], wanted: NDArray[np.uint64]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """(where each wanted id is among the ids, whether it is there)."""
    if not len(ids):
        return np.zeros(len(wanted), np.intp), np.zeros(len(wanted), bool)
    places = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    return places, ids[places] == wanted
