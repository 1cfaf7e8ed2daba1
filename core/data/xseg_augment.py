"""Making samples of the mask network hard, in the order of the DeepFaceLab format.

Occluders, which are ours, come first.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from core.data import filters
from core.data.augment import Ranges, draw_motion, move
from core.data.occluders import occlude

FloatArray = NDArray[np.float32]
Random = np.random.RandomState
_MOTION = Ranges(rotation=10, scale=0.05, shift=0.05, flip=True)
_BACKGROUND = Ranges(rotation=180, scale=0.10, shift=0.10, flip=True)
_GREY = np.array([0.114, 0.587, 0.299], np.float32)  # of blue, green and red


def augment(
    image: FloatArray,
    mask: FloatArray,
    random: Random,
    other: Callable[[], tuple[FloatArray, FloatArray]],
    occluders: float = 0.0,
) -> tuple[FloatArray, FloatArray]:
    """(image, mask) made hard: float32 (R, R, 3) BGR 0..1, and (R, R, 1) of two levels.

    other: gives another (image, mask), for backgrounds and textures.
    occluders: 0..1, how often something is drawn in front of the face.
    """
    if occluders and random.rand() < occluders:
        for _ in range(1 + random.randint(2)):
            texture, _ = other()
            image, mask = occlude(image, mask, random, texture)
    if random.randint(2) == 0:
        image = _with_background(image, mask, random, *other())
    # One generator for both draws: the original takes them from its global one.
    motion = draw_motion(image.shape[0], _MOTION, random, random)
    image = np.clip(move(image, motion, warped=True, mask=False), 0, 1)
    mask = (move(mask, motion, warped=True, mask=True) >= 0.5).astype(np.float32)
    return _changed_look(image, mask, random), mask


def grey_sample(image: FloatArray, random: Random) -> tuple[FloatArray, FloatArray]:
    """For pretraining: the image moved, and itself in grey as what the network shall make, (R, R, 1)."""
    motion = draw_motion(image.shape[0], _MOTION, random, random)
    moved: FloatArray = np.clip(move(image, motion, warped=True, mask=False), 0, 1).astype(np.float32)
    return moved, (moved @ _GREY[:, None]).astype(np.float32)


def _with_background(
    image: FloatArray, mask: FloatArray, random: Random, other: FloatArray, other_mask: FloatArray
) -> FloatArray:
    """Another image, turned any way and without its face, shines through around the face."""
    motion = draw_motion(image.shape[0], _BACKGROUND, random, random)
    other_mask = move(other_mask, motion, warped=False, mask=True)
    other = np.clip(move(other, motion, warped=False, mask=False), 0, 1) * (1 - other_mask)
    recolor = _one_of(random, filters.hsv_shift, filters.levels)
    other = recolor(other, random)
    keep = 1 - (1 - other_mask) * (1 - mask)
    share = 0.15 + 0.85 * random.rand()
    return (image * keep + image * (1 - keep) * share + other * (1 - keep) * (1 - share)).astype(np.float32)


def _changed_look(image: FloatArray, mask: FloatArray, random: Random) -> FloatArray:
    """The image with other light, colors and sharpness, most of them in a part of it only."""
    if random.randint(2) == 0:
        image = filters.flare(image, mask, random)
    if random.randint(2) == 0:
        image = filters.flare(image, 1 - mask, random)
    image = np.clip(image, 0, 1)
    image = filters.in_circle(image, _one_of(random, filters.hsv_shift, filters.levels), random)
    if random.randint(2) == 0:
        image = filters.in_circle(image, filters.sharpen, random)
    else:
        image = filters.in_circle(image, filters.motion_blur, random)
        image = filters.in_circle(image, filters.gaussian_blur, random)
    image = filters.in_circle(image, _one_of(random, filters.coarsen_nearest, filters.coarsen), random)
    image = filters.in_circle(np.clip(image, 0, 1), filters.jpeg, random)
    return np.clip(image, 0, 1).astype(np.float32)


def _one_of(random: Random, first: filters.Filter, second: filters.Filter) -> filters.Filter:
    return first if random.randint(2) == 0 else second
