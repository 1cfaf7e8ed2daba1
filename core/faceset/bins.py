"""Dividing a faceset into bins: by person, by duplicates, or by equal parts of any score."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import UsageError
from core.faceset import sorting
from core.faceset.duplicates import duplicate_groups
from core.faceset.journal import ALIGNED, Move
from core.faceset.order import ANGLES, Order, free_name
from core.faceset.persons import find_persons
from core.faceset.ranking import Choices
from core.faceset.scores.features import Features

GROUPS_FOLDER = "aligned_groups"


@dataclass(frozen=True)
class Bins:
    """labels: bin of each picture of the gallery, -1 for none; names: of the bins, such as ``yaw_02_-20_to_0``."""

    labels: NDArray[np.intp]
    names: tuple[str, ...]

    def sizes(self) -> list[int]:
        return [int(np.count_nonzero(self.labels == k)) for k in range(len(self.names))]


def divide(features: Features, method: str, count: int) -> Bins:
    """Bins by a sort method: ``persons`` and ``duplicates`` find their own number of bins, methods with a score are cut into ``count`` equal parts
    (angles: of -90..90 degrees). Raises UsageError for a method without a score."""
    name = sorting.resolve(method)
    if name in ("persons", "identity"):
        return _persons(features)
    if name == "duplicates":
        return _duplicates(features)
    scores = sorting.load(name).rank(features, Choices()).scores
    if scores is None:
        raise UsageError(
            "this method gives no score to group by",
            where=f"--group {method}",
            hint="group by persons, duplicates, yaw, blur, brightness ...",
        )
    return _by_score(name, scores, count)


def _persons(features: Features) -> Bins:
    labels = find_persons(features).labels
    people = labels.max() + 1
    names = tuple(f"person_{k:02d}" for k in range(people))
    if (labels < 0).any():
        return Bins(np.where(labels < 0, people, labels), (*names, "unknown"))
    return Bins(labels, names)


def _duplicates(features: Features) -> Bins:
    groups = duplicate_groups(features["thumb"])
    sizes = np.bincount(groups)
    several = np.flatnonzero(sizes > 1)
    place = np.full(len(sizes), -1)
    place[several] = np.arange(len(several))
    return Bins(place[groups].astype(np.intp), tuple(f"same_{k:04d}" for k in range(len(several))))


def _by_score(name: str, scores: NDArray[np.float64], count: int) -> Bins:
    known = np.isfinite(scores)
    if not known.any():
        raise UsageError("no face has this score", where=f"--group {name}")
    shown = np.degrees(scores) if name in ANGLES else scores
    low, high = (-90.0, 90.0) if name in ANGLES else (float(shown[known].min()), float(shown[known].max()))
    edges = np.linspace(low, high, count + 1)
    labels = np.full(len(scores), -1, np.intp)
    labels[known] = np.clip(np.searchsorted(edges, shown[known], side="right") - 1, 0, count - 1)
    names = tuple(f"{name}_{k:02d}_{edges[k]:.4g}_to_{edges[k + 1]:.4g}" for k in range(count))
    used = [k for k in range(count) if (labels == k).any()]
    place = np.full(count + 1, -1)
    place[used] = np.arange(len(used))
    return Bins(place[labels], tuple(names[k] for k in used))


def plan(frames: Path, features: Features, bins: Bins) -> list[Move]:
    """Moves into ``aligned_groups/<bin>/``, beside what may be there already; pictures without a bin stay."""
    planned: list[Move] = []
    taken: dict[str, set[str]] = {}
    for name, label in zip(features.gallery.names, bins.labels, strict=True):
        if label >= 0:
            folder = f"{GROUPS_FOLDER}/{bins.names[label]}"
            planned.append(
                Move(
                    f"{ALIGNED}/{name}", f"{folder}/{free_name(frames / folder, name, taken.setdefault(folder, set()))}"
                )
            )
    return planned


def as_order(features: Features, bins: Bins, label: int) -> Order:
    """One bin as an order, for listing and contact sheets."""
    names = tuple(name for name, own in zip(features.gallery.names, bins.labels, strict=True) if own == label)
    return Order(bins.names[label], names, (), {})
