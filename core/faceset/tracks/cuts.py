"""Scene cuts, from a tiny picture of each frame.

A cut is where the frames before differ from those after, and by far more than the film differs from itself nearby. The
median of a few frames stands for each side, so that a flash, which comes and goes, is none. A fast pan differs in all
of its frames, which raises what a cut has to exceed.
"""

import numpy as np
from numpy.typing import NDArray

# Frames of which each side's median is taken: flashes of two frames go unseen, and a scene of three is still one.
_SIDE = 5
# Frames between which there is one cut at most.
_APART = 3
# Frames around of which the usual difference is the median.
_NEARBY = 31
# A cut differs by so many times the usual, and at least by so much; 1 is what two unrelated pictures differ by.
_TIMES, _LEAST = 4.0, 0.25
# Deviation (of 255) below which a picture counts as even: the noise of a black frame must not look like a pattern.
_EVEN = 12.0


def find_cuts(looks: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where a scene begins: bool (n,), True at the first frame of every scene but the first.

    looks: uint8 (n, 8, 8, 3) or any other small size, mean colours of the frames in the order of the film.
    """
    count = len(looks)
    cuts = np.zeros(count, bool)
    if count < 2:
        return cuts
    patterns = _patterns(looks.reshape(count, -1))
    steps = np.abs(np.diff(patterns, axis=0)).mean(axis=1)
    least = np.maximum(_LEAST, _TIMES * _usual_nearby(steps))
    for i in np.flatnonzero(_highest_nearby(steps) & (steps > least)) + 1:
        cuts[i] = _side_difference(patterns, int(i)) > least[i - 1]
    return cuts


def scenes(cuts: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The number (n,) of the scene that each frame belongs to: 0, 1, ..."""
    return np.cumsum(cuts).astype(np.intp)


def _patterns(looks: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The looks without brightness and contrast, which lamps and exposure change within a scene."""
    values = looks.astype(np.float32)
    values -= values.mean(axis=1, keepdims=True)
    return values / np.maximum(values.std(axis=1, keepdims=True), _EVEN)


def _side_difference(patterns: NDArray[np.float32], i: int) -> float:
    """How much frame i and those after it differ from those before."""
    before = np.median(patterns[max(0, i - _SIDE) : i], axis=0)
    after = np.median(patterns[i : i + _SIDE], axis=0)
    return float(np.abs(after - before).mean())


def _usual_nearby(steps: NDArray[np.float32]) -> NDArray[np.float32]:
    """The median of the steps around each, the first and the last going on beyond the ends."""
    size = min(_NEARBY, len(steps))
    padded = np.pad(steps, (size // 2, (size - 1) // 2), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, size)
    return np.partition(windows, size // 2, axis=1)[:, size // 2]


def _highest_nearby(steps: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether no other step within three frames is higher; of equal ones the first."""
    padded = np.pad(steps, _APART, constant_values=-1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * _APART + 1)
    return windows.argmax(axis=1) == _APART
