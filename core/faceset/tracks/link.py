"""Faces of one head through the film: detections linked to tracks by where they are and whom they look like.

First neighbouring frames are linked, once by position alone and once more with the motion that this gives; then the
pieces are linked over gaps. Nothing is linked across a cut.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.faceset.tracks.assign import Indices, best_pairs

# How far from where it is expected a face may be, in face widths: in the next frame, for each further one, at most.
_REACH, _REACH_GROWTH, _REACH_MOST = 1.0, 0.1, 2.0
# Cosine similarity that says nothing for, and that says all for, the same person. Of one person's neighbouring frames
# 0.9 is usual and 0.5 rare; of strangers 0.1 is usual and 0.4 rare.
_STRANGE, _ALIKE = 0.1, 0.5
# What an unknown similarity counts as, between 0 and 1: the place must be good.
_UNKNOWN = 0.6
# Motion is that over so many frames, and is believed for so many.
_MOTION = 3
# Faces at the end of a piece whose mean vector says who it is.
_END = 5
_BLOCK = 20_000


@dataclass(frozen=True, eq=False)
class Detections:
    """n faces in the order of the film.

    number: int (n,), of the frame, ascending; several faces of a frame have the same.
    scene: int (n,), of the frame.
    centre: float64 (n, 2), and width: float64 (n,), of the face, frame pixels.
    vector: float32 (n, d), identity; NaN where unknown.
    """

    number: Indices
    scene: Indices
    centre: NDArray[np.float64]
    width: NDArray[np.float64]
    vector: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class _Motion:
    """Pixels per step, float64 (n, 2): of each face from those before it, and toward those after it; 0 if unknown."""

    before: NDArray[np.float64]
    after: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Faces that may follow each other: the indices of the earlier and of the later ones, and who they look like.

    looks: unit vectors of earlier and of later ones, of which each pair has a row.
    """

    left: Indices
    right: Indices
    looks: tuple[NDArray[np.float32], NDArray[np.float32]]
    rows: tuple[Indices, Indices]


def link(faces: Detections, max_gap: int) -> Indices:
    """The track (n,) of each face: 0, 1, ... by first appearance. A face that goes with no other is a track, too.

    max_gap: a face that was not found in so many frames of those that were looked at is still the same track.
    """
    count = len(faces.number)
    if not count:
        return np.empty(0, np.intp)
    time = frame_times(faces.number)
    unit = faces.vector / np.linalg.norm(faces.vector, axis=1, keepdims=True)
    left, right = _neighbours(time)
    pairs = _Pairs(left, right, (unit, unit), (left, right))
    after = np.full(count, -1, np.intp)
    for _ in range(2):
        motion = _motion(faces, time, after)
        after = np.full(count, -1, np.intp)
        _link_best(faces, time, pairs, motion, after)
    _link_best(faces, time, _over_gaps(time, unit, after, max_gap), _motion(faces, time, after), after)
    return _labels(after)


def frame_times(number: Indices) -> NDArray[np.float64]:
    """Frame numbers in units of the usual step between frames with faces (25 of a film with ``--every 25``)."""
    steps = np.diff(np.unique(number)).astype(np.float64)
    return number / (float(np.median(steps)) if len(steps) else 1.0)


def _neighbours(time: NDArray[np.float64]) -> tuple[Indices, Indices]:
    """All pairs of faces of frames that follow each other without a gap."""
    frame = np.cumsum(np.diff(time, prepend=time[0]) > 0)
    starts = np.searchsorted(frame, np.arange(frame[-1] + 3))
    left, right = _ranges(starts[frame + 1], starts[frame + 2])
    near = time[right] - time[left] < 1.5
    return left[near], right[near]


def _ranges(start: Indices, stop: Indices) -> tuple[Indices, Indices]:
    """Pairs (i, j) of every i with each j of ``start[i]`` to ``stop[i]``."""
    length = np.maximum(stop - start, 0)
    left = np.repeat(np.arange(len(start)), length)
    offset = np.arange(len(left)) - np.repeat(np.cumsum(length) - length, length)
    return left, start[left] + offset


def _over_gaps(time: NDArray[np.float64], unit: NDArray[np.float32], after: Indices, max_gap: int) -> _Pairs:
    """Last faces of pieces with the first ones of later pieces."""
    before = _reversed(after)
    ends, starts = np.flatnonzero(after < 0), np.flatnonzero(before < 0)
    # Half a step more than whole ones: frames need not be evenly far apart.
    first = np.searchsorted(time[starts], time[ends], side="right")
    last = np.searchsorted(time[starts], time[ends] + max_gap + 1.5)
    end, start = _ranges(first, last)
    looks = _mean_along(unit, before, ends), _mean_along(unit, after, starts)
    return _Pairs(ends[end], starts[start], looks, (end, start))


def _link_best(faces: Detections, time: NDArray[np.float64], pairs: _Pairs, motion: _Motion, after: Indices) -> None:
    """Put the best of the pairs into ``after`` (n,), the face that follows each, -1 for none."""
    gains = np.empty(len(pairs.left))
    for start in range(0, len(gains), _BLOCK):
        block = slice(start, start + _BLOCK)
        gain = _nearness(faces, time, pairs.left[block], pairs.right[block], motion)
        close = np.flatnonzero(gain > 0)
        rows = [row[block][close] for row in pairs.rows]
        gain[close] += _likeness(pairs.looks[0][rows[0]], pairs.looks[1][rows[1]]) - 1
        gains[block] = gain
    good = np.flatnonzero(gains > 0)
    chosen = good[best_pairs(pairs.left[good], pairs.right[good], gains[good], len(after))]
    after[pairs.left[chosen]] = pairs.right[chosen]


def _nearness(
    faces: Detections, time: NDArray[np.float64], a: Indices, b: Indices, motion: _Motion
) -> NDArray[np.float64]:
    """1 where b is exactly where it is expected after a, 0 and less beyond what is in reach; -1 in another scene."""
    width_a, width_b = np.maximum(faces.width[a], 1e-9), np.maximum(faces.width[b], 1e-9)
    steps = time[b] - time[a]
    believed = np.minimum(steps, _MOTION)[:, None]
    moved = faces.centre[b] - faces.centre[a]
    # Both sides expect something; the mean of what they are wrong by.
    wrong = np.linalg.norm(moved - motion.before[a] * believed, axis=1)
    wrong = (wrong + np.linalg.norm(moved - motion.after[b] * believed, axis=1)) / 2
    reach = np.minimum(_REACH + _REACH_GROWTH * (steps - 1), _REACH_MOST) * (width_a + width_b) / 2
    near = (1 - wrong / reach) * np.minimum(width_a, width_b) / np.maximum(width_a, width_b)
    return np.where(faces.scene[a] == faces.scene[b], near, -1.0)


def _likeness(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
    """0 for strangers, 1 for the same person, from unit vectors (pairs, d)."""
    cosine = np.einsum("nd,nd->n", a, b, dtype=np.float64)
    return np.where(np.isfinite(cosine), np.clip((cosine - _STRANGE) / (_ALIKE - _STRANGE), 0, 1), _UNKNOWN)


def _motion(faces: Detections, time: NDArray[np.float64], after: Indices) -> _Motion:
    return _Motion(_motion_to(faces, time, _reversed(after)), _motion_to(faces, time, after))


def _motion_to(faces: Detections, time: NDArray[np.float64], other: Indices) -> NDArray[np.float64]:
    own = np.arange(len(other))
    far = own
    for _ in range(_MOTION):
        far = np.where(other[far] >= 0, other[far], far)
    apart = time[own] - time[far]
    return (faces.centre[own] - faces.centre[far]) / np.where(apart == 0, 1.0, apart)[:, None]


def _reversed(after: Indices) -> Indices:
    before = np.full(len(after), -1, np.intp)
    linked = np.flatnonzero(after >= 0)
    before[after[linked]] = linked
    return before


def _mean_along(unit: NDArray[np.float32], other: Indices, at: Indices) -> NDArray[np.float32]:
    """Unit mean vectors (len(at), d) of the first few known faces on the way from ``at``."""
    total = np.zeros((len(at), unit.shape[1]), np.float32)
    here = at
    for _ in range(_END):
        total += np.where(here[:, None] >= 0, np.nan_to_num(unit[here]), 0)
        here = np.where(here >= 0, other[here], -1)
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return np.divide(total, length, out=np.full_like(total, np.nan), where=length > 0)


def _labels(after: Indices) -> Indices:
    """Numbers of the chains, by their first faces; a link leads to a later face always."""
    root = np.arange(len(after))
    before = _reversed(after)
    parent = np.where(before >= 0, before, root)
    while (parent[parent] != parent).any():
        parent = parent[parent]
    return np.unique(parent, return_inverse=True)[1]
