"""Ways to say how far images, masks and logits are from what they should be, on ``keras.ops`` only.

Images and masks are N x H x W x C, float32, 0..1. Losses are per-sample vectors (N,): the training step takes their sum
over the batch, as the DeepFaceLab format's moments expect.
"""

from typing import Any

from keras import ops

from core.training.objective.filters import dssim_taps, gaussian_blur, planes, separable

Tensor = Any
# They keep the quotients of structural similarity and the root of a deviation finite; the usual 0.01^2 and 0.03^2.
_LUMINANCE_EPSILON, _CONTRAST_EPSILON = 1e-4, 9e-4
_STYLE_EPSILON = 1e-5
_SPECTRUM_EPSILON = 1e-4
# Window of structural similarity: the side of the image divided by these.
NEAR, FAR = 11.6, 23.2


def dssim(a: Tensor, b: Tensor, size: int) -> Tensor:
    """Structural dissimilarity (1 - SSIM) / 2 per sample and channel, (N, C), over the pixels whose window fits.

    size: of the window in pixels.
    """
    a, b = planes(a), planes(b)
    # One filter pass over all four moments is faster than four passes.
    moments = separable(ops.concatenate([a, b, a * b, a * a + b * b]), dssim_taps(size))
    mean_a, mean_b, mean_ab, mean_squares = ops.split(moments, 4)
    product, squares = mean_a * mean_b, mean_a**2 + mean_b**2
    luminance = (2 * product + _LUMINANCE_EPSILON) / (squares + _LUMINANCE_EPSILON)
    contrast = (2 * (mean_ab - product) + _CONTRAST_EPSILON) / (mean_squares - squares + _CONTRAST_EPSILON)
    return (1 - ops.mean(luminance * contrast, axis=(2, 3))) / 2


def dissimilarity(a: Tensor, b: Tensor, window: float) -> Tensor:
    """Mean ``dssim`` over the channels, (N,). window: ``NEAR`` or ``FAR``, a share of the side."""
    return ops.mean(dssim(a, b, int(a.shape[1] / window)), axis=-1)


def multiscale_dssim(target: Tensor, image: Tensor, two_scales: bool | None = None, weight: float = 10) -> Tensor:
    """``weight`` times the mean dissimilarity, (N,): in one window or, half of it each, in two.

    two_scales: None takes one window below 256 pixels and two from there on.
    """
    if two_scales is None:
        two_scales = target.shape[1] >= 256
    near = dissimilarity(target, image, NEAR)
    if not two_scales:
        return weight * near
    return weight / 2 * near + weight / 2 * dissimilarity(target, image, FAR)


def mean_square(a: Tensor, b: Tensor) -> Tensor:
    """Mean squared difference per sample, (N,)."""
    return ops.mean((a - b) ** 2, axis=(1, 2, 3))


def spectral_distance(a: Tensor, b: Tensor) -> Tensor:
    """Mean absolute difference of the spectra, (N,): a pixel's share is as in a mean over pixels."""
    difference = ops.transpose(a - b, (0, 3, 1, 2))
    real, imaginary = ops.fft2((difference, ops.zeros_like(difference)))
    # The root has no slope at 0; a difference of 8-bit images is far above.
    magnitude = ops.sqrt(real**2 + imaginary**2 + _SPECTRUM_EPSILON)
    return ops.mean(magnitude, axis=(1, 2, 3)) / a.shape[1]


def style_loss(a: Tensor, b: Tensor, blur: float, weight: float) -> Tensor:
    """``weight`` times the distance of the per-channel means and deviations, (N,).

    blur: sigma in pixels of a blur before, 0 for none.
    """
    if blur > 0:
        a, b = gaussian_blur(a, blur), gaussian_blur(b, blur)
    mean_a, deviation_a = _mean_and_deviation(a)
    mean_b, deviation_b = _mean_and_deviation(b)
    return weight / a.shape[-1] * ops.sum((mean_a - mean_b) ** 2 + (deviation_a - deviation_b) ** 2, axis=-1)


def _mean_and_deviation(x: Tensor) -> tuple[Tensor, Tensor]:
    """Over the pixels, per sample and channel: (N, C) each."""
    mean = ops.mean(x, axis=(1, 2))
    variance = ops.mean((x - mean[:, None, None, :]) ** 2, axis=(1, 2))
    return mean, ops.sqrt(variance + _STYLE_EPSILON)


def total_variation(x: Tensor, over_channels: bool = False) -> Tensor:
    """Sum of squared differences of neighbours over rows and columns, (N,).

    over_channels: over rows and channels instead, as the original has it on a GPU.
    """
    across = x[..., 1:] - x[..., :-1] if over_channels else x[:, :, 1:] - x[:, :, :-1]
    return ops.sum((x[:, 1:] - x[:, :-1]) ** 2, axis=(1, 2, 3)) + ops.sum(across**2, axis=(1, 2, 3))


def sigmoid_cross_entropy(label: float, logits: Tensor) -> Tensor:
    """Mean cross entropy of a map of logits against one label, 0 or 1, per sample (N,); never overflows."""
    logits = ops.cast(logits, "float32")  # half precision is too little for a mean over many pixels
    stable = ops.maximum(logits, 0) - logits * label + ops.log1p(ops.exp(-ops.abs(logits)))
    return ops.mean(stable, axis=(1, 2, 3))
