"""From a mask to polygons that a person can edit, and back through ``core.imaging.masks.polygon_mask``.

Includes are outlines of the mask's pieces, excludes outlines of its holes. Because an exclude wins over every include,
a piece inside a hole is kept by joining its outline to the hole's by a thin bridge, which the even-odd rule then leaves
open.
"""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.masks import Mask, mask_iou, polygon_mask
from core.types import Polygon

_TOLERANCES = (2.0, 1.5, 1.0, 0.7, 0.4)  # pixels at a side of 256; then no simplification at all
_GOOD = 0.985


def mask_to_polygons(
    mask: Mask, *, smallest: int = 0, good: float = _GOOD, tolerance: float | None = None
) -> tuple[Polygon, ...]:
    """Polygons with few points that draw ``mask`` (H x W or H x W x 1, cut at 0.5) again; none for an empty mask.

    smallest: pieces and holes of fewer pixels are left out before anything is measured.
    good: the intersection over union, 0..1, with the mask that is good enough.
    tolerance: how far, in pixels at a side of 256, outlines may be from the mask's; None: as far as is good enough.
    """
    binary = _without_specks((np.asarray(mask).reshape(mask.shape[:2]) > 0.5).astype(np.uint8), smallest)
    scale = max(binary.shape) / 256
    if tolerance is not None:
        return _outlines(binary, tolerance * scale)
    for tolerance in _TOLERANCES:
        polygons = _outlines(binary, tolerance * scale)
        if mask_iou(polygon_mask(binary.shape, polygons)[..., 0], binary) >= good:
            return polygons
    return _outlines(binary, 0.0)


def _without_specks(binary: NDArray[np.uint8], smallest: int) -> NDArray[np.uint8]:
    """Pieces, then holes, of fewer than ``smallest`` pixels are turned over."""
    result = binary.copy()
    # Where two pixels of the mask touch at a corner, the background does not pass between them.
    for value, connectivity in ((1, 8), (0, 4)):
        plane = (result == value).astype(np.uint8)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(plane, connectivity=connectivity)
        small = [i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] < smallest]
        if small:
            result[np.isin(labels, small)] = 1 - value
    return result


def _outlines(binary: NDArray[np.uint8], tolerance: float) -> tuple[Polygon, ...]:
    outside = _flooded(binary)
    filled = 1 - outside
    holes = filled & (1 - binary)
    includes = [Polygon(True, path) for path in _paths(filled, tolerance)]
    excludes = [Polygon(False, path) for path in _paths(holes, tolerance)]
    return (*includes, *excludes)


def _flooded(binary: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """1 where the background is reached from the border (4-connected, as outlines of 8-connected pieces need it)."""
    padded = np.pad(binary, 1)
    cv2.floodFill(padded, None, (0, 0), 2, flags=4)
    return (padded[1:-1, 1:-1] == 2).astype(np.uint8)


def _paths(region: NDArray[np.uint8], tolerance: float) -> list[NDArray[np.float32]]:
    """One closed path for each piece of ``region``; the outlines of a piece's own holes are joined to it."""
    contours, tree = cv2.findContours(region, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    simple = [_simplified(contour, tolerance) for contour in contours]
    paths = []
    for i, (_, _, child, parent) in enumerate(tree[0] if tree is not None else ()):
        if parent < 0:
            holes = [simple[c] for c in _siblings(tree[0], child)]
            paths.append(_joined(simple[i], holes).astype(np.float32))
    return paths


def _siblings(tree: NDArray, first: int) -> Iterable[int]:
    while first >= 0:
        yield first
        first = tree[first][0]


def _simplified(contour: NDArray, tolerance: float) -> NDArray:
    """Fewer points, at least three where there are three: a sliver keeps its outline."""
    simple = cv2.approxPolyDP(contour, tolerance, True)
    if len(simple) < 3:
        simple = contour
    return simple[:, 0]


def _joined(path: NDArray, holes: list[NDArray]) -> NDArray:
    """``path`` with each hole's outline hung in at the nearest pair of points, there and back along the same line."""
    for hole in holes:
        distances = np.linalg.norm(path[:, None].astype(float) - hole[None], axis=2)
        i, j = np.unravel_index(int(distances.argmin()), distances.shape)
        path = np.concatenate([path[: i + 1], hole[j:], hole[: j + 1], path[i:]])
    return path
