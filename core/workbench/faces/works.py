"""What is computed about the faces of a side: one function for each thing that a page may ask for."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.faceset.cleaning.sentences import score_sentence
from core.faceset.cleaning.verdicts import VERDICTS, Verdicts, judge
from core.faceset.scores.features import Features
from core.faceset.scores.misalignment import misalignment
from core.faceset.sorting.methods import METHODS
from core.faceset.sorting.order import arrange
from core.faceset.sorting.ranking import Choices
from core.workbench.faces.columns import Found, coded, has_word
from core.workbench.faces.rejected import rejected_column, verdict_column
from core.workbench.sides.table import FaceTable

CLEAN, IDENTITY = "clean", "identity"
# Name of the order, the score and the reasons of a sort method among the columns: ``by.blur``.
BY, SCORE, OUT = "by.", "score.", "out."
# Columns that cleaning knows anyway: name in the table -> how.
_AUDIT: dict[str, Callable[[Features], NDArray]] = {
    "exposure": lambda features: features["luma_face"],
    "contrast": lambda features: features["contrast"],
    "hidden": lambda features: features["obstruction"],
    "cut_off": lambda features: features["cut_off"],
    "misaligned": misalignment,
    # Of the table, where extraction has not measured them.
    "yaw": lambda features: features["yaw"],
    "pitch": lambda features: features["pitch"],
}


@dataclass(frozen=True, eq=False)
class Members:
    """Which images of a gallery are faces of the table.

    images: (n,) places in the gallery. ids: (n,) uint64, ascending.
    """

    images: NDArray[np.intp]
    ids: NDArray[np.uint64]


def members(features: Features, table: FaceTable, folder: str) -> Members:
    """folder: of the images, as the table calls it."""
    number_of = {shown.name: int(face, 16) for face, shown in table.pictures.items() if shown.folder == folder}
    known = [(number_of[name], place) for place, name in enumerate(features.gallery.names) if name in number_of]
    known.sort()
    return Members(np.array([place for _, place in known], np.intp), np.array([face for face, _ in known], np.uint64))


def is_work(what: str) -> bool:
    """Whether there is something of this name to compute."""
    return what in (CLEAN, IDENTITY) or what.removeprefix(BY) in {method.name for method in METHODS}


def sorted_by(features: Features, which: Members, method: str, count: int) -> Found:
    """The place of each face in the order of a sort method, its score, and why it would be thrown out."""
    order = arrange(features, method, Choices(count=count))
    place_of = {name: place for place, name in enumerate(features.gallery.names)}
    where = np.array([place_of[name] for name in order.names], np.intp)
    rank, score = np.full((2, len(features)), np.nan, np.float32)
    rank[where] = np.arange(len(where))
    numbers = {f"{BY}{method}": rank[which.images]}
    if order.scores:
        score[where] = order.shown_scores()
        numbers[f"{SCORE}{method}"] = score[which.images]
    reasons = [order.rejected.get(features.gallery.names[place], "") for place in which.images]
    words = {f"{OUT}{method}": coded(reasons)} if order.rejected else {}
    return Found(which.ids, numbers, words)


def cleaned(features: Features, which: Members) -> Found:
    """The verdicts of automatic cleaning, with what they were made from."""
    verdicts = judge(features)
    numbers = {name: np.asarray(measure(features), np.float32)[which.images] for name, measure in _AUDIT.items()}
    said = [verdicts.found.get(place, {}) for place in which.images.tolist()]
    for verdict in verdicts.counts():
        numbers[verdict_column(verdict)] = np.array([found.get(verdict, np.nan) for found in said], np.float32)
    numbers["verdicts"] = np.array([len(found) for found in said], np.float32)
    spared = np.zeros(len(features), np.float32)
    spared[list(verdicts.spared)] = 1
    numbers["spared"] = spared[which.images]
    words = {"verdict": coded(next(iter(found), "") for found in said)}
    return Found(which.ids, numbers, words, _sentences(verdicts, which))


def verdict_counts(table: FaceTable) -> dict[str, dict[str, int]]:
    """Verdict -> how many kept faces have it (``all``), how many of them nobody has marked yet (``open``), and of how
    many kept faces somebody has rejected it (``rejected``; these are not among ``all``).
    """
    kept, unmarked = has_word(table, "status", "kept"), has_word(table, "mark", "")
    found = {}
    for verdict in VERDICTS:
        column = table.numbers.get(verdict_column(verdict))
        if column is not None:
            there = kept & np.isfinite(column)
            rejected = kept & np.isfinite(table.numbers[rejected_column(verdict)])
            numbers = {"all": there, "open": there & unmarked, "rejected": rejected}
            found[verdict] = {name: int(which.sum()) for name, which in numbers.items()}
    return {verdict: numbers for verdict, numbers in found.items() if numbers["all"] or numbers["rejected"]}


def _sentences(verdicts: Verdicts, which: Members) -> dict[str, tuple[tuple[str, str], ...]]:
    found = {}
    for face, place in zip(which.ids.tolist(), which.images.tolist(), strict=True):
        scores = verdicts.found.get(place, {})
        if scores:
            mask = verdicts.masks[place]
            found[f"{face:016x}"] = tuple(
                (verdict, score_sentence(verdict, score, mask) or VERDICTS[verdict])
                for verdict, score in scores.items()
            )
    return found


def vectors(features: Features, which: Members) -> dict[str, NDArray[np.float32]]:
    """Face -> identity vector, of the faces that can have one."""
    rows = features["identity"][which.images]
    known = np.isfinite(rows).all(axis=1)
    return {f"{face:016x}": row for face, row, good in zip(which.ids.tolist(), rows, known, strict=True) if good}
