"""The noise of a film, measured around a face and given to the face. Images are float32 (h, w, 3), 0..1."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # float32

# Second difference in both directions: blind to planes and edges along an axis (Immerkaer 1996).
_KERNEL = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_GAIN = 6.0  # its norm: what it makes of white noise of deviation 1
_TO_DEVIATION = 1.4826  # from the median of absolute values, for normal noise
_FEWEST, _ENOUGH = 200, 10_000  # pixels to measure


@dataclass(frozen=True, eq=False)
class Grain:
    """Noise in two sizes. fine, coarse: (3, 3), to be multiplied with white noise of one and of two pixels' size."""

    fine: NDArray[np.float64]
    coarse: NDArray[np.float64]


def measured(image: Array, excluded: Array) -> Grain:
    """The noise of ``image`` where ``excluded`` (h, w) is 0; none where there is too little to measure."""
    clear = (excluded <= 0).astype(np.uint8)
    fine = _covariance(image, clear)
    half = (max(1, image.shape[1] // 2), max(1, image.shape[0] // 2))
    small_clear = (cv2.resize(clear * np.float32(1), half, interpolation=cv2.INTER_AREA) >= 1).astype(np.uint8)
    small = _covariance(np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_AREA), np.float32), small_clear)
    # White noise keeps a quarter of its variance at half the size; what is above that is coarser.
    coarse = small - fine / 4
    return Grain(_root(fine), _root(coarse))


def grained(image: Array, grain: Grain, own: Grain, strength: float, seed: tuple[int, ...]) -> Array:
    """``image`` with noise added, so that it has that of ``grain`` where it has that of ``own`` already; not clipped.

    strength: 1 for as much as the film has. seed: another for each frame, or the noise stands still.
    """
    random = np.random.default_rng(seed)
    height, width = image.shape[:2]
    fine = _root(grain.fine @ grain.fine.T - own.fine @ own.fine.T)
    noise = cv2.transform(random.standard_normal((height, width, 3), np.float32), fine.astype(np.float32))
    coarse = _root(grain.coarse @ grain.coarse.T - own.coarse @ own.coarse.T)
    if coarse.any():
        small = random.standard_normal(((height + 1) // 2, (width + 1) // 2, 3), np.float32)
        small = cv2.transform(small, coarse.astype(np.float32))
        noise += cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return image + noise * np.float32(strength)


def _covariance(image: Array, clear: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(3, 3) of the noise, as if it were white; edges and texture count as outliers."""
    if min(image.shape[:2]) < 5:
        return np.zeros((3, 3))
    rest = np.asarray(cv2.filter2D(image, -1, _KERNEL), np.float32) / _GAIN
    # A pixel counts if all that the kernel sees of it is clear, and the image does not end there.
    counted = np.flatnonzero(cv2.erode(np.pad(clear[1:-1, 1:-1], 1), np.ones((3, 3), np.uint8)))
    values = rest.reshape(-1, 3)[counted[:: max(1, len(counted) // _ENOUGH)]].astype(np.float64)
    if len(values) < _FEWEST:
        return np.zeros((3, 3))
    deviation = _TO_DEVIATION * np.median(np.abs(values), axis=0)
    usual = values[(np.abs(values) <= 3 * deviation + 1e-9).all(1)]
    known = len(usual) >= _FEWEST and (usual.std(0) > 1e-9).all()
    correlation = np.asarray(np.corrcoef(usual, rowvar=False)) if known else np.eye(3)
    return np.outer(deviation, deviation) * correlation


def _root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """A symmetric square root; directions with less than nothing have nothing."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
