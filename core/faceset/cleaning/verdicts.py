"""Automatic cleaning: the criteria by which people throw faces out, as verdicts with scores."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.faceset.scores.duplicates import duplicate_groups
from core.faceset.scores.features import Features
from core.faceset.scores.misalignment import misalignment
from core.faceset.scores.persons import find_persons
from core.faceset.sorting.ranking import NOT_A_FACE, UNREADABLE

VERDICTS = {
    "unreadable": UNREADABLE,
    "no face": NOT_A_FACE,
    "misaligned": "landmarks do not fit a face, or it is upside down",
    "another person": "not the person that most faces show",
    "cut off": "a part of the face is beyond the border of its frame",
    "obstructed": "the mask leaves out a part of the face",
    "blurred": "far less sharp than the others (kept where its pose is rare)",
    "too dark": "the face is nearly black",
    "too bright": "the face is burnt out",
    "low contrast": "the face has hardly any light and shade",
    "duplicate": "shows the same as a sharper face",
}
POSE_CELL = np.radians(15)


@dataclass(frozen=True)
class Limits:
    """Where a face is thrown out. Shares are 0..1 of the face, luma and contrast are grey levels 0..255.

    misaligned: error of :func:`core.faceset.scores.misalignment.misalignment`; similarity: least cosine to the main person's mean; cut_off, obstructed: shares;
    blurred: part of the median sharpness at the same pose; rare: a pose cell with fewer good faces than this keeps its blurred ones.
    """

    misaligned: float = 1.0
    similarity: float = 0.35
    cut_off: float = 0.03
    obstructed: float = 0.15
    blurred: float = 0.25
    rare: int = 5
    dark_luma: float = 35.0
    bright_luma: float = 225.0
    bright_share: float = 0.35
    contrast: float = 25.0


@dataclass(frozen=True)
class Verdicts:
    """found: picture -> {verdict: score}; pictures not in it are fine. spared: blurred ones kept for their rare pose; notes: what could not be judged.

    masks: where the mask of each picture comes from, as ``core.imaging.masks.mask_origin`` says it; empty for pictures that are no face.
    """

    found: dict[int, dict[str, float]]
    spared: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    scores: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    masks: tuple[str, ...] = ()

    def counts(self) -> dict[str, int]:
        """Verdict -> how many, in the order of VERDICTS."""
        return {name: n for name in VERDICTS if (n := sum(name in v for v in self.found.values()))}

    def reason(self, index: int) -> str:
        """All verdicts of a picture in one line."""
        return ", ".join(self.found[index])


def judge(features: Features, limits: Limits | None = None, *, identity: bool = True) -> Verdicts:
    """Look at every picture. ``identity=False`` leaves other people in."""
    limits = limits or Limits()
    found: dict[int, dict[str, float]] = {}

    def add(verdict: str, which: NDArray[np.bool_], score: NDArray) -> None:
        for i in np.flatnonzero(which):
            found.setdefault(int(i), {})[verdict] = float(score[i])

    faces, one = features.faces(), np.ones(len(features))
    error = misalignment(features)
    add("no face", ~faces, one)
    add("misaligned", error >= limits.misaligned, error)
    if identity:
        _other_people(features, faces, limits, add)
    add("obstructed", features["obstruction"] > limits.obstructed, features["obstruction"])
    dark = _exposure(features, limits, add)
    add(
        "cut off", (features["cut_off"] > limits.cut_off) & ~dark, features["cut_off"]
    )  # in a dark picture black tells nothing
    add("unreadable", ~features.readable(), one)
    spared = _blurred(features, limits, found, add)
    _duplicates(features, found)
    return Verdicts(
        found, spared, _notes(features, faces), {"misaligned": error}, tuple(map(str, features["mask_origin"]))
    )


def _other_people(features: Features, faces: NDArray[np.bool_], limits: Limits, add) -> None:
    persons = find_persons(features)
    add("another person", faces & (persons.labels > 0) & (persons.similarity < limits.similarity), persons.similarity)


def _exposure(features: Features, limits: Limits, add) -> NDArray[np.bool_]:
    luma, contrast = features["luma_face"], features["contrast"]
    dark = luma < limits.dark_luma
    bright = (luma > limits.bright_luma) | (features["bright"] > limits.bright_share)
    add("too dark", dark, luma)
    add("too bright", bright, luma)
    add("low contrast", (contrast < limits.contrast) & ~dark & ~bright, contrast)
    return dark


def _blurred(features: Features, limits: Limits, found: dict[int, dict[str, float]], add) -> tuple[int, ...]:
    """Sharpness relative to the median of the set. Blurred faces of a pose that few good faces have are spared."""
    good = np.ones(len(features), bool)
    good[list(found)] = False
    relative = relative_sharpness(features, good)
    blurred = relative < limits.blurred
    cells = pose_cells(features["yaw"], features["pitch"])
    left = {cell: int(n) for cell, n in zip(*np.unique(cells[good & ~blurred], return_counts=True), strict=True)}
    rare = np.array([left.get(cell, 0) < limits.rare for cell in cells])
    add("blurred", blurred & ~rare, relative)
    return tuple(int(i) for i in np.flatnonzero(blurred & rare & good))


def relative_sharpness(features: Features, good: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Fine detail inside the face over its squared contrast, as a part of the median of ``good``. NaN where there is none."""
    sharp = features["detail"] / np.maximum(features["contrast"], 8.0) ** 2
    median = np.nanmedian(sharp[good]) if np.isfinite(sharp[good]).any() else np.nan
    return sharp / median


def pose_cells(yaw: NDArray[np.float64], pitch: NDArray[np.float64]) -> NDArray[np.intp]:
    """One number for each cell of 15 x 15 degrees; -1 without a pose."""
    known = np.isfinite(yaw) & np.isfinite(pitch)
    cell = (
        np.floor(np.nan_to_num(yaw) / POSE_CELL).astype(np.intp) * 1000
        + np.floor(np.nan_to_num(pitch) / POSE_CELL).astype(np.intp)
        + 500_500
    )
    return np.where(known, cell, -1)


def _duplicates(features: Features, found: dict[int, dict[str, float]]) -> None:
    """Of pictures that show the same, the sharpest that is fine stays."""
    groups = duplicate_groups(features["thumb"])
    sizes = np.bincount(groups)
    sharp = np.nan_to_num(features["detail"], nan=-1.0)
    readable = features.readable()
    for group in np.flatnonzero(sizes > 1):
        members = [int(i) for i in np.flatnonzero(groups == group) if readable[i]]
        fine = [i for i in members if i not in found]
        keep = max(fine or members, key=lambda i: (sharp[i], -i), default=-1)
        for i in members:
            if i != keep:
                found.setdefault(i, {})["duplicate"] = float(sizes[group])


def _notes(features: Features, faces: NDArray[np.bool_]) -> tuple[str, ...]:
    bare = int(np.count_nonzero(faces & np.isnan(features["obstruction"])))
    return (
        (
            f"{bare} faces have no mask of their own, only the landmark hull, so nothing can be said about obstruction: make masks first",
        )
        if bare
        else ()
    )
