"""Figures of many faces as one, and the figures of two models against each other, with what chance would do."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from core.quality.metrics import BY_KEY, METRICS, Metric

_RESAMPLES, _SEED = 4000, 1
# With a dozen figures at once, 95 % would call a chance a progress every other time.
_CONFIDENCE, _SIGN_LEVEL = 0.99, 0.05
_FEWEST = 6  # faces with which the sign test can say anything at all


@dataclass(frozen=True)
class Figure:
    """A metric over all faces. spread: their standard deviation. low, high: of the mean, with 95 % confidence."""

    metric: Metric
    count: int
    mean: float
    spread: float
    low: float
    high: float


@dataclass(frozen=True)
class Change:
    """A metric of two models on the same faces.

    before, after: the means. difference: after - before. low, high: where it lies with 99 % confidence.
    better, worse: of how many faces it got so.
    verdict: ``better`` or ``worse`` where chance can be ruled out, else ``the same``.
    """

    metric: Metric
    before: float
    after: float
    difference: float
    low: float
    high: float
    better: int
    worse: int
    verdict: str


def figures(values: Mapping[str, Mapping[str, float]]) -> dict[str, Figure]:
    """By key, in the order of ``METRICS``; what was not measured is left out."""
    return {metric.key: _figure(metric, values[metric.key]) for metric in METRICS if values.get(metric.key)}


def _figure(metric: Metric, values: Mapping[str, float]) -> Figure:
    numbers = np.array(list(values.values()))
    low, high = _range_of_mean(numbers, 0.95)
    spread = float(numbers.std(ddof=1)) if len(numbers) > 1 else 0.0
    return Figure(metric, len(numbers), float(numbers.mean()), spread, low, high)


def changes(before: Mapping[str, Mapping[str, float]], after: Mapping[str, Mapping[str, float]]) -> list[Change]:
    """What two models differ by, face by face, in the order of ``METRICS``."""
    found = []
    for key, metric in BY_KEY.items():
        faces = sorted(before.get(key, {}).keys() & after.get(key, {}).keys())
        if faces:
            old, new = (np.array([values[key][face] for face in faces]) for values in (before, after))
            found.append(_change(metric, old, new))
    return found


def _change(metric: Metric, old: np.ndarray, new: np.ndarray) -> Change:
    losses = np.array([metric.loss(b) - metric.loss(a) for a, b in zip(old, new, strict=True)])
    low, high = _range_of_mean(losses, _CONFIDENCE)
    better, worse = int((losses < 0).sum()), int((losses > 0).sum())
    sure = (low > 0 or high < 0) and _one_sided(better, worse) and abs(losses.mean()) >= metric.least
    verdict = "the same"
    if sure:
        verdict = "better" if losses.mean() < 0 else "worse"
    own_low, own_high = _range_of_mean(new - old, _CONFIDENCE)
    means = float(old.mean()), float(new.mean())
    return Change(metric, *means, means[1] - means[0], own_low, own_high, better, worse, verdict)


def _one_sided(better: int, worse: int) -> bool:
    """Whether one direction is so frequent that a coin would hardly do it."""
    total = better + worse
    return total >= _FEWEST and binomtest(better, total).pvalue < _SIGN_LEVEL


def _range_of_mean(numbers: np.ndarray, confidence: float) -> tuple[float, float]:
    """By resampling the faces; the same numbers give the same range."""
    drawn = np.random.default_rng(_SEED).integers(0, len(numbers), (_RESAMPLES, len(numbers)))
    means = numbers[drawn].mean(1)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
