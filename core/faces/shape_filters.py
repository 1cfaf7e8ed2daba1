"""Whether the points of a face look like one: the filters of faceswap, by the measures of ``core.geometry.face_shape``.

A number of 0 switches its test off. The defaults lose no face of the clips that they were tried on.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.geometry.face_shape import average_distance, eye_mouth_gap, face_side, levelled, residual_roll

FEATURES = "eyes not above the mouth (--filter-features)"
MIN_SCALE = "smaller than --filter-min-scale"
MAX_SCALE = "larger than --filter-max-scale"
DISTANCE = "unlike a mean face (--filter-distance)"
ROLL = "rolled beyond --filter-roll"
NO_SHAPE = "landmarks without a shape"


class ShapeLimits(NamedTuple):
    """What is asked of the points.

    features: eyes and eyebrows above the mouth.
    min_scale, max_scale: of the face's square to the shorter side of the frame.
    distance: per cent of the unit square that they may be off the mean face on average.
    roll: degrees that they may stay rolled after levelling.
    """

    features: bool = True
    min_scale: float = 0.03
    max_scale: float = 4.0
    distance: float = 22.5
    roll: float = 0.0


NO_LIMITS = ShapeLimits(features=False, min_scale=0, max_scale=0, distance=0, roll=0)


def reason_of(points: NDArray[np.float64], shorter_side: int, limits: ShapeLimits) -> str:
    """The first test that the points (68, 2) fail; empty when they pass all. shorter_side: of the frame, pixels."""
    if limits == NO_LIMITS:
        return ""
    try:
        level, side = levelled(points), face_side(points)
        rolled = bool(limits.roll) and abs(residual_roll(level)) > limits.roll
    except InputError:
        return NO_SHAPE
    if limits.features and eye_mouth_gap(level) <= 0:
        return FEATURES
    if limits.min_scale and side < limits.min_scale * shorter_side:
        return MIN_SCALE
    if limits.max_scale and side > limits.max_scale * shorter_side:
        return MAX_SCALE
    if limits.distance and average_distance(level) > limits.distance / 100:
        return DISTANCE
    return ROLL if rolled else ""
