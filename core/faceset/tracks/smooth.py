"""Landmarks without their trembling: motion and shape of a track are smoothed each by itself, real movement is kept.

A wide fit is used where a narrow one agrees with it up to the noise of the track; where they differ, something moves,
and the narrow one is used. ``benchmarks/tracks.py`` measures this beside other filters.
"""

import math

import numpy as np
from numpy.typing import NDArray

from core.faceset.tracks import motion as moving
from core.faceset.tracks.local_fit import local_fit
from core.geometry import landmarks as lm

Floats = NDArray[np.float64]

# At strength 1: width of the wide fit in frames, and by how many times the noise the fits may differ.
_WIDE, _AGREE = 6.0, 2.4
# Width of the narrow fit at strength 0, where it changes nothing, and what is added to it up to strength 1.
_NARROW, _NARROW_GROWTH = 0.5, 1.0
_SHARPNESS = 4  # of the passage from one fit to the other
# Noise in sizes of the face: where a track is too short to tell, and what is never taken for noise, also of a head that
# is never at rest; a part of it in pixels, since small faces are found less exactly.
_USUAL_NOISE, _MOST_NOISE, _MOST_NOISE_PIXELS = 0.0015, 0.003, 0.2
_LEAST_FRAMES = 12
# How much more a face counts that a person has corrected.
_FIXED_WEIGHT = 4.0
# Numbers that move together: place, size and turn, parts of the face.
_MOTION_GROUPS = (np.array([0, 1]), np.array([2, 3]))
_SHAPE_GROUPS = tuple(
    np.concatenate([2 * np.arange(lm.COUNT)[part], 2 * np.arange(lm.COUNT)[part] + 1]) for part in lm.PARTS.values()
)


def smooth_track(
    time: Floats, points: Floats, strength: float, fixed: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """The smoothed landmarks (n, 68, 2) of a track.

    time: (n,), of the frames, ascending, in frames of the film: faces far apart in time do not influence each other.
    points: (n, 68, 2), frame pixels.
    strength: 0 changes nothing, 0.5 is meant for films, 1 is most.
    fixed: bool (n,), faces that stay exactly as they are, and that the others follow more.
    """
    if strength <= 0 or len(points) < 2:
        return points.copy()
    fixed = np.zeros(len(points), bool) if fixed is None else fixed
    weights = np.where(fixed, _FIXED_WEIGHT, 1.0)
    motion, shape = moving.split(points)
    size = float(np.exp(np.median(motion[:, 2])))
    unit = moving.in_face_sizes(np.ones((1, 4)), size)
    most = _MOST_NOISE + _MOST_NOISE_PIXELS / size
    motion = _smooth(time, motion * unit, _MOTION_GROUPS, strength, weights, most) / unit
    flat = shape.reshape(len(shape), -1)
    shape = _smooth(time, flat, _SHAPE_GROUPS, strength, weights, most).reshape(shape.shape)
    return np.where(fixed[:, None, None], points, moving.join(motion, shape))


def _smooth(
    time: Floats,
    values: Floats,
    groups: tuple[NDArray[np.intp], ...],
    strength: float,
    weights: Floats,
    most_noise: float,
) -> Floats:
    wide = local_fit(time, values, _WIDE * strength, 1, weights)
    narrow = local_fit(time, values, _NARROW + _NARROW_GROWTH * strength, 2, weights)
    out = narrow
    for group in groups:
        noise = min(_noise(time, values[:, group]), most_noise)
        differ = np.sqrt(((wide - narrow)[:, group] ** 2).mean(axis=1, keepdims=True)) / (noise * _AGREE * strength)
        # The decision may not tremble either.
        differ = np.maximum(local_fit(time, differ, 1.0, 1), 0)
        share = 1 / (1 + differ**_SHARPNESS)
        out[:, group] += share * (wide - narrow)[:, group]
    return out


def _noise(time: Floats, values: Floats) -> float:
    """Standard deviation of the trembling of values (n, d), as third differences of neighbouring frames show it."""
    third = np.diff(values, 3, axis=0)
    even = np.isclose(time[3:] - time[:-3], 3 * np.median(np.diff(time)))
    if np.count_nonzero(even) < _LEAST_FRAMES:
        return _USUAL_NOISE
    # The binomial coefficients 1, 3, 3, 1: independent noise grows by the root of the sum of their squares.
    return max(float(np.median(np.sqrt((third[even] ** 2).mean(axis=1)))) / math.sqrt(20), 1e-9)
