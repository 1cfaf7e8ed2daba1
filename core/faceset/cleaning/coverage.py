"""Which poses a faceset has, as a map over yaw and pitch, and what the film needs and the source lacks."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

EDGES = np.arange(-90, 91, 15)
_NEEDED_FROM = 10
_ENOUGH_SHARE, _ENOUGH = 0.1, 5


@dataclass(frozen=True)
class Coverage:
    """The poses of a faceset.

    counts: int (12, 12), faces in cells of 15 degrees; rows pitch from 90 (looking up) down to -90, columns yaw from
        -90 to 90.
    """

    counts: NDArray[np.int64]

    def along(self, axis: str) -> list[int]:
        """How many faces in each step of ``yaw`` or ``pitch``, from -90 degrees up."""
        rising = self.counts[::-1]
        return rising.sum(axis=0 if axis == "yaw" else 1).tolist()


@dataclass(frozen=True)
class Gap:
    """A range of poses that the film needs and the source hardly has.

    yaw, pitch: its ends in degrees, from low to high; None for every angle.
    needed, there: faces of the film and of the source in it.
    """

    yaw: tuple[int, int] | None
    pitch: tuple[int, int] | None
    needed: int
    there: int


def coverage(yaw: NDArray[np.float64], pitch: NDArray[np.float64]) -> Coverage:
    """The map of all faces with a pose. yaw, pitch: radians (n,), NaN for those without."""
    known = np.isfinite(yaw) & np.isfinite(pitch)
    # A head that is turned further than any edge counts as turned as far as the outermost cell.
    yaw, pitch = (np.clip(np.degrees(angle[known]), EDGES[0], EDGES[-1]) for angle in (yaw, pitch))
    counts, _, _ = np.histogram2d(pitch, yaw, bins=(EDGES, EDGES))
    # histogram2d begins with the lowest pitch; the map has looking up on top.
    return Coverage(counts[::-1].astype(np.int64))


def lacking(there: Any, needed: Any) -> Any:
    """Whether so many faces of the source are too few for so many of the film; numbers, or arrays of them."""
    return (needed >= _NEEDED_FROM) & (there < np.maximum(_ENOUGH_SHARE * needed, _ENOUGH))


def gaps(src: Coverage, dst: Coverage) -> list[Gap]:
    """What the film (dst) needs and the source (src) lacks: ranges of yaw, ranges of pitch, and single cells where
    neither their whole column nor their whole row is lacking.
    """
    yaws, pitches = (_ranges(src.along(axis), dst.along(axis)) for axis in ("yaw", "pitch"))
    found = [Gap(ends, None, needed, there) for ends, needed, there in yaws]
    found += [Gap(None, ends, needed, there) for ends, needed, there in pitches]
    cells = []
    for row, column in np.argwhere(lacking(src.counts, dst.counts)).tolist():
        yaw, pitch = cell_ends(row, column)
        if not _inside(yaw, [ends for ends, _, _ in yaws]) and not _inside(pitch, [ends for ends, _, _ in pitches]):
            cells.append(Gap(yaw, pitch, int(dst.counts[row, column]), int(src.counts[row, column])))
    return found + sorted(cells, key=lambda gap: -gap.needed)


def cell_ends(row: int, column: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """(yaw, pitch) of a cell of ``Coverage.counts``, each (low, high) in degrees."""
    edges: list[int] = EDGES.tolist()
    return (edges[column], edges[column + 1]), (edges[-2 - row], edges[-1 - row])


def _ranges(src: list[int], dst: list[int]) -> list[tuple[tuple[int, int], int, int]]:
    """(ends, needed, there) of the steps that are lacking; neighbours on one side of 0 are one range."""
    found: list[tuple[tuple[int, int], int, int]] = []
    for low, high, there, needed in zip(EDGES[:-1].tolist(), EDGES[1:].tolist(), src, dst, strict=True):
        if not lacking(there, needed):
            continue
        if found and found[-1][0][1] == low != 0:
            (first, _), before, had = found.pop()
            found.append(((first, high), before + needed, had + there))
        else:
            found.append(((low, high), needed, there))
    return found


def _inside(ends: tuple[int, int], ranges: list[tuple[int, int]]) -> bool:
    return any(low <= ends[0] and ends[1] <= high for low, high in ranges)
