"""Color transfers by mean and covariance, apart from where those come from: they may be averages over several frames.

Pixels are float32 (n, 3), BGR, 0..1. Statistics are float64 (12,): the mean and the covariance, row by row, in the
space of the transfer, so that those of several pictures may be averaged.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.color import Array, power

MODES = ("rct", "lct", "mkl", "avg-color")
Statistics = NDArray[np.float64]

_LAB_LIMITS = np.array([[0, -127, -127], [100, 127, 127]], np.float64)
# Added to covariances, that of lct as its format has it; and the smallest variance in Lab. A flat picture, whose mean
# is an average over frames, must not be stretched without end.
_RIDGE = {"lct": 1e-5, "mkl": 1e-6}
_LEAST = 1e-2


def statistics(mode: str, pixels: Array) -> Statistics:
    """Of at least two pixels. mode: one of MODES."""
    values = _there(mode, pixels)
    return np.concatenate([values.mean(0), np.cov(values, rowvar=False, bias=True).ravel()])


def moved(mode: str, pixels: Array, own: Statistics, wanted: Statistics) -> Array:
    """The pixels moved as a picture with the statistics ``own`` becomes one with ``wanted``; not clipped."""
    values = _there(mode, pixels)
    matrix = _matrix(mode, own[3:].reshape(3, 3), wanted[3:].reshape(3, 3))
    out = (values - own[:3]) @ matrix.T + wanted[:3]
    if mode == "rct":
        lab = np.clip(out, *_LAB_LIMITS).astype(np.float32)
        return np.asarray(cv2.cvtColor(lab[None], cv2.COLOR_LAB2BGR)[0], np.float32)
    return out.astype(np.float32)


def linear_map(mode: str, own: Statistics, wanted: Statistics) -> NDArray[np.float32]:
    """What ``moved`` does as one matrix (3, 4) for (B, G, R, 1). mode: one of MODES but rct, which is not linear."""
    matrix = _matrix(mode, own[3:].reshape(3, 3), wanted[3:].reshape(3, 3))
    return np.column_stack([matrix, wanted[:3] - matrix @ own[:3]]).astype(np.float32)


def _there(mode: str, pixels: Array) -> NDArray[np.float64]:
    values = cv2.cvtColor(pixels[None], cv2.COLOR_BGR2LAB)[0] if mode == "rct" else pixels
    return values.astype(np.float64)


def _matrix(mode: str, own: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """What differences from the mean are multiplied with."""
    if mode == "rct":
        return np.diag(np.sqrt(np.diag(wanted) / np.maximum(np.diag(own), _LEAST)))
    if mode == "avg-color":
        return np.eye(3)
    ridge = _RIDGE[mode] * np.eye(3)
    own, wanted = own + ridge, wanted + ridge
    if mode == "lct":
        return power(wanted, 0.5) @ np.linalg.inv(power(own, 0.5))
    root, inverse = power(own, 0.5), power(own, -0.5)
    return (inverse @ power(root @ wanted @ root, 0.5) @ inverse).T
