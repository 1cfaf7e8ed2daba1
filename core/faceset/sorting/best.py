"""The best faces, spread over yaw and pitch: as many as asked, sharp ones first, unusual ones before alike ones."""

import numpy as np
from numpy.typing import NDArray

from core.faceset.scores.features import Features
from core.faceset.sorting.chain import summed_distances
from core.faceset.sorting.ranking import Choices, Ranking, not_faces, ordered, without

# Bins of yaw, over so many radians to either side: the outermost take what is beyond.
_BINS, _WIDEST = 128, 1.2
# Of each bin the sharpest are looked at, so many for each face that it may keep.
_SHARPEST = 10
NOT_CHOSEN, NOT_SHARP = "not among the best", "not among the sharpest of its pose"


def best_faces(features: Features, choices: Choices, quality: NDArray[np.float64]) -> Ranking:
    """Keep the asked number of faces (``choices.exact``), or about that number as the original program counts.

    The exact number is spread over the true turns of the heads; the original goes by its own formula for them.

    quality: float64 (n,), the larger the better; NaN last. Order: by yaw, and within a yaw bin in rounds over its pitch
    bins.
    """
    rejected = not_faces(features)
    candidates = without(rejected, len(features))
    pitch, yaw = ("head_pitch", "head_yaw") if choices.exact else ("pitch", "yaw")
    bins = _yaw_bins(features[yaw], ordered(quality, True, candidates))
    quotas = _quotas([len(members) for members in bins], choices)
    kept: list[int] = []
    for members, quota in zip(bins, quotas, strict=True):
        sharp, rest = members[: _SHARPEST * quota], members[_SHARPEST * quota :]
        chosen = _rounds(features, features[pitch], sharp, quota) if quota else []
        rejected |= dict.fromkeys(rest.tolist(), NOT_SHARP)
        rejected |= dict.fromkeys(np.setdiff1d(sharp, chosen).tolist(), NOT_CHOSEN)
        kept += chosen
    return Ranking(np.array(kept, np.intp), quality, rejected)


def _yaw_bins(yaw: NDArray[np.float64], by_quality: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """The faces of each bin, the best first."""
    edges = np.linspace(-_WIDEST, _WIDEST, _BINS)
    # Turned round, so that the first bin is where the method "yaw" begins.
    place = np.clip(np.searchsorted(edges, -yaw[by_quality], side="right") - 1, 0, _BINS - 1)
    return [by_quality[place == number] for number in range(_BINS)]


def _quotas(sizes: list[int], choices: Choices) -> list[int]:
    """How many each yaw bin may keep."""
    if not choices.exact:
        return [_quota(sizes, choices.count)] * len(sizes)
    target = min(choices.count, sum(sizes))
    quota = 0
    while sum(min(size, quota) for size in sizes) < target:
        quota += 1
    quotas = [min(size, quota) for size in sizes]
    full = [number for number, size in enumerate(sizes) if size >= quota > 0]
    full.sort(key=lambda number: sizes[number])
    # One too many in as many bins: those that have the fewest to choose from give it up.
    for number in full[: sum(quotas) - target]:
        quotas[number] -= 1
    return quotas


def _quota(sizes: list[int], target: int) -> int:
    """The original's rule: what small bins lack is given to the others.

    A small target keeps one a bin: it throws nothing away wholesale.
    """
    # Python's round, half to even, is the original's, too.
    base = round(target / _BINS)
    return max(1, base + sum(max(0, base - size) for size in sizes) // _BINS)


def _rounds(features: Features, pitches: NDArray[np.float64], members: NDArray[np.intp], quota: int) -> list[int]:
    """Take the most unusual face of each pitch bin in turn. pitches: radians, of all faces."""
    edges = np.linspace(-np.pi / 2, np.pi / 2, quota)
    place = np.clip(np.searchsorted(edges, pitches[members], side="right") - 1, 0, quota - 1)
    queues = [_unusual_first(features, members[place == number]) for number in range(quota)]
    taken: list[int] = []
    depth = 0
    while len(taken) < quota and any(depth < len(queue) for queue in queues):
        taken += [int(queue[depth]) for queue in queues if depth < len(queue)]
        depth += 1
    return taken[:quota]


def _unusual_first(features: Features, members: NDArray[np.intp]) -> NDArray[np.intp]:
    if len(members) < 2:
        return members
    return members[np.argsort(-summed_distances(features["grey_histogram"][members]), kind="stable")]
