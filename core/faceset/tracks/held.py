"""Pictures that a film shows for several frames, as recordings of slower cameras do.

Points that stand still and then jump are no trembling there: a crop that glides where the picture stands would shake.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import percentile_filter

from core.faceset.tracks import motion as moving

# A picture is held where the points move by less than this part of what is usual nearby: the third quartile of so many
# steps. Two finds on one picture differ by what compression did to it, far less than those on different pictures.
_PART, _NEARBY = 0.3, 9


def pictures(time: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.intp]:
    """The number (n,) of the picture that each frame of a track shows: 0, 1, ...

    time: (n,), of the frames, ascending. points: (n, 68, 2), as found; smoothed ones do not tell.
    """
    if len(points) < _NEARBY:
        return np.arange(len(points))
    size = np.exp(moving.split(points)[0][1:, 2])
    step = np.sqrt((np.diff(points, axis=0) ** 2).mean(axis=(1, 2))) / size
    held = step < _PART * percentile_filter(step, 75, _NEARBY)
    held &= np.diff(time) <= 1.5 * np.median(np.diff(time))
    return np.concatenate([[0], np.cumsum(~held)])
