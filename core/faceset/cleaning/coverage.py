"""Which poses a faceset has, as a map over yaw and pitch, and what the film needs and the source lacks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EDGES = np.arange(-90, 91, 15)
# Ranges of yaw in degrees that people speak of: profiles, half profiles, the front. The outer ends hold every angle.
_RANGES = ((-91, -50), (-50, -25), (-25, 25), (25, 50), (50, 91))
_NEEDED_FROM = 10
_ENOUGH_SHARE, _ENOUGH = 0.1, 5


@dataclass(frozen=True)
class Coverage:
    """The poses of a faceset.

    counts: int (12, 12), faces in cells of 15 degrees; rows pitch from 90 (looking up) down to -90, columns yaw from
        -90 to 90.
    yaw: degrees, of every face with a pose.
    """

    counts: NDArray[np.int64]
    yaw: NDArray[np.float64]

    def between(self, low: float, high: float) -> int:
        """How many faces have a yaw from ``low`` to below ``high`` (degrees)."""
        return int(np.count_nonzero((self.yaw >= low) & (self.yaw < high)))


@dataclass(frozen=True)
class Gap:
    """A range of yaw that the film needs and the source hardly has.

    low, high: its ends in degrees; below -90 and above 90 for the outermost ranges.
    needed, there: faces of the film and of the source in it.
    """

    low: int
    high: int
    needed: int
    there: int


def coverage(yaw: NDArray[np.float64], pitch: NDArray[np.float64]) -> Coverage:
    """The map of all faces with a pose. yaw, pitch: radians (n,), NaN for those without."""
    known = np.isfinite(yaw) & np.isfinite(pitch)
    yaw, pitch = np.degrees(yaw[known]), np.degrees(pitch[known])
    counts, _, _ = np.histogram2d(pitch, yaw, bins=(EDGES, EDGES))
    # histogram2d begins with the lowest pitch; the map has looking up on top.
    return Coverage(counts[::-1].astype(np.int64), yaw)


def gaps(src: Coverage, dst: Coverage) -> list[Gap]:
    """What the film (dst) needs and the source (src) lacks."""
    found = [Gap(low, high, dst.between(low, high), src.between(low, high)) for low, high in _RANGES]
    return [gap for gap in found if gap.needed >= _NEEDED_FROM and gap.there < max(_ENOUGH_SHARE * gap.needed, _ENOUGH)]
