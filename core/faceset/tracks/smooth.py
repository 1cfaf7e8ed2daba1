"""Landmarks without their trembling: motion and shape of a track are smoothed each by itself, real movement is kept.

A wide fit is used where a narrow one agrees with it up to the noise of the track; where they differ, something moves,
and the narrow one is used; where that strays too far from what was found, the found points stay.
``benchmarks/tracks.py`` measures this beside other filters, also on the pixels in the crops.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from core.faceset.tracks import motion as moving
from core.faceset.tracks.held import pictures
from core.faceset.tracks.local_fit import fitting, local_fit
from core.geometry import landmarks as lm

Floats = NDArray[np.float64]

# At strength 1: width of the wide fit in frames, and by how many times the noise the fits may differ.
_WIDE, _AGREE = 6.0, 2.0
# Width of the narrow fit at strength 0, where it changes nothing, and what is added to it up to strength 1.
_NARROW, _NARROW_GROWTH = 0.5, 1.0
# By how many times the noise the result may differ from what was found. The crop must stay on the picture.
_STRAY_MOTION, _STRAY_SHAPE = 1.5, 3.0
_SHARPNESS = 4  # of the passage from one to the other
# Noise in sizes of the face: where a track is too short to tell, and what is never taken for noise, also of a head that
# is never at rest; a part of it in pixels, since small faces are found less exactly.
_USUAL_NOISE, _MOST_NOISE, _MOST_NOISE_PIXELS = 0.0015, 0.003, 0.2
_LEAST_FRAMES = 12
# Movement is no noise: the calmest quarter of a track shows it, and is so much calmer than noise is on average.
_CALM, _CALM_SHARE = 0.25, 0.6
# How much more a face counts that a person has corrected.
_FIXED_WEIGHT = 4.0
# The turn in the image of a face that was only fitted: frames that its neighbours count for, how far off one of them
# may be before it counts less, and how often that is asked anew.
_TURN_WIDTH, _TURN_OFF, _TURN_ROUNDS = 3.0, math.radians(4), 5
_AT_ONCE = 1000  # faces: what comes in between takes much memory
# Numbers that move together: place, size and turn, parts of the face.
MOTION_GROUPS = (np.array([0, 1]), np.array([2, 3]))
SHAPE_GROUPS = tuple(
    np.concatenate([2 * np.arange(lm.COUNT)[part], 2 * np.arange(lm.COUNT)[part] + 1]) for part in lm.PARTS.values()
)


def smooth_track(
    time: Floats,
    points: Floats,
    strength: float,
    fixed: NDArray[np.bool_] | None = None,
    unsure: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """The smoothed landmarks (n, 68, 2) of a track.

    time: (n,), of the frames, ascending, in frames of the film: faces far apart in time do not influence each other.
    points: (n, 68, 2), frame pixels.
    strength: 0 changes nothing, 0.5 is meant for films, 1 is most.
    fixed: bool (n,), faces that stay exactly as they are, and that the others follow more.
    unsure: bool (n,), faces whose turn in the image is not to be believed: they are turned as their neighbours are.
    """
    if strength <= 0 or len(points) < 2:
        return points.copy()
    if unsure is not None and unsure.any():
        points = steady_turns(time, points, unsure)
    fixed = np.zeros(len(points), bool) if fixed is None else fixed
    weights = np.where(fixed, _FIXED_WEIGHT, 1.0)
    motion = moving.motion_of(points)
    size = float(np.exp(np.median(motion[:, 2])))
    most = _MOST_NOISE + _MOST_NOISE_PIXELS / size
    shape = moving.shape_of(points, motion)
    picture = pictures(time, points, motion)
    unit = moving.in_face_sizes(np.ones((1, 4)), size)
    motion = smooth_motion(time, motion * unit, picture, strength, weights, most) / unit
    smooth_values(time, shape.reshape(len(shape), -1), SHAPE_GROUPS, strength, _STRAY_SHAPE, weights, most)
    for start in range(0, len(shape), _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        # What smoothing the shape moves as a whole would move the crop.
        shape[some] = moving.join(motion[some], moving.split(shape[some])[1])
    shape[fixed] = points[fixed]
    return shape


def steady_turns(time: Floats, points: Floats, unsure: NDArray[np.bool_]) -> Floats:
    """The landmarks (n, 68, 2) of a track; those of unsure faces (bool (n,)) turned as their neighbours in time are.

    What stands out among the neighbours hardly counts.
    """
    motion, shape = moving.split(points)
    found = np.exp(1j * motion[:, 3])
    weights = np.ones(len(points))
    for _ in range(_TURN_ROUNDS):
        fit = local_fit(time, np.column_stack([found.real, found.imag]), _TURN_WIDTH, 1, weights)
        away = np.angle(found * (fit[:, 0] - 1j * fit[:, 1]))
        weights = 1 / (1 + (away / _TURN_OFF) ** 2)
    motion[:, 3] -= away
    steady = points.copy()
    steady[unsure] = moving.join(motion[unsure], shape[unsure])
    return steady


def smooth_motion(
    time: Floats, motion: Floats, picture: NDArray[np.intp], strength: float, weights: Floats, most_noise: float
) -> Floats:
    """Smoothed motion (n, 4), in sizes of the face; frames that show one picture get one motion.

    picture: int (n,), see ``held``. weights: (n,), how much each frame counts. most_noise: what is never noise.
    """
    total = np.bincount(picture, weights).astype(np.float64)
    merged = np.zeros((len(total), motion.shape[1]))
    np.add.at(merged, picture, motion * weights[:, None])
    # A picture stands for the middle of the time in which it is shown.
    middle = np.bincount(picture, time) / np.bincount(picture)
    merged /= total[:, None]
    smooth_values(middle, merged, MOTION_GROUPS, strength, _STRAY_MOTION, total, most_noise)
    return merged[picture]


def smooth_values(
    time: Floats,
    values: Floats,
    groups: tuple[NDArray[np.intp], ...],
    strength: float,
    stray: float,
    weights: Floats,
    most_noise: float,
) -> None:
    """Smooth values (n, d) in their place.

    groups: columns that move together. stray: how far, in noise, from what was found.
    """
    fit_wide = fitting(time, _WIDE * strength, 1, weights)
    fit_narrow = fitting(time, _NARROW + _NARROW_GROWTH * strength, 2, weights)
    # The decision may not tremble either.
    calm = fitting(time, 1.0, 1)
    # Group by group, and in their place: the values of a long track take much memory.
    for group in groups:
        found = np.take(values, group, axis=1)  # row by row, as the fits read it
        noise = min(_noise(time, found), most_noise)
        narrow = fit_narrow(found)
        near = fit_wide(found)
        near -= narrow
        near *= _agreement(calm, near, noise * _AGREE * strength)
        near += narrow
        near -= found
        narrow -= found
        near *= _agreement(calm, narrow, noise * stray)
        found += near
        values[:, group] = found


def _agreement(calm: Callable[[Floats], Floats], difference: Floats, noise: float) -> Floats:
    """1 where a difference (n, d) is below the noise, 0 where it is far above; (n, 1)."""
    size = _lengths(difference)[:, None] / math.sqrt(difference.shape[1]) / noise
    size = np.maximum(calm(size), 0)
    return 1 / (1 + size**_SHARPNESS)


def _lengths(vectors: Floats) -> Floats:
    """The length (n,) of each vector (n, d)."""
    return np.sqrt(np.einsum("nd,nd->n", vectors, vectors))


def _noise(time: Floats, values: Floats) -> float:
    """Standard deviation of the trembling of values (n, d), as third differences of neighbouring frames show it."""
    even = np.isclose(time[3:] - time[:-3], 3 * np.median(np.diff(time))) if len(time) > 1 else np.empty(0, bool)
    if np.count_nonzero(even) < _LEAST_FRAMES:
        return _USUAL_NOISE
    third = [_lengths(np.diff(values[k : k + _AT_ONCE + 3], 3, axis=0)) for k in range(0, len(even), _AT_ONCE)]
    size = np.concatenate(third)[even] / math.sqrt(values.shape[1])
    # The binomial coefficients 1, 3, 3, 1: independent noise grows by the root of the sum of their squares.
    return max(float(np.quantile(size, _CALM)) / _CALM_SHARE / math.sqrt(20), 1e-9)
