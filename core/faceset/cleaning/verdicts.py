"""Automatic cleaning: the criteria by which people throw faces out, as verdicts with scores."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

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
# Below this spread, noise alone would look like fine detail.
_LEAST_CONTRAST = 8.0


@dataclass(frozen=True)
class Limits:
    """Where a face is thrown out. Shares are 0..1 of the face, luma and contrast are grey levels 0..255.

    misaligned: least error, as ``core.faceset.scores.misalignment`` measures it.
    similarity: least cosine to the main person's mean.
    cut_off: largest share beyond the border of the frame.
    obstructed: largest share hidden by the mask.
    blurred: least sharpness, as a part of the median of the set.
    rare: a pose cell with fewer good faces than this keeps its blurred ones.
    dark_luma, bright_luma: least and largest mean luma.
    bright_share: largest share of nearly white pixels.
    contrast: least spread of luma.
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
    """What was found about the images of a gallery, in its indices.

    found: image -> {verdict: score}; images that are not in it are fine.
    spared: blurred faces that are kept for their rare pose.
    masks: for each image where its mask comes from, as ``core.imaging.masks.mask_origin`` says it; "" for no face.
    without_mask: how many faces have no mask of their own, so that nothing can be said about obstruction.
    kept_anyway: images with verdicts that a person has rejected; these are not in ``found``.
    """

    found: dict[int, dict[str, float]]
    spared: tuple[int, ...]
    masks: tuple[str, ...]
    without_mask: int
    kept_anyway: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def without(self, rejected: Mapping[int, Collection[str]]) -> "Verdicts":
        """The same without the verdicts that a person has rejected. rejected: image -> verdicts."""
        kept = {
            index: tuple(verdict for verdict in scores if verdict in rejected.get(index, ()))
            for index, scores in self.found.items()
        }
        left = {
            index: {verdict: score for verdict, score in scores.items() if verdict not in kept[index]}
            for index, scores in self.found.items()
        }
        return replace(
            self,
            found={index: scores for index, scores in left.items() if scores},
            kept_anyway={index: verdicts for index, verdicts in kept.items() if verdicts},
        )

    def counts(self) -> dict[str, int]:
        """Verdict -> how many images have it, in the order of VERDICTS; without those that none has."""
        numbers = {verdict: sum(verdict in scores for scores in self.found.values()) for verdict in VERDICTS}
        return {verdict: number for verdict, number in numbers.items() if number}

    def reason(self, index: int) -> str:
        """All verdicts of an image in one line."""
        return ", ".join(self.found[index])


class _Found(dict[int, dict[str, float]]):
    """image -> {verdict: score}"""

    def note(self, verdict: str, which: NDArray[np.bool_], score: NDArray[np.float64]) -> None:
        for index in np.flatnonzero(which).tolist():
            self.setdefault(index, {})[verdict] = float(score[index])


def judge(features: Features, limits: Limits | None = None, *, identity: bool = True) -> Verdicts:
    """Look at every image. identity: whether other people get a verdict."""
    limits = limits or Limits()
    found = _Found()
    faces, certain = features.faces(), np.ones(len(features))
    error = misalignment(features)
    found.note("no face", ~faces, certain)
    found.note("misaligned", error >= limits.misaligned, error)
    if identity:
        _note_other_people(features, faces, limits, found)
    # NaN, of a face without a mask of its own, is greater than no limit.
    found.note("obstructed", features["obstruction"] > limits.obstructed, features["obstruction"])
    dark = _note_exposure(features, limits, found)
    # In a dark face black pixels do not tell where the frame ends.
    found.note("cut off", (features["cut_off"] > limits.cut_off) & ~dark, features["cut_off"])
    found.note("unreadable", ~features.readable(), certain)
    # After the other verdicts: who is good is told by having none of them.
    spared = _note_blurred(features, limits, found)
    _note_duplicates(features, found)
    return Verdicts(
        found=dict(found),
        spared=spared,
        masks=tuple(map(str, features["mask_origin"])),
        without_mask=int(np.count_nonzero(faces & np.isnan(features["obstruction"]))),
    )


def _note_other_people(features: Features, faces: NDArray[np.bool_], limits: Limits, found: _Found) -> None:
    persons = find_persons(features)
    others = faces & (persons.labels > 0) & (persons.similarity < limits.similarity)
    found.note("another person", others, persons.similarity)


def _note_exposure(features: Features, limits: Limits, found: _Found) -> NDArray[np.bool_]:
    """Returns which faces are dark."""
    luma, contrast = features["luma_face"], features["contrast"]
    dark = luma < limits.dark_luma
    bright = (luma > limits.bright_luma) | (features["bright"] > limits.bright_share)
    found.note("too dark", dark, luma)
    found.note("too bright", bright, luma)
    found.note("low contrast", (contrast < limits.contrast) & ~dark & ~bright, contrast)
    return dark


def _note_blurred(features: Features, limits: Limits, found: _Found) -> tuple[int, ...]:
    """Returns the blurred faces that are spared, because few good faces have their pose."""
    good = np.ones(len(features), bool)
    good[list(found)] = False
    relative = relative_sharpness(features, good)
    blurred = relative < limits.blurred
    # Renumbered from 0 on: bincount takes no negative numbers and would make room for all large ones.
    _, cell = np.unique(pose_cells(features["head_yaw"], features["head_pitch"]), return_inverse=True)
    sharp_in_cell = np.bincount(cell, weights=good & ~blurred)
    rare = sharp_in_cell[cell] < limits.rare
    found.note("blurred", blurred & ~rare, relative)
    return tuple(np.flatnonzero(blurred & rare & good).tolist())


def relative_sharpness(features: Features, good: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Fine detail inside the face over its squared contrast, as a part of the median of ``good``; NaN where unknown."""
    # detail is a variance, so it grows with the square of the contrast.
    sharp = features["detail"] / np.maximum(features["contrast"], _LEAST_CONTRAST) ** 2
    median = np.nanmedian(sharp[good]) if np.isfinite(sharp[good]).any() else np.nan
    return sharp / median


def pose_cells(yaw: NDArray[np.float64], pitch: NDArray[np.float64]) -> NDArray[np.intp]:
    """One number for each cell of 15 x 15 degrees; -1 without a pose. yaw, pitch: radians (n,)."""
    known = np.isfinite(yaw) & np.isfinite(pitch)
    # 500 makes both positive, so that each pair gives another number.
    column = np.floor(np.nan_to_num(yaw) / POSE_CELL).astype(np.intp) + 500
    row = np.floor(np.nan_to_num(pitch) / POSE_CELL).astype(np.intp) + 500
    return np.where(known, column * 1000 + row, -1)


def _note_duplicates(features: Features, found: _Found) -> None:
    """Of images that show the same, the sharpest that is fine stays."""
    groups = duplicate_groups(features["thumb"])
    sizes = np.bincount(groups)
    sharp = np.nan_to_num(features["detail"], nan=-1.0)
    readable = features.readable()
    for group in np.flatnonzero(sizes > 1):
        members = np.flatnonzero((groups == group) & readable).tolist()
        fine = [index for index in members if index not in found]
        # -index: of equally sharp ones the first.
        keep = max(fine or members, key=lambda index: (sharp[index], -index), default=-1)
        for index in members:
            if index != keep:
                found.setdefault(index, {})["duplicate"] = float(sizes[group])
