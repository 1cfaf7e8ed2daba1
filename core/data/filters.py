"""Random changes of an image's look, for training the mask network: the filters of the DeepFaceLab format.

Images are float32 (H, W, 3) BGR, about 0..1. ``random`` is NumPy's legacy generator, drawn from in the format's order,
also where a filter then does nothing. chance: percent of the images that a filter changes.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
Random = np.random.RandomState
Filter = Callable[[FloatArray, Random], FloatArray]


def levels(image: FloatArray, random: Random) -> FloatArray:
    """Black and white points, in and out, and gamma of each channel."""
    black = _three(random, 0, 0.25)
    white = _three(random, 1, -0.25)
    gamma = _three(random, 0.5, 1)
    low = _three(random, 0, 0.25)
    high = _three(random, 1, -0.25)
    spread = np.clip((image - black) / (white - black), 0, 1)
    return np.clip(spread ** (1 / gamma) * (high - low) + low, 0, 1)


def _three(random: Random, start: float, step: float) -> FloatArray:
    """A number for each channel, up to ``step`` away from ``start``."""
    return np.array([start + random.rand() * step for _ in range(3)], np.float32)


def hsv_shift(image: FloatArray, random: Random) -> FloatArray:
    """Any hue, saturation and value half the range up or down."""
    hsv = cv2.cvtColor(np.ascontiguousarray(image, np.float32), cv2.COLOR_BGR2HSV)
    hsv[..., 0] = (hsv[..., 0] + random.randint(360)) % 360
    hsv[..., 1] = np.clip(hsv[..., 1] + random.rand() - 0.5, 0, 1)
    hsv[..., 2] = np.clip(hsv[..., 2] + random.rand() - 0.5, 0, 1)
    return np.clip(cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR), 0, 1)


def sharpen(image: FloatArray, random: Random, chance: int = 25, largest: int = 5) -> FloatArray:
    """Sharper than it was, by a box or by a Gaussian of up to ``largest`` pixels."""
    size = random.randint(largest) + 1
    size += size % 2 == 0  # kernels have a middle
    if random.randint(100) >= chance:
        return image
    by_box = random.randint(2) == 0
    amount = random.randint(10 if by_box else 50)
    if amount == 0:
        return image
    if by_box:
        centre = np.zeros((size, size), np.float32)
        centre[size // 2, size // 2] = 1
        return cv2.filter2D(image, -1, centre + (centre - 1 / (size * size)) * amount)
    blurred = cv2.GaussianBlur(image, (size, size), 0)
    return cv2.addWeighted(image, 1 + 0.5 * amount, blurred, -0.5 * amount, 0)


def motion_blur(image: FloatArray, random: Random, chance: int = 25, largest: int = 5) -> FloatArray:
    """Blurred along a line of up to ``largest`` pixels in any direction."""
    size, angle = random.randint(largest) + 1, random.randint(360)
    if random.randint(100) >= chance:
        return image
    kernel = np.zeros((size, size), np.float32)
    kernel[(size - 1) // 2] = 1
    middle = size / 2 - 0.5
    kernel = cv2.warpAffine(kernel, cv2.getRotationMatrix2D((middle, middle), angle, 1.0), (size, size))
    return cv2.filter2D(image, -1, kernel / kernel.sum())


def gaussian_blur(image: FloatArray, random: Random, chance: int = 25, largest: int = 5) -> FloatArray:
    """Blurred evenly."""
    if random.randint(100) >= chance:
        return image
    size = 2 * random.randint(largest) + 1
    return cv2.GaussianBlur(image, (size, size), 0)


def coarsen(
    image: FloatArray, random: Random, chance: int = 25, most: int = 75, interpolation: int = cv2.INTER_LINEAR
) -> FloatArray:
    """Smaller by up to ``most`` percent and back."""
    if random.randint(100) >= chance:
        return image
    amount = random.rand()
    height, width = image.shape[:2]
    small_size = width - int(amount * int(width * most / 100)), height - int(amount * int(height * most / 100))
    small = cv2.resize(image, small_size, interpolation=interpolation)
    return cv2.resize(small, (width, height), interpolation=interpolation)


def coarsen_nearest(image: FloatArray, random: Random, chance: int = 25, most: int = 75) -> FloatArray:
    """The same, with hard-edged pixels."""
    return coarsen(image, random, chance=chance, most=most, interpolation=cv2.INTER_NEAREST)


def jpeg(image: FloatArray, random: Random, chance: int = 25) -> FloatArray:
    """Compressed as a JPEG of any quality from 10 on."""
    if random.randint(100) >= chance:
        return image
    quality = int(random.randint(10, 101))
    pixels = np.clip(image * 255, 0, 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return (np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)) / np.float32(255)).astype(np.float32)


def faded_circle(size: int, random: Random) -> FloatArray:
    """A soft disc anywhere in an image of ``size`` pixels a side: (size, size, 1), 0..1."""
    inner = random.randint(size)
    outer = inner + random.randint(size - inner)
    row, column = random.randint(size), random.randint(size)
    rows, columns = np.ogrid[:size, :size]
    distance = np.sqrt((rows - row) ** 2 + (columns - column) ** 2)
    # Divided by the outer radius and not by the width of the rim: the format's formula.
    return np.clip(1 - (distance - inner) / (outer or 1), 0, 1).astype(np.float32)[..., None]


def in_circle(image: FloatArray, change: Filter, random: Random) -> FloatArray:
    """``change`` faded in within a random disc."""
    circle = faded_circle(image.shape[0], random)
    return image * (1 - circle) + change(image, random) * circle


def flare(image: FloatArray, mask: FloatArray, random: Random) -> FloatArray:
    """The part of the image under the mask (H, W, 1) glows beyond its edge."""
    size = image.shape[0]
    # Odd, as a kernel has to be.
    kernel = max(3, int(random.randint(64, 256) * size / 256)) | 1
    return image + cv2.GaussianBlur(np.ascontiguousarray(image * mask), (kernel, kernel), 0)
