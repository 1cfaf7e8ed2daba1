"""Faces that were not found, from those before and after: the motion follows a curve, the shape goes over evenly."""

import numpy as np
from numpy.typing import NDArray

from core.faceset.tracks import motion as moving

Floats = NDArray[np.float64]

# Frames beside a gap that tell how fast the head was, and how much of that speed is believed: noise makes it too high.
_NEIGHBOURS, _BELIEVED = 3, 0.7


def missing_places(place: NDArray[np.intp], max_gap: int) -> NDArray[np.intp]:
    """Which places lie in gaps of a track of at most ``max_gap`` frames.

    place: int (n,), ascending, of the frames of the track among those that were looked at.
    """
    length = np.diff(place) - 1
    inside = [np.arange(place[i] + 1, place[i + 1]) for i in np.flatnonzero((length > 0) & (length <= max_gap))]
    return np.concatenate([np.empty(0, np.intp), *inside])


def interpolate(time: Floats, points: Floats, wanted: Floats, curved: bool = True) -> Floats:
    """Landmarks (m, 68, 2) at the times ``wanted`` (m,), each between two of a track.

    time: (n,), ascending; equal times show one picture, of which all finds count the same. points: (n, 68, 2), frame
    pixels.
    curved: the motion keeps the speeds on both sides (cubic Hermite curve); else it is a straight line.
    """
    time, first, count = np.unique(time, return_index=True, return_counts=True)
    motion, shape = moving.split(np.add.reduceat(points, first) / count[:, None, None])
    if len(time) == 1:
        return moving.join(np.repeat(motion, len(wanted), axis=0), np.repeat(shape, len(wanted), axis=0))
    left = np.minimum(np.searchsorted(time, wanted, side="right") - 1, len(time) - 2)
    right = left + 1
    length = time[right] - time[left]
    share = ((wanted - time[left]) / length)[:, None]
    between = motion[left] + share * (motion[right] - motion[left])
    if curved:
        speed_left = np.array([_speed(time, motion, i, -1) for i in left]).reshape(-1, 4)
        speed_right = np.array([_speed(time, motion, i, 1) for i in right]).reshape(-1, 4)
        mean = (motion[right] - motion[left]) / length[:, None]
        # The cubic Hermite curve as what it adds to the straight line.
        bend = (1 - share) * np.nan_to_num(speed_left - mean) - share * np.nan_to_num(speed_right - mean)
        between += _BELIEVED * length[:, None] * share * (1 - share) * bend
    return moving.join(between, shape[left] + share[..., None] * (shape[right] - shape[left]))


def interpolated_confidence(time: Floats, confidence: Floats, wanted: Floats) -> Floats:
    """How sure interpolated faces are, (m,): as the less sure neighbour, halved for each two frames away from it."""
    left = np.searchsorted(time, wanted, side="right") - 1
    nearest = np.minimum(wanted - time[left], time[left + 1] - wanted)
    return np.minimum(confidence[left], confidence[left + 1]) * 0.5 ** (nearest / 2)


def _speed(time: Floats, motion: Floats, i: int, direction: int) -> Floats:
    """How fast the motion (n, 4) is at i, by its neighbours on one side: the median of what each says.

    NaN where there are none.
    """
    others = [j for j in range(i + direction, i + direction * (_NEIGHBOURS + 1), direction) if 0 <= j < len(time)]
    others = [j for j in others if abs(time[j] - time[i]) <= 2 * _NEIGHBOURS]
    if not others:
        return np.full(motion.shape[1], np.nan)
    return np.median([(motion[i] - motion[j]) / (time[i] - time[j]) for j in others], axis=0)
