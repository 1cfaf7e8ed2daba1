"""Average-linkage clusters of unit vectors, exact, without an n x n matrix.

The mean similarity of two clusters is the product of their sums over the product of their sizes, so a cluster is a sum
and a size. Mutual nearest neighbours may be merged at once: average linkage is reducible (Bruynooghe 1977), a merged
cluster is never nearer to a third one than the nearer of its parts. For the same reason a short list of nearest
neighbours stays right when the merged ones are replaced in it; only a cluster whose list has run dry is compared with
all again.
"""

import numpy as np
from numpy.typing import NDArray

_LIST = 32
_BLOCK_BYTES = 64 * 2**20
_MERGED_AT_ONCE, _REPLACED_AT_ONCE = 2000, 100_000
# Stands for the similarity of nobody: below every cosine.
_NONE = np.float32(-2)


def average_linkage(vectors: NDArray[np.float32], least_similarity: float) -> NDArray[np.intp]:
    """Cluster number (n,) of each vector, 0 the largest cluster.

    vectors: float32 (n, d), of any length; those that are not finite, or zero, get the number -1.
    least_similarity: clusters are merged while their mean cosine similarity is at least that.
    """
    labels = np.full(len(vectors), -1, np.intp)
    lengths = np.linalg.norm(vectors, axis=1)
    use = np.flatnonzero(np.isfinite(lengths) & (lengths > 0))
    if len(use):
        unit = (vectors[use] / lengths[use, None]).astype(np.float32)
        unique, weight, twin = _merge_equal(unit)
        labels[use] = _by_size(_Linkage(unique, weight, least_similarity).run()[twin])
    return labels


def _merge_equal(unit: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.intp]]:
    """Equal vectors are one cluster from the start: they would only make ties."""
    rows = np.ascontiguousarray(unit).view(np.dtype((np.void, unit.shape[1] * unit.itemsize))).ravel()
    _, first, twin, weight = np.unique(rows, return_index=True, return_inverse=True, return_counts=True)
    return unit[first], weight.astype(np.float32), twin


def _by_size(labels: NDArray[np.intp]) -> NDArray[np.intp]:
    """Any labels as 0, 1, ... by size, the largest first; of equal ones that whose first vector comes first."""
    _, first, number, counts = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    rank = np.empty(len(counts), np.intp)
    rank[np.lexsort((first, -counts))] = np.arange(len(counts))
    return rank[number]


class _Linkage:
    """The clusters while they are merged, by the number of their first vector.

    mean: float32 (n, d), mean vector of each cluster; the similarity of two is their product.
    weight: how many vectors are in it. alive: not yet part of another. parent: which one it has become a part of.
    near, near_sim: (n, 32), other clusters and how similar they are, _NONE for an unused place.
    floor: whoever is not listed is at most so similar.
    """

    def __init__(self, vectors: NDArray[np.float32], weight: NDArray[np.float32], least: float):
        self.mean, self.weight, self.least = vectors.copy(), weight, np.float32(least)
        count = len(vectors)
        self.parent = np.arange(count)
        self.alive = np.ones(count, bool)
        self.near = np.zeros((count, min(_LIST, max(count - 1, 1))), np.int32)
        self.near_sim = np.full(self.near.shape, _NONE, np.float32)
        self.floor = np.full(count, _NONE, np.float32)

    def run(self) -> NDArray[np.intp]:
        self._search(np.arange(len(self.mean)))
        while True:
            left, right = self._mutual()
            if not len(left):
                return self._roots()
            self._merge(left, right)

    def _search(self, rows: NDArray[np.intp]) -> None:
        """Fill the lists of ``rows`` anew by comparing with all living clusters."""
        alive = np.flatnonzero(self.alive)
        others = self.mean[alive]
        place = np.empty(len(self.mean), np.intp)
        place[alive] = np.arange(len(alive))
        width = self.near.shape[1]
        keep = min(width, len(alive) - 1)
        step = max(1, _BLOCK_BYTES // (4 * max(len(alive), 1)))
        for start in range(0, len(rows) if keep > 0 else 0, step):
            block = rows[start : start + step]
            similar = self.mean[block] @ others.T
            similar[np.arange(len(block)), place[block]] = _NONE  # itself
            top = _largest(similar, keep)
            values = np.take_along_axis(similar, top, axis=1)
            self.near[block, :keep], self.near_sim[block, :keep] = alive[top], values
            self.near_sim[block, keep:] = _NONE
            self.floor[block] = values.min(axis=1) if keep == width else _NONE
        if keep <= 0:
            self.near_sim[rows], self.floor[rows] = _NONE, _NONE

    def _mutual(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Pairs that are nearest to each other and similar enough; at least the best pair, whatever rounding does."""
        self._refill()
        alive = np.flatnonzero(self.alive)
        best = self.near_sim[alive].argmax(axis=1)
        nearest = np.full(len(self.mean), -1)
        nearest[alive] = self.near[alive, best]
        value = np.full(len(self.mean), _NONE, np.float32)
        value[alive] = self.near_sim[alive, best]
        good = alive[value[alive] >= self.least]
        pairs = good[(nearest[nearest[good]] == good) & (good < nearest[good])]
        # Rounding can make a ring of three, of whom each is nearest to the next.
        if not len(pairs) and len(good):
            pairs = good[[value[good].argmax()]]
        return pairs, nearest[pairs]

    def _refill(self) -> None:
        """Lists that ran dry: the best listed is below what may be hidden, and that could still be enough to merge."""
        alive = np.flatnonzero(self.alive)
        best = self.near_sim[alive].max(axis=1)
        dry = alive[(best < self.floor[alive]) & (self.floor[alive] >= self.least)]
        if len(dry):
            self._search(dry)

    def _merge(self, left: NDArray[np.intp], right: NDArray[np.intp]) -> None:
        """The right clusters go into the left ones, and everybody's lists follow."""
        total = self.weight[left] + self.weight[right]
        share = self.weight[left] / total
        self.mean[left] = self.mean[left] * share[:, None] + self.mean[right] * (1 - share)[:, None]
        self.weight[left] = total
        self.alive[right] = False
        self.parent[right] = left
        changed = np.zeros(len(self.mean), bool)
        changed[left] = changed[right] = True
        for start in range(0, len(left), _MERGED_AT_ONCE):
            some = slice(start, start + _MERGED_AT_ONCE)
            self._join_lists(left[some], right[some], share[some])
        self._replace(changed)

    def _join_lists(self, left: NDArray[np.intp], right: NDArray[np.intp], share: NDArray[np.float32]) -> None:
        """The list of a merged cluster comes from those of its parts.

        Who is on neither is at most the mean of their floors, weighted by ``share``, the left cluster's part.
        """
        width = self.near.shape[1]
        valid = np.concatenate([self.near_sim[left], self.near_sim[right]], axis=1) > _NONE
        other = self.parent[np.concatenate([self.near[left], self.near[right]], axis=1)]
        other = np.where(valid & (other != left[:, None]), other, -1)
        other.sort(axis=1)
        # Sorted, those that are on both lists stand side by side.
        other[:, 1:][other[:, 1:] == other[:, :-1]] = -1
        # -1 takes the last row here; the next line makes nobody of it.
        similar = np.einsum("nd,nkd->nk", self.mean[left], self.mean[other])
        similar[other < 0] = _NONE
        order = np.argsort(-similar, axis=1, kind="stable")
        similar, other = np.take_along_axis(similar, order, axis=1), np.take_along_axis(other, order, axis=1)
        floor = share * self.floor[left] + (1 - share) * self.floor[right]
        floor[(self.floor[left] == _NONE) & (self.floor[right] == _NONE)] = _NONE
        self.floor[left] = np.maximum(floor, similar[:, width] if similar.shape[1] > width else _NONE)
        self.near[left], self.near_sim[left] = other[:, :width], similar[:, :width]

    def _replace(self, changed: NDArray[np.bool_]) -> None:
        """Everybody else lists the merged clusters in the place of their parts; those below the floor are hidden."""
        alive = np.flatnonzero(self.alive & ~changed)
        row, slot = np.nonzero(changed[self.near[alive]] & (self.near_sim[alive] > _NONE))
        row = alive[row]
        for start in range(0, len(row), _REPLACED_AT_ONCE):
            r, s = row[start : start + _REPLACED_AT_ONCE], slot[start : start + _REPLACED_AT_ONCE]
            new = self.parent[self.near[r, s]]
            similar = np.einsum("nd,nd->n", self.mean[r], self.mean[new])
            listed = (self.near[r] == new[:, None]) & (self.near_sim[r] > _NONE)
            twice = listed.any(axis=1) & (self.near[r, s] != new)
            hidden = similar < self.floor[r]
            self.near[r, s] = new
            self.near_sim[r, s] = np.where(hidden | twice, _NONE, similar)

    def _roots(self) -> NDArray[np.intp]:
        parent = self.parent
        while (parent[parent] != parent).any():
            parent = parent[parent]
        return parent


def _largest(similar: NDArray[np.float32], keep: int) -> NDArray[np.intp]:
    """Columns of the ``keep`` largest values of each row; wide rows are first thinned by the maxima of groups."""
    rows, columns = similar.shape
    if columns < 32 * keep:
        return np.argpartition(similar, columns - keep, axis=1)[:, columns - keep :]
    groups = columns // 16
    maxima = similar[:, : groups * 16].reshape(rows, 16, groups).max(axis=1)
    limit = np.partition(maxima, groups - keep, axis=1)[:, groups - keep]
    row, column = np.nonzero(similar >= limit[:, None])  # at least ``keep`` in each row
    order = np.lexsort((-similar[row, column], row))
    start = np.searchsorted(row, np.arange(rows))
    return column[order[start[:, None] + np.arange(keep)]]


def centers(vectors: NDArray[np.float32], labels: NDArray[np.intp]) -> NDArray[np.float32]:
    """Unit mean vector of each cluster, (clusters, d). labels: the cluster of each vector, 0, 1, ..."""
    unit = _unit(vectors)
    sums = np.zeros((int(labels.max(initial=-1)) + 1, vectors.shape[1]), np.float32)
    for label in range(len(sums)):
        sums[label] = unit[labels == label].sum(axis=0)
    return _unit(sums)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
