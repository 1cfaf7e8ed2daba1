"""Dividing a faceset into groups: by person, by what is nearly the same, or by equal parts of any score."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import UsageError
from core.faceset.gallery import Gallery
from core.faceset.journal import ALIGNED, Move
from core.faceset.scores.duplicates import duplicate_groups
from core.faceset.scores.features import Features
from core.faceset.scores.persons import SAME_PERSON, find_persons
from core.faceset.sorting import methods
from core.faceset.sorting.algorithms import rank
from core.faceset.sorting.order import Order
from core.faceset.sorting.ranking import Choices
from core.faceset.sorting.trash import free_name, names_taken

GROUPS_FOLDER = "aligned_groups"
# The methods whose groups are persons.
PERSONS = frozenset({"persons", "identity"})


@dataclass(frozen=True)
class Groups:
    """A division of a gallery.

    labels: int (n,), the group of each image, -1 for none.
    names: of the groups, such as ``yaw_02_-20_to_0``.
    """

    labels: NDArray[np.intp]
    names: tuple[str, ...]

    def sizes(self) -> list[int]:
        """How many images are in each group."""
        return np.bincount(self.labels[self.labels >= 0], minlength=len(self.names)).tolist()


def divide(features: Features, by: str, count: int, likeness: float = SAME_PERSON) -> Groups:
    """Divide a gallery.

    by: a sort method. ``persons`` and ``duplicates`` find their own number of groups; the scores of others are cut into
    ``count`` equal parts (angles: of -90..90 degrees), of which the empty ones are left out.
    likeness: mean cosine similarity from which on faces are one person.

    Raises:
        UsageError: there is no such method, it has no score, or no image has a score.
    """
    method = methods.find(by)
    if method.name in PERSONS:
        return _persons(features, likeness)
    if method.name == "duplicates":
        return _duplicates(features)
    scores = rank(method, features, Choices()).scores
    if scores is None:
        raise UsageError(
            "this method gives no score to group by",
            where=by,
            hint="group by persons, duplicates, yaw, blur, brightness ...",
        )
    return _by_score(method, scores, count)


def _persons(features: Features, likeness: float) -> Groups:
    labels = find_persons(features, likeness).labels
    people = int(labels.max()) + 1
    names = tuple(f"person_{k:02d}" for k in range(people))
    # A group of its own, so that nobody stays behind in the folder.
    if (labels < 0).any():
        return Groups(np.where(labels < 0, people, labels), (*names, "unknown"))
    return Groups(labels, names)


def _duplicates(features: Features) -> Groups:
    groups = duplicate_groups(features["thumb"])
    several = np.flatnonzero(np.bincount(groups) > 1)
    return Groups(_renumbered(groups, several), tuple(f"same_{k:04d}" for k in range(len(several))))


def _by_score(method: methods.Method, scores: NDArray[np.float64], count: int) -> Groups:
    known = np.isfinite(scores)
    if not known.any():
        raise UsageError("no face has this score", where=method.name)
    shown = np.degrees(scores) if method.angle else scores
    # The same parts for every faceset, so that groups of two sides can be compared.
    low, high = (-90.0, 90.0) if method.angle else (float(shown[known].min()), float(shown[known].max()))
    edges = np.linspace(low, high, count + 1)
    labels = np.full(len(scores), -1, np.intp)
    # The largest score is the end of the last part; angles may be beyond 90 degrees.
    labels[known] = np.clip(np.searchsorted(edges, shown[known], side="right") - 1, 0, count - 1)
    used = np.unique(labels[known])
    names = tuple(f"{method.name}_{k:02d}_{edges[k]:.4g}_to_{edges[k + 1]:.4g}" for k in used)
    return Groups(_renumbered(labels, used), names)


def _renumbered(labels: NDArray[np.intp], used: NDArray[np.intp]) -> NDArray[np.intp]:
    """Labels as places in ``used`` (ascending); -1 for those that are not in it."""
    place = np.full(max(int(labels.max(initial=-1)) + 1, 1), -1, np.intp)
    place[used] = np.arange(len(used))
    return np.where(labels < 0, -1, place[labels])


def into_folders(frames: Path, gallery: Gallery, groups: Groups) -> list[Move]:
    """Moves into ``aligned_groups/<group>/``, beside what may be there already; images without a group stay.

    frames: the folder of the side.
    """
    planned: list[Move] = []
    taken: dict[str, set[str]] = {}
    for name, label in zip(gallery.names, groups.labels, strict=True):
        if label < 0:
            continue
        folder = f"{GROUPS_FOLDER}/{groups.names[label]}"
        if folder not in taken:
            taken[folder] = names_taken(frames / folder)
        target = free_name(name, taken[folder])
        planned.append(Move(f"{ALIGNED}/{name}", f"{folder}/{target}"))
    return planned


def as_order(gallery: Gallery, groups: Groups, label: int) -> Order:
    """One group as an order, for listings and contact sheets."""
    members = np.flatnonzero(groups.labels == label)
    return Order(groups.names[label], tuple(gallery.names[index] for index in members))
