"""A face as motion and shape: where its upright crop is in the frame, and where the points are in that crop.

The motion is the similarity transform that aligns the face (``core.geometry.align``), as four numbers that may be
averaged: centre x, centre y, logarithm of the size, angle. The shape has the unit of the aligned face: 1 is about the
width of eyes and brows.
"""

import numpy as np
from numpy.typing import NDArray

from core.geometry import landmarks as lm

Floats = NDArray[np.float64]

_POINTS = np.array(lm.MEAN_33_INDICES)
_MEAN = lm.MEAN_33.astype(np.float64)
_MIDDLE = _MEAN.mean(axis=0)
# What a step of each number of a motion means in face sizes: how far it moves a point at the edge of the face.
EDGE = 0.7


def split(points: Floats) -> tuple[Floats, Floats]:
    """Landmarks (n, 68, 2) in frame pixels -> motion (n, 4) and shape (n, 68, 2).

    motion: x and y of the centre in pixels, logarithm of the size in pixels, angle in radians without jumps of a turn.
    The landmarks of a face must not all be in one place.
    """
    motion = motion_of(points)
    shape = _turned(points - motion[:, None, :2], -motion[:, 2], -motion[:, 3])
    shape += _MIDDLE
    return motion, shape


def motion_of(points: Floats) -> Floats:
    """The motion (n, 4) alone, which takes a tenth of the time."""
    found = points[:, _POINTS]
    centre = found.mean(axis=1)
    source, target = found - centre[:, None], _MEAN - _MIDDLE
    # The least-squares similarity of the plane, frame to mean face, as a complex number: scale and turn.
    z = _complex(np.ascontiguousarray(source))
    to_mean = (np.conj(z) @ _complex(target)) / (np.abs(z) ** 2).sum(axis=1)
    return np.column_stack([centre, -np.log(np.abs(to_mean)), np.unwrap(-np.angle(to_mean))])


def join(motion: Floats, shape: Floats) -> Floats:
    """The landmarks (n, 68, 2) in frame pixels of a motion (n, 4) and a shape (n, 68, 2)."""
    points = _turned(shape - _MIDDLE, motion[:, 2], motion[:, 3])
    points += motion[:, None, :2]
    return points


def in_face_sizes(motion: Floats, size: float) -> Floats:
    """Motions (n, 4) as movements of a point of the face's edge, in sizes of the face; ``size`` in pixels."""
    return motion * np.array([1 / size, 1 / size, EDGE, EDGE])


def _turned(points: Floats, log_scale: Floats, angle: Floats) -> Floats:
    """Points (n, m, 2) scaled and turned about the origin, each of the n by its own; in their place where they can."""
    points = np.ascontiguousarray(points)
    numbers = _complex(points)
    numbers *= np.exp(log_scale + 1j * angle)[:, None]
    return points


def _complex(points: Floats) -> NDArray[np.complex128]:
    """Points (..., 2) as complex numbers (...), in the same memory: (x, y) is x + iy. They must lie in one piece."""
    return points.view(np.complex128)[..., 0]
