"""The color adjustments of faceswap's convert. Images are float32 (S, S, 3), BGR, 0..1; masks (S, S)."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.merge.faceswap.settings import Balance, FaceswapSettings
from core.merge.seamless import cloned

Array = NDArray[Any]  # float32

_SPACES = {
    "RGB": (cv2.COLOR_BGR2RGB, cv2.COLOR_RGB2BGR),
    "HSV": (cv2.COLOR_BGR2HSV, cv2.COLOR_HSV2BGR),
    "LAB": (cv2.COLOR_BGR2LAB, cv2.COLOR_LAB2BGR),
    "YCrCb": (cv2.COLOR_BGR2YCrCb, cv2.COLOR_YCrCb2BGR),
}


def adjusted(old: Array, new: Array, mask: Array, settings: FaceswapSettings) -> Array:
    """The swapped face ``new`` with its colors adjusted to ``old``, the face of the film. mask: not eroded."""
    name = settings.color_adjustment
    if name == "avg-color":
        new = average_color(old, new, mask)
    elif name == "color-transfer":
        new = lab_transfer(old, new, mask, settings.clip, settings.preserve_paper)
    elif name == "manual-balance":
        new = balanced(new, settings.balance)
    elif name == "match-hist":
        new = histogram_matched(old, new, mask, settings.match_threshold)
    elif name == "seamless-clone":
        new = seamless_clone(old, new, mask)
    return np.clip(new, 0, 1).astype(np.float32)


def average_color(old: Array, new: Array, mask: Array) -> Array:
    """``new`` shifted so that its mean under the mask is that of ``old``; with an empty mask it becomes ``old``."""
    weight = mask[..., None]
    total = weight.sum(dtype=np.float64)
    if total == 0:
        return old
    return new + (((old - new) * weight).sum((0, 1), dtype=np.float64) / total).astype(np.float32)


def lab_transfer(old: Array, new: Array, mask: Array, clip: bool, preserve_paper: bool) -> Array:
    """Mean and deviation of each Lab channel of the masked ``old``, all in 8 bits, black pixels counted.

    preserve_paper: the deviations' ratio upside down. clip: to 0..255, instead of rescaling what leaves it.
    """
    weight = mask[..., None]
    x, y = (
        cv2.cvtColor(np.rint(255 * image * weight).clip(0, 255).astype(np.uint8), cv2.COLOR_BGR2LAB)
        for image in (old, new)
    )
    channels = [_moved(x[..., i], y[..., i], clip, preserve_paper) for i in range(3)]
    back = np.asarray(cv2.cvtColor(np.stack(channels, -1), cv2.COLOR_LAB2BGR), np.float32) / 255
    return back + new * (1 - weight)


def _moved(old: NDArray[np.uint8], new: NDArray[np.uint8], clip: bool, preserve_paper: bool) -> NDArray[np.uint8]:
    tiny = np.finfo(np.float64).tiny  # of an empty mask
    spread_old, spread_new = max(old.std(), tiny), max(new.std(), tiny)
    ratio = spread_new / spread_old if preserve_paper else spread_old / spread_new
    moved = (new - new.mean()) * ratio + old.mean()
    low, high = moved.min(), moved.max()
    if not clip and (low < 0 or high > 255):
        to_low, to_high = max(low, 0), min(high, 255)
        moved = (moved - low) * (to_high - to_low) / (high - low) + to_low
    return np.clip(moved, 0, 255).astype(np.uint8)


def balanced(new: Array, balance: Balance) -> Array:
    """Each channel of a color space moved toward its end or toward 0, then contrast and brightness. In 8 bits."""
    there, back = _SPACES[balance.color_space]
    channels = cv2.cvtColor(_truncated(new), there).astype(np.float32) / 255
    amounts = np.array(balance.balance, np.float32) / 100
    moved = np.where(amounts >= 0, channels + (1 - channels) * amounts, channels * (1 + amounts))
    image = np.asarray(cv2.cvtColor(_truncated(moved), back), np.float32) / 255
    contrast, brightness = (max(-126, round(1.27 * x)) for x in (balance.contrast, balance.brightness))
    if not contrast and not brightness:
        return image
    codes = np.rint(image * 255) * (contrast / 127 + 1) - contrast + brightness
    return (np.clip(codes, 0, 255) / 255).astype(np.float32)


def histogram_matched(old: Array, new: Array, mask: Array, threshold: float) -> Array:
    """``new`` with the histogram of ``old`` in each channel, both where the mask is not 0. threshold: percent."""
    chosen = mask != 0
    out = new.copy()
    if not chosen.any():
        return out
    for i in range(3):
        _, place, counts = np.unique(new[..., i][chosen], return_inverse=True, return_counts=True)
        values, old_counts = np.unique(old[..., i][chosen], return_counts=True)
        share = threshold / 100 * np.cumsum(counts) / counts.sum()
        out[..., i][chosen] = np.interp(share, np.cumsum(old_counts) / old_counts.sum(), values)[place]
    return out


def seamless_clone(old: Array, new: Array, mask: Array) -> Array:
    """``new`` cloned into ``old``, without the last row and column of the mask. With an empty mask ``new`` stays."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows) or rows[0] == rows[-1] or columns[0] == columns[-1]:
        return new
    (top, bottom), (left, right) = (rows[0], rows[-1]), (columns[0], columns[-1])
    height, width = (side // 2 for side in mask.shape)
    inserted = np.rint(255 * new[top:bottom, left:right]).clip(0, 255).astype(np.uint8)
    cover = np.where(np.rint(255 * mask[top:bottom, left:right]) > 0, 255, 0).astype(np.uint8)
    target = np.pad(np.rint(255 * old).astype(np.uint8), ((height, height), (width, width), (0, 0)))
    centre = int(np.rint((right + left) / 2 + width)), int(np.rint((bottom + top) / 2 + height))
    whole = cloned(inserted, target, cover, centre)
    return whole[height:-height, width:-width].astype(np.float32) / 255


def _truncated(image: Array) -> NDArray[np.uint8]:
    return (np.clip(image, 0, 1) * 255).astype(np.uint8)
