"""The ten mask modes of DeepFaceLab's merger, and how it erodes and blurs. Masks are float32 (size, size)."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.merge.dfl.settings import MASK_MODES

Array = NDArray[Any]  # float32

FLOOR = 1 / 255  # what is below is 0
_NEEDS_FRAME_HULL = "dst"


def factors(mask_mode: str) -> tuple[str, ...]:
    """The masks that are multiplied (or, for one mode, added) in a mask mode: names of ``working_mask``."""
    if mask_mode not in MASK_MODES:
        raise KeyError(mask_mode)
    return tuple(mask_mode.replace("+", "*").split("*"))


def working_mask(mask_mode: str, masks: dict[str, Array], size: int) -> Array:
    """The mask of a mode out of its named masks, each (size, size); values below the noise floor are 0."""
    if mask_mode == "full":
        mask = np.ones((size, size), np.float32)
    elif "+" in mask_mode:
        first, second = (masks[name] for name in factors(mask_mode))
        mask = np.clip(first + second, 0, 1)
    else:
        mask = np.prod([masks[name] for name in factors(mask_mode)], axis=0)
    return floored(mask)


def floored(mask: Array) -> Array:
    """The mask with zeros below 1/255."""
    return np.where(mask < FLOOR, np.float32(0), mask)


def with_edge(mask: Array, erode: int, blur: int, resolution: int) -> Array:
    """The mask (4R, 4R) eroded by ``erode`` px (dilated below 0) and blurred by ``blur`` px; 0..1.

    resolution: R. A frame of R zeros around lets a dilation and a blur end softly; what lies on the border is cut.
    """
    size = len(mask)
    padded = np.pad(mask, resolution)
    if erode:
        ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (abs(erode), abs(erode)))
        padded = (cv2.erode if erode > 0 else cv2.dilate)(padded, ellipse)
    cut = resolution + blur // 2
    inner = np.zeros_like(padded)
    inner[cut:-cut, cut:-cut] = padded[cut:-cut, cut:-cut]
    if blur:
        kernel = blur + 1 - blur % 2
        inner = np.asarray(cv2.GaussianBlur(inner, (kernel, kernel), 0), np.float32)
    return np.clip(inner[resolution : resolution + size, resolution : resolution + size], 0, 1)


def is_worth_merging(mask: Array) -> bool:
    """Whether the part of a frame's mask that is at least 0.1 is at least 4 px wide and high."""
    rows, columns = (np.flatnonzero((mask >= 0.1).any(axis)) for axis in (1, 0))
    return len(rows) > 0 and min(rows[-1] - rows[0], columns[-1] - columns[0]) >= 4
