"""Where many faces look, all at once: the pose that OpenCV's solver finds for each, in a seventh of its time.

The solver begins with a linear solution and goes down to the nearest minimum of the reprojection error. Heads are flat
and points are noisy, so that there often are two, one of them with the head turned over; which one is found depends on
the linear solution, and it is the same here.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from core.geometry import landmarks as lm
from core.geometry.pose import POINTS

Floats = NDArray[np.floating]

_HEAD = lm.HEAD_3D[POINTS].astype(np.float64)
_HOMOGENEOUS = np.column_stack([_HEAD, np.ones(len(_HEAD))])
_PRODUCTS = (_HOMOGENEOUS[:, :, None] * _HOMOGENEOUS[:, None, :]).reshape(-1, 16)
_ROUNDS = 20
_DAMPING, _LESS, _MORE = 1e-3, 0.1, 10.0
# The first keeps matrices of exact projections from having no inverse; their inverses are squared so often.
_RIDGE, _SQUARINGS = 1e-15, 10
_CONVERGED = 1e-6  # step, beside 1
_AT_ONCE = 500


def pitches_yaws_rolls(landmarks: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """``pitch_yaw_roll`` of many faces: (n, 3), radians; NaN where no pose fits.

    landmarks: (n, 68, 2), pixels of square images of ``size`` pixels. The solver stops a little before the minimum:
    its angles differ by up to 0.0002.
    """
    # In units of the focal length, from the middle; float32 as the solver takes them.
    points = landmarks[:, POINTS].astype(np.float32).astype(np.float64) / size - 0.5
    found = np.full((len(points), 3), np.nan)
    sound = np.flatnonzero(np.isfinite(points).all(axis=(1, 2)) & (np.ptp(points, axis=1).min(axis=1) > 0))
    parts = np.split(sound, range(_AT_ONCE, len(sound), _AT_ONCE))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for part, angles in zip(parts, pool.map(lambda part: _angles(points[part]), parts), strict=True):
            found[part] = angles
    return found


def _angles(points: Floats) -> Floats:
    x, y = np.ascontiguousarray(points[..., 0]), np.ascontiguousarray(points[..., 1])
    r = _nearest(*_linear(x, y), x, y)
    q = np.hypot(r[:, 0, 0], r[:, 1, 0])
    level = q >= 1e-6
    pitch = np.where(level, np.arctan2(r[:, 2, 1], r[:, 2, 2]), np.arctan2(-r[:, 1, 2], r[:, 1, 1]))
    roll = np.where(level, np.arctan2(r[:, 1, 0], r[:, 0, 0]), 0.0)
    angles = np.clip(np.stack([pitch, np.arctan2(-r[:, 2, 0], q), roll], axis=1), -np.pi / 2, np.pi / 2)
    return angles * (-1, 1, 1)


def _linear(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Rotations (n, 3, 3) and shifts (n, 3) nearest to the projections (3 x 4) that fit points (n, m) best."""
    count = len(x)
    normal = np.zeros((count, 12, 12))
    normal[:, :4, :4] = normal[:, 4:8, 4:8] = _PRODUCTS.sum(axis=0).reshape(4, 4)
    normal[:, :4, 8:] = normal[:, 8:, :4] = -(x @ _PRODUCTS).reshape(count, 4, 4)
    normal[:, 4:8, 8:] = normal[:, 8:, 4:8] = -(y @ _PRODUCTS).reshape(count, 4, 4)
    normal[:, 8:, 8:] = ((x**2 + y**2) @ _PRODUCTS).reshape(count, 4, 4)
    projection = _smallest(normal).reshape(count, 3, 4)
    # Its sign is not known: rotations do not mirror.
    projection *= np.sign(np.linalg.det(projection[..., :3]))[:, None, None]
    u, scale, vt = np.linalg.svd(projection[..., :3])
    return u @ vt, projection[..., 3] * (np.sqrt(3) / np.linalg.norm(scale, axis=1))[:, None]


def _smallest(matrices: Floats) -> Floats:
    """The eigenvectors (n, m) of the smallest eigenvalues of symmetric matrices (n, m, m), which are not negative."""
    diagonal = np.arange(matrices.shape[1])
    scale = np.trace(matrices, axis1=1, axis2=2)
    matrices[:, diagonal, diagonal] += _RIDGE * scale[:, None]
    power = np.linalg.inv(matrices)
    for _ in range(_SQUARINGS):
        power /= np.trace(power, axis1=1, axis2=2)[:, None, None]
        power = power @ power
    # All columns are multiples of the vector now.
    vectors = power[np.arange(len(power)), power[:, diagonal, diagonal].argmax(axis=1)]
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _nearest(rotation: Floats, shift: Floats, x: Floats, y: Floats) -> Floats:
    """The rotations (n, 3, 3) at the nearest minima (Levenberg and Marquardt)."""
    system, error = _system(rotation, shift, x, y)
    damping = np.full(len(x), _DAMPING)
    live = np.arange(len(x))
    diagonal = np.arange(6)
    for _ in range(_ROUNDS):
        damped = system[live, :6]
        damped[:, diagonal, diagonal] *= 1 + damping[live, None]
        step = np.linalg.solve(damped, system[live, 6, :, None])[..., 0]
        turned, shifted = _turned(step[:, :3], rotation[live]), shift[live] + step[:, 3:]
        small = np.linalg.norm(step, axis=1) < _CONVERGED * np.linalg.norm(shifted, axis=1)
        # Whether a step so small is for the better makes no difference.
        rotation[live[small]] = turned[small]
        live, turned, shifted = live[~small], turned[~small], shifted[~small]
        if not len(live):
            break
        new, new_error = _system(turned, shifted, x[live], y[live])
        better = new_error <= error[live]
        damping[live] *= np.where(better, _LESS, _MORE)
        at = live[better]
        rotation[at], shift[at] = turned[better], shifted[better]
        system[at], error[at] = new[better], new_error[better]
    return rotation


def _system(rotation: Floats, shift: Floats, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Of the reprojection for a turn and a shift more: (n, 7, 6), the normal matrix and under it the gradient; the
    error (n,).
    """
    count, points = x.shape
    a, b, c = np.moveaxis(rotation @ _HEAD.T, 1, 0)
    near = 1 / (c + shift[:, 2:])
    a_near, b_near, c_near = a * near, b * near, c * near
    u, v = a_near + shift[:, :1] * near, b_near + shift[:, 1:2] * near
    slope = np.zeros((count, 7, 2, points))
    slope[:, 0, 0], slope[:, 0, 1] = -u * b_near, -c_near - v * b_near
    slope[:, 1, 0], slope[:, 1, 1] = c_near + u * a_near, v * a_near
    slope[:, 2, 0], slope[:, 2, 1] = -b_near, a_near
    slope[:, 3, 0] = slope[:, 4, 1] = near
    slope[:, 5, 0], slope[:, 5, 1] = -u * near, -v * near
    slope[:, 6, 0], slope[:, 6, 1] = x - u, y - v
    flat = slope.reshape(count, 7, 2 * points)
    wrong = flat[:, 6]
    return flat @ flat[:, :6].transpose(0, 2, 1), np.einsum("np,np->n", wrong, wrong)


def _turned(turn: Floats, rotation: Floats) -> Floats:
    """Rotations (n, 3, 3), each turned about an axis by the length of it (n, 3), radians."""
    angle = np.linalg.norm(turn, axis=1)[:, None, None]
    cross = np.zeros_like(rotation)
    cross[:, 2, 1], cross[:, 0, 2], cross[:, 1, 0] = turn.T
    cross -= cross.transpose(0, 2, 1)
    # Rodrigues' formula; sinc(x / pi) is sin(x) / x.
    more = np.sinc(angle / np.pi) * cross + 0.5 * np.sinc(angle / (2 * np.pi)) ** 2 * (cross @ cross)
    return rotation + more @ rotation
