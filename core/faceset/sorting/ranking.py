"""What a sort method answers, and the helpers that most methods are made of."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.faceset.scores.features import Features

NOT_A_FACE = "no face metadata"
UNREADABLE = "cannot be decoded"


@dataclass(frozen=True)
class Choices:
    """What a person may choose.

    count: how many faces the best-faces methods keep.
    similar: absdiff goes on to the nearest image, else to the farthest.
    exact: keep that number, else about that many, as the original program counts.
    """

    count: int = 2000
    similar: bool = True
    exact: bool = True


@dataclass(frozen=True)
class Ranking:
    """The answer of a sort method, in indices of the gallery.

    order: first to last.
    scores: float64 (n,) over the gallery, for display; None where the method has none.
    rejected: index -> reason, of what goes to the trash.
    renumber: False leaves the names as they are.
    """

    order: NDArray[np.intp]
    scores: NDArray[np.float64] | None = None
    rejected: dict[int, str] = field(default_factory=dict)
    renumber: bool = True


def ordered(values: NDArray[np.float64], descending: bool, candidates: NDArray[np.intp]) -> NDArray[np.intp]:
    """``candidates`` in the stable order of their values; NaN last."""
    keys = -values[candidates] if descending else values[candidates]
    return candidates[np.argsort(keys, kind="stable")]


def not_faces(features: Features) -> dict[int, str]:
    """Index -> reason for every image without face metadata."""
    return dict.fromkeys(np.flatnonzero(~features.faces()).tolist(), NOT_A_FACE)


def without(rejected: dict[int, str], count: int) -> NDArray[np.intp]:
    """All indices below ``count`` but the rejected ones, ascending."""
    return np.setdiff1d(np.arange(count), np.fromiter(rejected, np.intp, len(rejected)))
