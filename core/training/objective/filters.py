"""Blurs and windows of the losses, on ``keras.ops`` only, float32. Images are N x H x W x C, planes N x C x H x W."""

from functools import lru_cache
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

Tensor = Any
# It does not grow with the window, so a larger window adds little but a wider margin that is left out.
_DSSIM_SIGMA = 1.5


def gaussian_taps(sigma: float) -> NDArray[np.float64]:
    """The 1-D blur kernel for ``sigma`` pixels, summing to 1; its length is odd and about four sigma."""
    size = max(3, int(4 * sigma))
    size += size % 2 == 0
    return _normalized(np.exp(-((np.arange(size) - size // 2) ** 2) / (2 * sigma**2)))


def dssim_taps(size: int) -> NDArray[np.float64]:
    """The 1-D structural-similarity window of ``size`` taps (even sizes too), sigma 1.5, summing to 1."""
    return _normalized(np.exp(-((np.arange(size) - (size - 1) / 2) ** 2) / (2 * _DSSIM_SIGMA**2)))


def gaussian_blur(image: Tensor, sigma: float) -> Tensor:
    """Blur with zeros outside the image; the shape stays. The kernel is separable, so two 1-D passes do it."""
    taps = gaussian_taps(sigma)
    return ops.transpose(separable(planes(image), taps, pad=len(taps) // 2), (0, 2, 3, 1))


def planes(image: Tensor) -> Tensor:
    """The channels of an image as planes of their own."""
    return ops.transpose(image, (0, 3, 1, 2))


def separable(x: Tensor, taps: NDArray[np.float64], pad: int = 0) -> Tensor:
    """Filter planes along both axes with one 1-D kernel; ``pad`` zeros on each side, else only where the window fits.

    On a CPU products with banded matrices are many times as fast as convolutions, and as fast as can be where the
    channels do not lie between the two axes (benchmarks/losses.py). On an accelerator the convolution is used: matrix
    units round to 10 bits, too few for variances.
    """
    if _accelerated():
        return separable_convolution(x, taps, pad)
    rows = _band(x.shape[2], taps.tobytes(), pad)
    columns = _band(x.shape[3], taps.tobytes(), pad)
    return ops.matmul(ops.matmul(rows, x), columns.T)


def separable_convolution(x: Tensor, taps: NDArray[np.float64], pad: int) -> Tensor:
    """``separable`` as two depthwise convolutions."""
    x = ops.transpose(x, (0, 2, 3, 1))
    kernel = np.tile(taps.astype(np.float32)[:, None, None, None], (1, 1, x.shape[-1], 1))
    if pad:
        x = ops.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    x = ops.depthwise_conv(x, kernel, padding="valid", data_format="channels_last")
    x = ops.depthwise_conv(x, kernel.transpose(1, 0, 2, 3), padding="valid", data_format="channels_last")
    return planes(x)


# Taps as bytes: a cache takes no arrays for arguments.
@lru_cache(maxsize=64)
def _band(length: int, taps: bytes, pad: int) -> NDArray[np.float32]:
    """The matrix that filters a line of ``length`` values."""
    kernel = np.frombuffer(taps)
    size = len(kernel)
    wide = np.zeros((length + 2 * pad - size + 1, length + 2 * pad))
    for row in range(len(wide)):
        wide[row, row : row + size] = kernel
    return np.ascontiguousarray(wide[:, pad : pad + length], np.float32)


@lru_cache(maxsize=1)
def _accelerated() -> bool:
    if keras.backend.backend() == "torch":  # there Keras lists no devices
        import torch

        return torch.cuda.is_available()
    return any(not device.lower().startswith("cpu") for device in keras.distribution.list_devices())


def _normalized(taps: NDArray[np.float64]) -> NDArray[np.float64]:
    return taps / taps.sum()
