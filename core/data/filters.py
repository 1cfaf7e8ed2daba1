"""Random changes of a picture's look, for training the mask network: the filters of the DeepFaceLab format, with its order of draws.

Pictures are float32 (H, W, 3) BGR, about 0..1; ``random`` is NumPy's legacy generator. chance: percent.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Random = np.random.RandomState
Filter = Callable[[Array, Random], Array]


def levels(image: Array, random: Random) -> Array:
    """Black and white points, in and out, and gamma of each channel."""
    black = np.array([random.rand() * 0.25 for _ in range(3)], np.float32)
    white = np.array([1 - random.rand() * 0.25 for _ in range(3)], np.float32)
    gamma = np.array([0.5 + random.rand() for _ in range(3)], np.float32)
    low = np.array([random.rand() * 0.25 for _ in range(3)], np.float32)
    high = np.array([1 - random.rand() * 0.25 for _ in range(3)], np.float32)
    return np.clip(np.clip((image - black) / (white - black), 0, 1) ** (1 / gamma) * (high - low) + low, 0, 1)


def hsv_shift(image: Array, random: Random) -> Array:
    """Any hue, saturation and value half the range up or down."""
    hsv = cv2.cvtColor(np.ascontiguousarray(image, np.float32), cv2.COLOR_BGR2HSV)
    hsv[..., 0] = (hsv[..., 0] + random.randint(360)) % 360
    hsv[..., 1] = np.clip(hsv[..., 1] + random.rand() - 0.5, 0, 1)
    hsv[..., 2] = np.clip(hsv[..., 2] + random.rand() - 0.5, 0, 1)
    return np.clip(cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR), 0, 1)


def sharpen(image: Array, random: Random, chance: int = 25, largest: int = 5) -> Array:
    size = random.randint(largest) + 1
    size += size % 2 == 0
    if random.randint(100) >= chance:
        return image
    if random.randint(2) == 0:
        amount = random.randint(10)
        centre = np.zeros((size, size), np.float32)
        centre[size // 2, size // 2] = 1
        return image if amount == 0 else cv2.filter2D(image, -1, centre + (centre - 1 / (size * size)) * amount)
    amount = random.randint(50)
    return (
        image
        if amount == 0
        else cv2.addWeighted(image, 1 + 0.5 * amount, cv2.GaussianBlur(image, (size, size), 0), -0.5 * amount, 0)
    )


def motion_blur(image: Array, random: Random, chance: int = 25, largest: int = 5) -> Array:
    size, angle = random.randint(largest) + 1, random.randint(360)
    if random.randint(100) >= chance:
        return image
    kernel = np.zeros((size, size), np.float32)
    kernel[(size - 1) // 2] = 1
    kernel = cv2.warpAffine(kernel, cv2.getRotationMatrix2D((size / 2 - 0.5, size / 2 - 0.5), angle, 1.0), (size, size))
    return cv2.filter2D(image, -1, kernel / kernel.sum())


def gaussian_blur(image: Array, random: Random, chance: int = 25, largest: int = 5) -> Array:
    if random.randint(100) >= chance:
        return image
    size = 2 * random.randint(largest) + 1
    return cv2.GaussianBlur(image, (size, size), 0)


def coarsen(image: Array, random: Random, chance: int = 25, most: int = 75, kind: int = cv2.INTER_LINEAR) -> Array:
    """Smaller by up to ``most`` percent and back."""
    if random.randint(100) >= chance:
        return image
    amount = random.rand()
    height, width = image.shape[:2]
    small = width - int(amount * int(width * most / 100)), height - int(amount * int(height * most / 100))
    return cv2.resize(cv2.resize(image, small, interpolation=kind), (width, height), interpolation=kind)


def coarsen_nearest(image: Array, random: Random, chance: int = 25, most: int = 75) -> Array:
    return coarsen(image, random, chance, most, cv2.INTER_NEAREST)


def jpeg(image: Array, random: Random, chance: int = 25) -> Array:
    """Compressed as a JPEG of any quality from 10 on."""
    if random.randint(100) >= chance:
        return image
    quality = random.randint(10, 101)
    _, data = cv2.imencode(
        ".jpg", np.clip(image * 255, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, int(quality)]
    )
    return (np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)) / np.float32(255)).astype(np.float32)


def faded_circle(size: int, random: Random) -> Array:
    """A soft disc anywhere in the picture, (size, size, 1), 0..1."""
    inner = random.randint(size)
    outer = inner + random.randint(size - inner)
    row, column = random.randint(size), random.randint(size)
    rows, columns = np.ogrid[:size, :size]
    distance = np.sqrt((rows - row) ** 2 + (columns - column) ** 2)
    return np.clip(1 - (distance - inner) / (outer or 1), 0, 1).astype(np.float32)[..., None]


def in_circle(image: Array, change: Filter, random: Random) -> Array:
    """``change`` faded in within a random disc."""
    circle = faded_circle(image.shape[0], random)
    return image * (1 - circle) + change(image, random) * circle


def flare(image: Array, mask: Array, random: Random) -> Array:
    """The masked part of the picture glows beyond its edge."""
    size = image.shape[0]
    kernel = max(3, int(random.randint(64, 256) * size / 256)) | 1
    return image + cv2.GaussianBlur(np.ascontiguousarray(image * mask), (kernel, kernel), 0)
