"""Which poses a faceset has: a map over yaw and pitch, and what the other side has and this one lacks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EDGES = np.arange(-90, 91, 15)


@dataclass(frozen=True)
class Coverage:
    """counts: int (12, 12), rows pitch from looking up (90 degrees) to down, columns yaw from -90 to 90; yaw in degrees of every face."""

    counts: NDArray[np.int64]
    yaw: NDArray[np.float64]


def coverage(yaw: NDArray[np.float64], pitch: NDArray[np.float64]) -> Coverage:
    """The map of faces with a pose (radians)."""
    known = np.isfinite(yaw) & np.isfinite(pitch)
    yaw, pitch = np.degrees(yaw[known]), np.degrees(pitch[known])
    counts, _, _ = np.histogram2d(pitch, yaw, bins=(EDGES, EDGES))
    return Coverage(counts[::-1].astype(np.int64), yaw)


def gaps(src: Coverage, dst: Coverage) -> list[str]:
    """Sentences about yaw ranges that the film (dst) needs and the source hardly has."""
    lines = []
    for low, high, words in (
        (-91, -50, "below -50 degrees yaw"),
        (-50, -25, "between -50 and -25 degrees yaw"),
        (-25, 25, "between -25 and 25 degrees yaw"),
        (25, 50, "between 25 and 50 degrees yaw"),
        (50, 91, "above 50 degrees yaw"),
    ):
        need, have = (int(np.count_nonzero((side.yaw >= low) & (side.yaw < high))) for side in (dst, src))
        if need >= 10 and have < max(0.1 * need, 5):
            lines.append(f"dst has {need} faces {words}, src has {have}")
    return lines
