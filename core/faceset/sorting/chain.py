"""Greedy chains by histogram: after each image comes the nearest of the rest. Exact, in bounded memory.

The distance of two histograms is OpenCV's Bhattacharyya distance, summed over the three channels. With unit vectors of
square roots a, b it is |a - b| / sqrt(2), so any orthogonal projection bounds it from below: a few principal components
and the length of the rest are compared with all remaining images, and only those whose bound beats the best are
compared in full. The chain runs over all images however many there are; the original program cuts more than 20,000 into
chunks that are chained apart.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from core.progress import progress

_COMPONENTS = 12
# So many of those whose bound is good enough are compared in full at first, then twice as many each time.
_FIRST_LOOK, _LONGEST_LOOK = 48, 1024
# The principal components come from about so many images.
_SAMPLE = 5000
# Rounding of the float32 bounds (squares) and of the float32 distances.
_SQUARE_SLACK, _SLACK, _RELATIVE = np.float32(1e-6), 1e-6, 1 + 4e-6
_BLOCK = 2048


def histogram_chain(histograms: NDArray[np.uint32]) -> NDArray[np.intp]:
    """The order (n,) of the greedy chain that starts with image 0.

    histograms: counts, n x 3 x 256. Ties go to the first in the current arrangement, in which each chosen image has
    changed places with the one whose turn it was.
    """
    if len(histograms) < 3:
        return np.arange(len(histograms))
    # Each step is a little work on much memory: waiting for a second thread costs more than it brings.
    with threadpool_limits(1):
        return _Chain(histograms).run()


class _Chain:
    """The images in their current arrangement, with their sketches moved along so that the rest is one slice.

    item: the image at each position; position: of each image. The chain is what lies before the current position.
    """

    def __init__(self, histograms: NDArray[np.uint32]):
        self.histograms = histograms
        self.roots = _roots(histograms)
        self.sketch, self.query = _sketches(self.roots)
        self.item = np.arange(len(histograms))
        self.position = np.arange(len(histograms))
        self.twins = _twins(histograms)
        self.square, self.bound = np.empty((2, len(histograms)), np.float32)

    def run(self) -> NDArray[np.intp]:
        for place in progress(range(1, len(self.item) - 1), description="chaining", unit="face"):
            # Two images with the same histograms have the distance 0: nothing can be nearer.
            self._swap(place, self._twin(place) or self._nearest(place))
        return self.item

    def _swap(self, a: int, b: int) -> None:
        if a != b:
            arrays: list[NDArray] = [self.item, *self.sketch, *self.query]
            for array in arrays:
                array[[a, b]] = array[[b, a]]
            self.position[self.item[[a, b]]] = a, b

    def _twin(self, place: int) -> int:
        """The first position among the rest of an image with the last one's very histograms; 0 when there is none."""
        twins = self.twins.get(int(self.item[place - 1]))
        if twins is None:
            return 0
        places = self.position[twins]
        places = places[places >= place]
        return int(places.min()) if len(places) else 0

    def _nearest(self, place: int) -> int:
        """The position among the rest of the image nearest to the last one."""
        bound = self._bounds(place)
        first = int(bound.argmin())
        current = self.item[place - 1]
        best = float(self._distances(current, self.item[[place + first]])[0])
        near = np.flatnonzero(bound <= best * _RELATIVE + _SLACK)
        near = near[np.argsort(bound[near], kind="stable")]
        # The best bounds first: what they find lowers the limit for all others.
        found, distances, start, step = [], [], 0, _FIRST_LOOK
        while start < len(near) and bound[near[start]] <= best * _RELATIVE + _SLACK:
            some = near[start : start + step]
            distances.append(self._distances(current, self.item[place + some]))
            found.append(some)
            best = min(best, float(distances[-1].min()))
            start, step = start + step, min(step * 2, _LONGEST_LOOK)
        some, distance = np.concatenate(found), np.concatenate(distances)
        return place + self._decide(current, place, some[distance <= best * _RELATIVE + _SLACK])

    def _bounds(self, place: int) -> NDArray[np.float32]:
        """Lower bounds (times sqrt 2) of the distances of the last chosen image to all that remain."""
        square, bound = self.square[place:], self.bound[place:]
        for c in range(3):
            target = bound if c == 0 else square
            np.dot(self.sketch[c][place:], self.query[c][place - 1], out=target)
            np.sqrt(np.maximum(target, 0, out=target), out=target)
            if c:
                bound += square
        return bound

    def _distances(self, current: int, others: NDArray[np.intp]) -> NDArray[np.float32]:
        """Distances times sqrt 2, in float32."""
        difference = self.roots[others] - self.roots[current]
        return np.sqrt(np.einsum("ncb,ncb->nc", difference, difference)).sum(axis=1)

    def _decide(self, current: int, place: int, some: NDArray[np.intp]) -> int:
        """Of images that float32 cannot tell apart the nearest in float64, then the first in the arrangement."""
        if len(some) == 1:
            return int(some[0])
        some = np.sort(some)
        exact = [bhattacharyya(self.histograms[current], self.histograms[i]) for i in self.item[place + some]]
        return int(some[int(np.argmin(exact))])


def bhattacharyya(a: NDArray[np.uint32], b: NDArray[np.uint32]) -> float:
    """The distance of two sets of histograms (channels x 256), summed over the channels."""
    return sum(
        cv2.compareHist(x, y, cv2.HISTCMP_BHATTACHARYYA)
        for x, y in zip(a.astype(np.float32), b.astype(np.float32), strict=True)
    )


def _roots(histograms: NDArray[np.uint32]) -> NDArray[np.float32]:
    """Square roots of the shares: unit vectors, of the shape of ``histograms``."""
    roots = np.empty(histograms.shape, np.float32)
    for start in range(0, len(histograms), _BLOCK):
        # In float64 and blocks: all at once would take several times the memory of the result.
        counts = histograms[start : start + _BLOCK].astype(np.float64)
        roots[start : start + _BLOCK] = np.sqrt(counts / np.maximum(counts.sum(axis=2, keepdims=True), 1))
    return roots


def _sketches(roots: NDArray[np.float32]) -> tuple[list[NDArray[np.float32]], list[NDArray[np.float32]]]:
    """For each channel two arrays (n, k + 3) whose products are lower bounds of squared distances.

    The coordinates are the principal components and the length of what they leave out; with -2 times them on one side,
    their squared length and 1 on either, a product is the squared distance, here less the slack for rounding.
    """
    sketches, queries = [], []
    sample = roots[:: max(1, len(roots) // _SAMPLE)].astype(np.float64)
    for c in range(3):
        mean = sample[:, c].mean(axis=0)
        axes = np.linalg.eigh(np.cov((sample[:, c] - mean).T))[1][:, -_COMPONENTS:]
        parts = np.empty((len(roots), _COMPONENTS + 3), np.float32)
        for start in range(0, len(roots), _BLOCK):
            centered = roots[start : start + _BLOCK, c] - mean
            part = centered @ axes
            total = (centered**2).sum(axis=1)
            rest = np.maximum(total - (part**2).sum(axis=1), 0)
            parts[start : start + _BLOCK] = np.column_stack([part, np.sqrt(rest), total, np.ones(len(part))])
        query = parts.copy()
        query[:, :-2] *= -2
        query[:, -2], query[:, -1] = 1, parts[:, -2] - _SQUARE_SLACK
        sketches.append(parts)
        queries.append(query)
    return sketches, queries


def _twins(histograms: NDArray[np.uint32]) -> dict[int, NDArray[np.intp]]:
    """For each image that shares its histograms with others: all of them."""
    groups: dict[bytes, list[int]] = {}
    for index, histogram in enumerate(histograms):
        groups.setdefault(histogram.tobytes(), []).append(index)
    shared = [np.array(group) for group in groups.values() if len(group) > 1]
    return {int(index): group for group in shared for index in group}


def summed_distances(histograms: NDArray[np.uint32]) -> NDArray[np.float64]:
    """For each histogram (n x bins) the sum of its Bhattacharyya distances to all others, without an n x n matrix."""
    counts = histograms.astype(np.float64)
    counts /= np.maximum(counts.sum(axis=1, keepdims=True), 1)
    roots = np.sqrt(counts, out=counts)
    sums = np.zeros(len(roots))
    for a in range(0, len(roots), _BLOCK):
        for b in range(a, len(roots), _BLOCK):
            block = 1 - roots[a : a + _BLOCK] @ roots[b : b + _BLOCK].T
            np.sqrt(np.maximum(block, 0, out=block), out=block)
            if a == b:
                np.fill_diagonal(block, 0)  # rounding leaves something there
            sums[a : a + _BLOCK] += block.sum(axis=1)
            if a != b:
                sums[b : b + _BLOCK] += block.sum(axis=0)
    return sums
