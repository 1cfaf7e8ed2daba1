"""What the pixels of two pictures tell of each other. Pictures are float32 (H, W, 3), BGR, 0..1; masks (H, W), 0..1."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # float32

_WINDOW, _SIGMA = (7, 7), 1.5  # of the SSIM, for small faces; the usual one has 11 pixels
_C1, _C2 = 0.01**2, 0.03**2
_INNER = 0.95  # of the cover of a pasted face: here it hides what was there
_BAND = 0.06  # width of the band at the edge, in sides of the picture
_FEWEST = 16  # pixels that say something


def ssim(a: Array, b: Array, mask: Array) -> float:
    """The mean structural similarity inside the mask, -1..1."""

    def mean(x: Array) -> Array:
        return np.asarray(cv2.GaussianBlur(x, _WINDOW, _SIGMA))

    mean_a, mean_b = mean(a), mean(b)
    var_a, var_b = mean(a * a) - mean_a * mean_a, mean(b * b) - mean_b * mean_b
    covariance = mean(a * b) - mean_a * mean_b
    alike = (2 * mean_a * mean_b + _C1) * (2 * covariance + _C2)
    each = alike / ((mean_a * mean_a + mean_b * mean_b + _C1) * (var_a + var_b + _C2))
    return float((each.mean(-1) * mask).sum() / max(float(mask.sum()), 1e-6))


def psnr(a: Array, b: Array, mask: Array) -> float:
    """The peak signal-to-noise ratio inside the mask, dB; at most 100, for equal pictures."""
    error = (((a - b) ** 2).mean(-1) * mask).sum() / max(float(mask.sum()), 1e-6)
    return float(-10 * np.log10(max(float(error), 1e-10)))


def detail(image: Array, mask: Array) -> float:
    """How much of the contrast inside the mask is in the finest details: deviation of the Laplacian over that of grey.

    A change of brightness, contrast or tint does not change it. NaN where the mask is too small.
    """
    side = len(image)
    inside = cv2.erode((mask > 0.5).astype(np.uint8), np.ones((3, 3), np.uint8), iterations=max(1, side // 64)) > 0
    if inside.sum() < _FEWEST:
        return float("nan")
    grey = cv2.cvtColor(image.astype(np.float32), cv2.COLOR_BGR2GRAY)
    fine = cv2.Laplacian(grey, cv2.CV_32F)
    return float(fine[inside].std() / max(float(grey[inside].std()), 1e-6))


def edge_step(target: Array, merged: Array, cover: Array) -> float:
    """How far the colours of a pasted face are from the target's just inside its edge, in units of Lab (CIE 1976).

    cover: how much the face covers the target. NaN where there is no such place.
    """
    inner = (cover >= _INNER).astype(np.uint8)
    width = max(2.0, _BAND * len(target))
    band = (inner > 0) & (cv2.distanceTransform(np.pad(inner, 1), cv2.DIST_L2, 5)[1:-1, 1:-1] <= width)
    if band.sum() < _FEWEST:
        return float("nan")
    shift = lab(merged) - lab(target)
    # Its own colours only: what is beyond the edge is the target itself, and its difference 0.
    weight = cv2.GaussianBlur(inner.astype(np.float32), (0, 0), width / 2)
    soft = cv2.GaussianBlur(shift * inner[..., None], (0, 0), width / 2) / np.maximum(weight, 1e-3)[..., None]
    return float(np.linalg.norm(soft[band], axis=-1).mean())


def flicker(swaps: Array, targets: Array, masks: Array) -> list[float]:
    """For each frame but the first and last: how much the swap jumps there and back, over the target's own.

    swaps, targets: (n, H, W, 3), the face in its square; masks: (n, H, W). NaN where the target does not change at all.
    """
    ours, theirs = (_jumps(pictures) for pictures in (swaps, targets))
    found = []
    for number in range(1, len(masks) - 1):
        inside = masks[number - 1 : number + 2].min(0) > 0.5
        own = theirs[number - 1][inside].mean() if inside.any() else 0.0
        found.append(float(ours[number - 1][inside].mean() / own) if own > 1e-4 else float("nan"))
    return found


def _jumps(pictures: Array) -> Array:
    """The size of the second difference in time, (n - 2, H, W), in units of Lab, without the grain of a camera."""
    sigma = max(0.6, pictures.shape[1] / 96)
    smooth = np.stack([cv2.GaussianBlur(lab(picture), (0, 0), sigma) for picture in pictures])
    return np.asarray(np.linalg.norm(smooth[:-2] - 2 * smooth[1:-1] + smooth[2:], axis=-1))


def lab(image: Array) -> Array:
    """The picture in Lab: 0..100, and -127..127 twice."""
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(image, np.float32), cv2.COLOR_BGR2LAB))
