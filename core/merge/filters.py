"""Filters that make a face look like its film, or the film like its face. Images are float32 H x W x 3, BGR, 0..1.

Nothing is clipped where a filter can overshoot. Borders are mirrored.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # float32

_MEDIAN = 5  # side of the median filter, px


def motion_blur(image: Array, length: int, degrees: float) -> Array:
    """The mean along a line of ``length`` pixels that is turned by ``degrees``, counter-clockwise as seen."""
    kernel = np.zeros((length, length), np.float32)
    kernel[(length - 1) // 2] = 1
    middle = length / 2 - 0.5
    turn = cv2.getRotationMatrix2D((middle, middle), degrees, 1.0)
    kernel = np.asarray(cv2.warpAffine(kernel, turn, (length, length)), np.float32)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.float32)


def sharpen_box(image: Array, size: int, amount: float) -> Array:
    """``amount`` times the difference from the mean of a square of ``size`` (odd) pixels, added."""
    point = np.zeros((size, size), np.float32)
    point[size // 2, size // 2] = 1
    kernel = point + (point - np.float32(1 / size**2)) * np.float32(amount)
    return np.asarray(cv2.filter2D(image, -1, kernel), np.float32)


def sharpen_gaussian(image: Array, size: int, amount: float) -> Array:
    """Half of ``amount`` times the difference from a Gaussian of ``size`` (odd) pixels, added."""
    soft = cv2.GaussianBlur(image, (size, size), 0)
    return np.asarray(cv2.addWeighted(image, 1 + 0.5 * amount, soft, -0.5 * amount, 0), np.float32)


def sharpen_unsharp(image: Array, size: int, amount: float, threshold: float, flat: bool = False) -> Array:
    """``amount`` times the difference from a Gaussian of ``size`` pixels, added where it is at least ``threshold``.

    flat: added where it is below the threshold instead, which is what faceswap does.
    """
    soft = np.asarray(cv2.GaussianBlur(image, (size, size), 0), np.float32)
    chosen = (np.abs(image - soft) < threshold) == flat
    return np.where(chosen, image * (1 + amount) - soft * amount, image).astype(np.float32)


def smooth(image: Array, power: int, whole: int) -> Array:
    """Median filters, one for each 10 of ``power``, and each with a weight of power / ``whole``, at most 1."""
    while power > 0:
        median = np.asarray(cv2.medianBlur(image, _MEDIAN), np.float32)
        image = median if power >= whole else image * (1 - power / whole) + median * (power / whole)
        power -= 10
    return image.astype(np.float32, copy=False)


def degrade(image: Array, power: int) -> Array:
    """Made smaller to 1 - power / 101 of its size, and larger again, both bicubic. power: 0..100."""
    height, width = image.shape[:2]
    part = 1 - power / 101
    small = cv2.resize(image, (max(1, int(width * part)), max(1, int(height * part))), interpolation=cv2.INTER_CUBIC)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def fewer_colors(image: Array, power: float) -> Array:
    """Mixed with itself in 256 colors chosen by median cut. power: 0..100, the share of the 256 colors."""
    if power <= 0:
        return image
    from PIL import Image

    rgb = Image.fromarray(np.ascontiguousarray((np.clip(image, 0, 1) * 255).astype(np.uint8)[..., ::-1]))
    palette = rgb.convert("P", palette=Image.Palette.ADAPTIVE, colors=256)
    reduced = np.asarray(palette.convert("RGB"), np.float32)[..., ::-1] / 255
    if power >= 100:
        return reduced
    part = power / 100
    return (image * (1 - part) + reduced * part).astype(np.float32)
