"""What a sort method answers, and the helpers that most methods are made of."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.faceset.scores.features import Features

NOT_A_FACE = "no face metadata"


@dataclass(frozen=True)
class Choices:
    """What a person may choose.

    count: how many the best-faces methods keep; exact: that number, else about that many, as the original program counts; similar: absdiff goes to the
    nearest picture, else to the farthest.
    """

    count: int = 2000
    similar: bool = True
    exact: bool = True


@dataclass(frozen=True)
class Ranking:
    """order: indices of the gallery, first to last; scores: float (n,) over the gallery for display, or None; rejected: index -> reason (trash);
    renumber: False leaves the names as they are."""

    order: NDArray[np.intp]
    scores: NDArray[np.float64] | None = None
    rejected: dict[int, str] = field(default_factory=dict)
    renumber: bool = True


def by_value(
    features: Features, column: str, *, descending: bool, faces_only: bool = False, zero_is: str = ""
) -> Ranking:
    """Order by one column; equal values keep the order of their names.

    faces_only: pictures without metadata are rejected; zero_is: the reason to reject faces with the value 0. Faces without a value come last.
    """
    values = features[column].astype(np.float64)
    rejected = not_faces(features) if faces_only else {}
    if zero_is:
        rejected |= {int(i): zero_is for i in np.flatnonzero(values == 0)}
    return Ranking(ordered(values, descending, without(rejected, len(features))), values, rejected)


def ordered(values: NDArray[np.float64], descending: bool, candidates: NDArray[np.intp]) -> NDArray[np.intp]:
    """``candidates`` in the stable order of their values; NaN last."""
    keys = -values[candidates] if descending else values[candidates]
    return candidates[np.argsort(keys, kind="stable")]


def not_faces(features: Features) -> dict[int, str]:
    """Index -> reason for every picture without face metadata."""
    return {int(i): NOT_A_FACE for i in np.flatnonzero(~features.faces())}


def without(rejected: dict[int, str], count: int) -> NDArray[np.intp]:
    """All indices but the rejected."""
    return np.setdiff1d(np.arange(count), np.fromiter(rejected, np.intp, len(rejected)))
