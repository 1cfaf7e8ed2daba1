"""Training losses on ``keras.ops`` only. Tensors are N x H x W x C, float32, 0..1 unless a docstring says otherwise.

Losses are per-sample vectors (N,): the training step takes their sum over the batch, as the DeepFaceLab format's moments expect.
"""

from functools import lru_cache
from typing import Any

import keras
import numpy as np
from keras import ops

Tensor = Any
_STYLE_EPSILON = 1e-5


def gaussian_taps(sigma: float) -> np.ndarray:
    """The 1-D blur kernel for ``sigma`` pixels, float64, summing to 1; its length is odd and about four sigma."""
    size = max(3, int(4 * sigma))
    size += size % 2 == 0
    return _normalised(np.exp(-((np.arange(size) - size // 2) ** 2) / (2 * sigma**2)))


def dssim_taps(size: int) -> np.ndarray:
    """The 1-D structural-similarity window of ``size`` taps (even sizes too), float64, sigma 1.5, summing to 1."""
    return _normalised(np.exp(-((np.arange(size) - (size - 1) / 2) ** 2) / (2 * 1.5**2)))


def gaussian_blur(x: Tensor, sigma: float) -> Tensor:
    """Blur with zeros outside the picture; the shape stays. The kernel is separable, so two 1-D passes do it."""
    taps = gaussian_taps(sigma)
    return separable(x, taps, pad=len(taps) // 2)


def dssim(a: Tensor, b: Tensor, size: int) -> Tensor:
    """Structural dissimilarity (1 - SSIM) / 2 per sample and channel, (N, C), over the pixels whose window fits."""
    c1, c2 = 1e-4, 9e-4
    channels = a.shape[-1]
    parts = ops.concatenate([a, b, a * b, a * a + b * b], axis=-1)
    mean = separable(parts, dssim_taps(size))
    mean_a, mean_b, mean_ab, mean_squares = (mean[..., i * channels : (i + 1) * channels] for i in range(4))
    product, squares = mean_a * mean_b, mean_a**2 + mean_b**2
    luminance = (2 * product + c1) / (squares + c1)
    contrast = (2 * (mean_ab - product) + c2) / (mean_squares - squares + c2)
    return (1 - ops.mean(luminance * contrast, axis=(1, 2))) / 2


def multiscale_dssim(target: Tensor, image: Tensor, two_scales: bool | None = None) -> Tensor:
    """Ten times the mean dissimilarity, (N,): with one window or with two; None: one below 256 pixels, two from there on."""
    resolution = target.shape[1]
    near = ops.mean(dssim(target, image, int(resolution / 11.6)), axis=-1)
    if not (resolution >= 256 if two_scales is None else two_scales):
        return 10 * near
    return 5 * near + 5 * ops.mean(dssim(target, image, int(resolution / 23.2)), axis=-1)


def mean_square(a: Tensor, b: Tensor) -> Tensor:
    """Mean squared difference per sample, (N,)."""
    return ops.mean((a - b) ** 2, axis=(1, 2, 3))


def style_loss(a: Tensor, b: Tensor, blur: float, weight: float) -> Tensor:
    """Distance of the per-channel means and deviations, (N,); ``blur`` is the sigma in pixels of a blur before, 0 for none."""
    if blur > 0:
        a, b = gaussian_blur(a, blur), gaussian_blur(b, blur)
    (mean_a, deviation_a), (mean_b, deviation_b) = _moments(a), _moments(b)
    return weight / a.shape[-1] * ops.sum((mean_a - mean_b) ** 2 + (deviation_a - deviation_b) ** 2, axis=-1)


def total_variation(x: Tensor, channels_first: bool = False) -> Tensor:
    """Sum of squared forward differences over rows and columns, (N,); ``channels_first``: over rows and channels, as the original has it on a GPU."""
    across = x[..., 1:] - x[..., :-1] if channels_first else x[:, :, 1:] - x[:, :, :-1]
    return ops.sum((x[:, 1:] - x[:, :-1]) ** 2, axis=(1, 2, 3)) + ops.sum(across**2, axis=(1, 2, 3))


def sigmoid_cross_entropy(label: float, logits: Tensor) -> Tensor:
    """Mean cross entropy of a map of logits against one label, 0 or 1, per sample (N,); never overflows."""
    logits = ops.cast(logits, "float32")
    stable = ops.maximum(logits, 0) - logits * label + ops.log1p(ops.exp(-ops.abs(logits)))
    return ops.mean(stable, axis=(1, 2, 3))


def soft_mask(mask: Tensor, full_inside: bool = True) -> Tensor:
    """The mask with a soft outer edge: twice its blur, cut at 1; without ``full_inside`` the blur itself, soft on both sides of the edge."""
    blurred = gaussian_blur(mask, max(1, mask.shape[1] // 32))
    return 2 * ops.clip(blurred, 0, 0.5) if full_inside else blurred


def blur_outside(target: Tensor, mask: Tensor) -> Tensor:
    """The target with its background replaced by a blur that takes no colour from the face."""
    sigma = target.shape[1] / 128
    outside = gaussian_blur(target * (1 - mask), sigma)
    share = 1 - gaussian_blur(mask, sigma)
    share = ops.where(share == 0, 1.0, share)
    return target * mask + (outside / share) * (1 - mask)


def reconstruction(
    target: Tensor,
    mask: Tensor,
    eyes_mouth: Tensor,
    image: Tensor,
    image_mask: Tensor,
    soft: Tensor,
    *,
    masked: bool,
    eyes_mouth_prio: bool,
    two_scales: bool | None = None,
) -> Tensor:
    """How far a decoded face is from its target, (N,): structure, pixels, mask, and the eyes and mouth once more.

    ``soft`` is ``soft_mask(mask)``; with ``masked`` only what it covers counts.
    """
    seen, made = (target * soft, image * soft) if masked else (target, image)
    loss = multiscale_dssim(seen, made, two_scales) + 10 * mean_square(seen, made) + 10 * mean_square(mask, image_mask)
    if eyes_mouth_prio:
        loss = loss + 300 * ops.mean(ops.abs((target - image) * eyes_mouth), axis=(1, 2, 3))
    return loss


def background_style(swap: Tensor, target_dst: Tensor, outside: Tensor, weight: float) -> Tensor:
    """How far the swap's surroundings are from the dst picture, (N,); ``outside`` is 1 there, ``weight`` the power / 100."""
    a, b = swap * outside, target_dst * outside
    window = int(swap.shape[1] / 11.6)
    return 10 * weight * (ops.mean(dssim(a, b, window), axis=-1) + mean_square(a, b))


def separable(x: Tensor, taps: np.ndarray, pad: int = 0) -> Tensor:
    """Filter both axes of N x H x W x C with one 1-D kernel; ``pad`` zeros on each side, else only where the window fits.

    On a CPU a product with a banded matrix is 4 times as fast as a depthwise convolution and 13 times as fast as the dense one
    (benchmarks/losses.py). On an accelerator the convolution is used: matrix units round to 10 bits, too few for variances.
    """
    if _accelerated():
        return _separable_convolution(x, taps, pad)
    rows, columns = _band(x.shape[1], taps.tobytes(), pad), _band(x.shape[2], taps.tobytes(), pad)
    return ops.einsum("ow,bhwc->bhoc", columns, ops.einsum("oh,bhwc->bowc", rows, x))


def _separable_convolution(x: Tensor, taps: np.ndarray, pad: int) -> Tensor:
    kernel = np.tile(taps.astype(np.float32)[:, None, None, None], (1, 1, x.shape[-1], 1))
    if pad:
        x = ops.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    x = ops.depthwise_conv(x, kernel, padding="valid", data_format="channels_last")
    return ops.depthwise_conv(x, kernel.transpose(1, 0, 2, 3), padding="valid", data_format="channels_last")


@lru_cache(maxsize=64)
def _band(length: int, taps: bytes, pad: int) -> np.ndarray:
    """The matrix that filters a line of ``length`` values, float32."""
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


def _moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Spatial mean and deviation per sample and channel."""
    mean = ops.mean(x, axis=(1, 2))
    variance = ops.mean((x - mean[:, None, None, :]) ** 2, axis=(1, 2))
    return mean, ops.sqrt(variance + _STYLE_EPSILON)


def _normalised(taps: np.ndarray) -> np.ndarray:
    return taps / taps.sum()
