"""Who the tracks are: clusters of their mean identity vectors, in which nobody is in one frame twice.

A name that a person gave counts more than likeness: tracks of different names are never one person, and what is
clustered with them gets their name. The others are called by their rank, ``1`` the person with most faces, so that
naming one leaves the numbers of the others.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.faceset.scores.cluster import average_linkage
from core.faceset.scores.persons import SAME_PERSON
from core.faceset.tracks.assign import Indices

_ROUNDS = 3


def is_number(name: str) -> bool:
    """Whether a name is one that this module gives; such names are given anew each time."""
    return name.isascii() and name.isdigit()


def name_faces(
    track: Indices,
    frame: Indices,
    vector: NDArray[np.float32],
    given: Sequence[str],
    least_similarity: float = SAME_PERSON,
) -> list[str]:
    """The name (n,) of the person of each face; empty where nothing is known of a whole track.

    track: int (n,), 0 .. tracks - 1. frame: int (n,), equal for faces of one frame.
    vector: float32 (n, d), identity; NaN where unknown.
    given: names so far, empty for none. Other names than numbers stay.
    least_similarity: mean cosine similarity up to which two tracks are one person.
    """
    tracks = _tracks(track, frame, vector, given)
    labels = average_linkage(np.array([t.vector for t in tracks]), least_similarity) if tracks else np.empty(0, np.intp)
    groups = [group for label in range(labels.max(initial=-1) + 1) for group in _split(tracks, labels == label)]
    names = _names(tracks, _joined(groups))
    return [name if name and not is_number(name) else names[t] for name, t in zip(given, track.tolist(), strict=True)]


@dataclass(frozen=True, eq=False)
class _Track:
    """vector: unit mean, NaN where unknown. frames: those that it is in. name: given by a person, or empty."""

    vector: NDArray[np.float32]
    frames: frozenset[int]
    faces: int
    name: str


@dataclass
class _Group:
    """Tracks of one person. sum: of their vectors, each as often as it has faces."""

    members: list[int]
    sum: NDArray[np.float64]
    frames: set[int]
    name: str


def _tracks(track: Indices, frame: Indices, vector: NDArray[np.float32], given: Sequence[str]) -> list[_Track]:
    order = np.argsort(track, kind="stable")
    found = []
    for members in np.split(order, np.flatnonzero(np.diff(track[order])) + 1) if len(order) else []:
        names = Counter(given[i] for i in members if given[i] and not is_number(given[i]))
        mean = vector[members] / np.linalg.norm(vector[members], axis=1, keepdims=True)
        known = np.isfinite(mean).all(axis=1)
        total = mean[known].sum(axis=0) if known.any() else np.full(vector.shape[1], np.nan)
        unit = (total / np.linalg.norm(total)).astype(np.float32)
        name = min(names, key=lambda n: (-names[n], n)) if names else ""
        found.append(_Track(unit, frozenset(frame[members].tolist()), len(members), name))
    return found


def _split(tracks: Sequence[_Track], inside: NDArray[np.bool_]) -> list[_Group]:
    """One group for a cluster, or several where that would put somebody into a frame twice or under two names.

    The tracks choose in the order of their length, those with names first, each the group it is most like; then all
    choose again, by what the groups have become.
    """
    members = np.flatnonzero(inside).tolist()
    members.sort(key=lambda i: (not tracks[i].name, -tracks[i].faces, i))
    groups: list[_Group] = []
    for _ in range(_ROUNDS):
        centres = [group.sum for group in groups]
        groups = [_Group([], centre, set(), "") for centre in centres]
        for i in members:
            _choose(groups, i, tracks[i])
        groups = [_group(tracks, group.members) for group in groups if group.members]
        if len(groups) == 1:
            break
    return groups


def _choose(groups: list[_Group], i: int, track: _Track) -> None:
    free = [group for group in groups if _fits(group, track)]
    if free:
        best = max(free, key=lambda group: float(track.vector @ group.sum) / (np.linalg.norm(group.sum) + 1e-12))
    else:
        best = _Group([], np.zeros(len(track.vector)), set(), "")
        groups.append(best)
    best.members.append(i)
    best.sum = best.sum + track.vector * track.faces
    best.frames |= track.frames
    best.name = best.name or track.name


def _fits(group: _Group, track: _Track) -> bool:
    if group.name and track.name:
        # Whoever named two faces of one frame alike has said so.
        return group.name == track.name
    return group.frames.isdisjoint(track.frames)


def _group(tracks: Sequence[_Track], members: list[int]) -> _Group:
    total = np.zeros(len(tracks[0].vector))
    for i in members:
        total += tracks[i].vector * tracks[i].faces
    frames = set().union(*(tracks[i].frames for i in members))
    return _Group(members, total, frames, next((tracks[i].name for i in members if tracks[i].name), ""))


def _joined(groups: list[_Group]) -> list[_Group]:
    """Groups of one given name are one person, however unlike they are."""
    by_name: dict[str, _Group] = {}
    out = []
    for group in groups:
        same = by_name.get(group.name) if group.name else None
        if same is None:
            out.append(group)
            by_name[group.name] = group
        else:
            same.members += group.members
    return out


def _names(tracks: Sequence[_Track], groups: Sequence[_Group]) -> list[str]:
    """The name of each track: that given to its group, else the rank of the group by its faces."""
    names = [track.name for track in tracks]
    by_size = sorted(groups, key=lambda group: (-sum(tracks[i].faces for i in group.members), min(group.members)))
    for rank, group in enumerate(by_size, 1):
        for i in group.members:
            names[i] = group.name or str(rank)
    return names
