"""How much faces tremble, and how late smoothed ones are: what smoothing is judged by."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.faceset.tracks import motion as moving

Floats = NDArray[np.float64]
# Frames around a fast one over which a delay is fitted.
_AROUND = 2


@dataclass(frozen=True)
class Jitter:
    """Root mean square of second differences after smoothing, as a part of that before; NaN where there are none.

    motion: of the place, size and turn of the crop. shape: of the 68 points in it.
    """

    motion: float
    shape: float


def jitter(tracks: Iterable[tuple[Floats, Floats, Floats]]) -> Jitter:
    """How much trembling is left. tracks: times (n,), landmarks before and after (n, 68, 2)."""
    sums = np.zeros((2, 2))
    for time, before, after in tracks:
        even = np.flatnonzero(np.diff(time)[:-1] == np.diff(time)[1:])
        for column, points in enumerate((before, after)):
            motion, shape = parts(points)
            sums[0, column] += (np.diff(motion, 2, axis=0)[even] ** 2).sum()
            sums[1, column] += (np.diff(shape, 2, axis=0)[even] ** 2).sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        left = np.sqrt(sums[:, 1] / sums[:, 0])
    return Jitter(float(left[0]), float(left[1]))


def parts(points: Floats) -> tuple[Floats, Floats]:
    """Motion (n, 4) and shape (n, 136) of a track, both in sizes of the face."""
    motion, shape = moving.split(points)
    size = float(np.exp(np.median(motion[:, 2])))
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
