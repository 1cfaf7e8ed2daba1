"""Upright boxes: (left, top, right, bottom) in pixels; many of them are rows of an (n, 4) array."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Overlap = Callable[[NDArray, NDArray], NDArray]


def intersection_over_union(box: NDArray, boxes: NDArray) -> NDArray:
    """The shared area of ``box`` (4,) and each of ``boxes`` (n, 4), as a part 0..1 of their joint area: (n,)."""
    shared = _shared_area(box, boxes)
    return shared / (_area(box) + _area(boxes) - shared)


def intersection_over_smaller(box: NDArray, boxes: NDArray) -> NDArray:
    """The shared area of ``box`` (4,) and each of ``boxes`` (n, 4), as a part 0..1 of the smaller of the two: (n,)."""
    return _shared_area(box, boxes) / np.minimum(_area(box), _area(boxes))


def _shared_area(box: NDArray, boxes: NDArray) -> NDArray:
    sides = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    return np.clip(sides, 0, None).prod(axis=1)


def _area(boxes: NDArray) -> NDArray:
    return (boxes[..., 2:] - boxes[..., :2]).prod(axis=-1)


def non_maximum_suppression(boxes: NDArray, confidences: ArrayLike, overlap: float) -> NDArray[np.intp]:
    """Indices of the boxes that do not overlap a kept one of higher confidence, highest first.

    boxes: (n, 4), its dtype is that of the computation.
    overlap: the largest intersection over union that is allowed.
    """
    order = np.argsort(-np.asarray(confidences), kind="stable")
    return order[first_of_overlapping(boxes[order], overlap)]


def first_of_overlapping(
    boxes: NDArray, overlap: float, measure: Overlap = intersection_over_union
) -> NDArray[np.intp]:
    """Indices of the boxes (n, 4) whose ``measure`` with every kept box before them is at most ``overlap``, ascending.

    Of two boxes without area, whose overlap is undefined, the first is kept.
    """
    waiting = np.arange(len(boxes))
    kept = []
    while len(waiting):
        first, rest = waiting[0], waiting[1:]
        kept.append(first)
        waiting = rest[measure(boxes[first], boxes[rest]) <= overlap]
    return np.array(kept, np.intp)
