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
_MEAN_TURNED = (_MEAN - _MIDDLE) @ np.array([1, -1j])  # complex conjugates
# What a step of each number of a motion means in face sizes: how far it moves a point at the edge of the face.
EDGE = 0.7


def split(points: Floats) -> tuple[Floats, Floats]:
    """Landmarks (n, 68, 2) in frame pixels -> motion (n, 4) and shape (n, 68, 2).

    motion: x and y of the centre in pixels, logarithm of the size in pixels, angle in radians without jumps of a turn.
    The landmarks of a face must not all be in one place.
    """
    motion = motion_of(points)
    return motion, shape_of(points, motion)


def shape_of(points: Floats, motion: Floats) -> Floats:
    """The shape (n, 68, 2) of landmarks that have this motion."""
    numbers = _complex(points) - _complex(motion[:, :2])[:, None]
    numbers *= np.exp(-motion[:, 2] - 1j * motion[:, 3])[:, None]
    numbers += _complex(_MIDDLE)
    return _points(numbers)


def motion_of(points: Floats) -> Floats:
    """The motion (n, 4) alone, which takes a tenth of the time."""
    # The least-squares similarity of the plane, frame to mean face, as a complex number: scale and turn.
    z = _complex(points)[:, _POINTS]
    centre = z.mean(axis=1)
    z -= centre[:, None]
    to_mean = np.conj(np.einsum("nk,k->n", z, _MEAN_TURNED)) / (z.real**2 + z.imag**2).sum(axis=1)
    angle = np.unwrap(-np.angle(to_mean))
    return np.column_stack([centre.real, centre.imag, -np.log(np.abs(to_mean)), angle])


def join(motion: Floats, shape: Floats) -> Floats:
    """The landmarks (n, 68, 2) in frame pixels of a motion (n, 4) and a shape (n, 68, 2)."""
    numbers = _complex(shape) - _complex(_MIDDLE)
    numbers *= np.exp(motion[:, 2] + 1j * motion[:, 3])[:, None]
    numbers += _complex(motion[:, :2])[:, None]
    return _points(numbers)


def in_face_sizes(motion: Floats, size: float) -> Floats:
    """Motions (n, 4) as movements of a point of the face's edge, in sizes of the face; ``size`` in pixels."""
    return motion * np.array([1 / size, 1 / size, EDGE, EDGE])


def _complex(points: Floats) -> NDArray[np.complex128]:
    """Points (..., 2) as complex numbers (...): (x, y) is x + iy."""
    return np.ascontiguousarray(points).view(np.complex128)[..., 0]


def _points(numbers: NDArray[np.complex128]) -> Floats:
    """Complex numbers (...) as points (..., 2), in the same memory."""
    return numbers.view(np.float64).reshape(*numbers.shape, 2)
