"""From a sort method to an order of names."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from core.faceset.scores.features import Features
from core.faceset.sorting import methods
from core.faceset.sorting.algorithms import rank
from core.faceset.sorting.ranking import UNREADABLE, Choices, Ranking


@dataclass(frozen=True)
class Order:
    """An order of the images of a gallery, and what is to be thrown out.

    method: name of the sort method, or of the group that this is.
    names: file names, first to last.
    scores: one for each name, NaN where there is none; empty where the method has none.
    rejected: file name -> reason.
    renumber: False leaves the names as they are.
    angles: the scores are in radians.
    """

    method: str
    names: tuple[str, ...]
    scores: tuple[float, ...] = ()
    rejected: dict[str, str] = field(default_factory=dict)
    renumber: bool = True
    angles: bool = False

    def reasons(self) -> dict[str, int]:
        """Reason -> how many were rejected for it, the most frequent first."""
        return dict(Counter(self.rejected.values()).most_common())

    def shown_scores(self) -> tuple[float, ...]:
        """The scores for people: angles in degrees."""
        return tuple(map(math.degrees, self.scores)) if self.angles else self.scores

    def new_names(self) -> list[str]:
        """The file names that the images get, without folder."""
        return numbered(self.names) if self.renumber else [Path(name).name for name in self.names]


def arrange(features: Features, method: str, choices: Choices) -> Order:
    """Run a sort method. Images that cannot be decoded are rejected, whatever the method.

    Raises:
        UsageError: there is no such method.
    """
    chosen = methods.find(method)
    ranking = _without_unreadable(features, rank(chosen, features, choices))
    names = features.gallery.names
    scores = () if ranking.scores is None else tuple(ranking.scores[ranking.order].tolist())
    return Order(
        method=chosen.name,
        names=tuple(names[index] for index in ranking.order),
        scores=scores,
        rejected={names[index]: reason for index, reason in sorted(ranking.rejected.items())},
        renumber=ranking.renumber,
        angles=chosen.angle,
    )


def _without_unreadable(features: Features, ranking: Ranking) -> Ranking:
    bad = np.flatnonzero(~features.readable())
    if not len(bad):
        return ranking
    order = ranking.order[~np.isin(ranking.order, bad)]
    return replace(ranking, order=order, rejected=ranking.rejected | dict.fromkeys(bad.tolist(), UNREADABLE))


def numbered(names: Sequence[str]) -> list[str]:
    """New names 00000, 00001, ... with the old suffixes.

    They are wide enough that the order of strings is the order of numbers.
    """
    width = max(5, len(str(max(len(names) - 1, 0))))
    return [f"{index:0{width}d}{Path(name).suffix}" for index, name in enumerate(names)]
