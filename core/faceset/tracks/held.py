"""Pictures that a film shows for several frames, as recordings of slower cameras do.

Points that stand still and then jump are no trembling there: a crop that glides where the picture stands would shake.
"""

import numpy as np
from numpy.typing import NDArray

from core.faceset.tracks import motion as moving

# A picture is held where the points move by less than this part of what they move by in the steps before and those
# after, so many on each side. Two finds on one picture differ by what compression did to it, far less than those on
# different pictures; a head that turns back slows down before and after.
_PART, _SIDE = 0.3, 2
# What changes most in a tiny picture is left out, by this part of it: a face that is covered in one frame is no other
# picture. The rest tells only where what moves around a frame changes it by at least so much, of 255.
_MOST, _VISIBLE = 0.3, 0.1
_AT_ONCE = 1000  # faces: the differences of all take much memory


def pictures(
    time: NDArray[np.float64], points: NDArray[np.float64], motion: NDArray[np.float64] | None = None
) -> NDArray[np.intp]:
    """The number (n,) of the picture that each frame of a track shows: 0, 1, ...

    time: (n,), of the frames, ascending. points: (n, 68, 2), as found; smoothed ones do not tell. motion: of these
    points, where it is known.
    """
    if len(points) <= 2 * _SIDE:
        return np.arange(len(points))
    motion = moving.motion_of(points) if motion is None else motion
    moved = np.concatenate([_moved(points[k : k + _AT_ONCE + 1]) for k in range(0, len(points) - 1, _AT_ONCE)])
    step = moved / np.exp(motion[1:, 2])
    held = step < _PART * _movement_around(step)
    held &= np.diff(time) <= 1.5 * np.median(np.diff(time))
    return np.concatenate([[0], np.cumsum(~held)])


def repeated(number: NDArray[np.intp], looks: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which frames of a film show the picture of the frame before, by what the whole frame looks like.

    number: (n,), of the frames, ascending. looks: uint8 (n, ...), a tiny picture of each.
    """
    if len(looks) <= 2 * _SIDE:
        return np.zeros(len(looks), bool)
    flat = looks.reshape(len(looks), -1)
    changes = np.maximum(flat[1:], flat[:-1]) - np.minimum(flat[1:], flat[:-1])
    least = round((1 - _MOST) * changes.shape[1])
    step = np.partition(changes, least, axis=1)[:, :least].mean(axis=1)
    around = _movement_around(step)
    held = (step < _PART * around) & (around >= _VISIBLE) & (np.diff(number) == 1)
    return np.concatenate([[False], held])


def _movement_around(step: NDArray[np.floating]) -> NDArray[np.floating]:
    """How large steps (n,) are just before and just after each: the smaller of the two highest."""
    # Beyond the ends nobody knows; the other side decides.
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(step, _SIDE, constant_values=np.inf), 2 * _SIDE + 1)
    return np.minimum(_highest(windows[:, :_SIDE]), _highest(windows[:, _SIDE + 1 :]))


def _moved(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far the points move from each face to the next, (n - 1,)."""
    return np.sqrt((np.diff(points, axis=0) ** 2).mean(axis=(1, 2)))


def _highest(steps: NDArray[np.floating]) -> NDArray[np.floating]:
    """The highest known step (n,) of each row; infinite where none is known."""
    highest = np.where(np.isinf(steps), -1, steps).max(axis=1)
    return np.where(highest < 0, np.inf, highest)
