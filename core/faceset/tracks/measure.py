"""How much faces tremble, and how late smoothed ones are: what smoothing is judged by."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.faceset.tracks import motion as moving
from core.faceset.tracks.held import pictures

Floats = NDArray[np.float64]
# Frames around a fast one over which a delay is fitted.
_AROUND = 2
_AT_ONCE = 1000  # faces: the parts of all take much memory


@dataclass(frozen=True)
class Jitter:
    """How much trembling is left: the median change of movement after, as a part of that before; NaN if there is none.

    motion: of the place, size and turn of the crop. shape: of the 68 points in it.
    """

    motion: float
    shape: float


def jitter(tracks: Iterable[tuple[Floats, Floats, Floats]]) -> Jitter:
    """How much trembling is left. tracks: times (n,), landmarks before and after (n, 68, 2).

    The change of movement is the second difference between pictures that differ. The median leaves out what is fast.
    """
    # By ``map``, which lets go of a track before the next one is made.
    changes = list(map(_changes, tracks))
    found = [np.concatenate([np.empty(0), *part]) for part in zip(*changes, strict=True)] or [np.empty(0)]
    if not len(found[0]):
        return Jitter(np.nan, np.nan)
    motion_before, motion, shape_before, shape = map(np.median, found)
    return Jitter(float(motion / motion_before), float(shape / shape_before))


def _changes(track: tuple[Floats, Floats, Floats]) -> list[Floats]:
    """Changes of movement: of the motion before and after, of the shape before and after."""
    time, before, after = track
    motion = moving.motion_of(before)
    different = np.flatnonzero(np.diff(pictures(time, before, motion), prepend=-1))
    size = float(np.exp(np.median(motion[:, 2])))
    both = [_movements(points, different, size) for points in (before, after)]
    return [part[row] for row in (0, 1) for part in both]


def _movements(points: Floats, different: NDArray[np.intp], size: float) -> tuple[Floats, Floats]:
    """Changes of movement from picture to picture: of the motion and of the shape, some faces at a time."""
    starts = range(0, max(len(different) - 2, 1), _AT_ONCE)
    some = [parts(points[different[start : start + _AT_ONCE + 2]], size) for start in starts]
    found = [[_lengths(np.diff(part, 2, axis=0)) for part in pair] for pair in some]
    motion, shape = (np.concatenate(rows) for rows in zip(*found, strict=True))
    return motion, shape


def _lengths(vectors: Floats) -> Floats:
    return np.sqrt(np.einsum("nd,nd->n", vectors, vectors))


def size_of(points: Floats) -> float:
    """The usual size of a face in pixels, from landmarks (n, 68, 2)."""
    return float(np.exp(np.median(moving.motion_of(points)[:, 2])))


def parts(points: Floats, size: float) -> tuple[Floats, Floats]:
    """Motion (n, 4) and shape (n, 136) of a track, both in sizes of the face: ``size`` in pixels."""
    motion, shape = moving.split(points)
    return moving.in_face_sizes(motion, size), shape.reshape(len(shape), -1)


def delays(before: Floats, after: Floats, fastest: float = 0.05) -> Floats:
    """By how many frames ``after`` is late where ``before`` is fastest: (m,), early is negative.

    before, after: (n, d) of consecutive frames. fastest: the part of all frames that is looked at.
    Over a few frames around each, the delay whose product with the speed explains most of the difference.
    """
    speed = np.gradient(before, axis=0)
    pace = np.convolve((speed**2).sum(axis=1), np.ones(3) / 3, mode="same")
    fast = np.flatnonzero(pace >= np.quantile(pace, 1 - fastest))
    found = []
    for i in fast:
        near = slice(max(0, i - _AROUND), i + _AROUND + 1)
        found.append(((before - after)[near] * speed[near]).sum() / max((speed[near] ** 2).sum(), 1e-30))
    return np.array(found)
