"""Erosion and feather of a mask in one pass, by the distance of each pixel from the mask's edge."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.merge.settings import MergeSettings

Array = NDArray[Any]  # float32

_UNIT = 256  # the settings' pixels are those of a face of this side


def with_edge(mask: Array, settings: MergeSettings) -> Array:
    """The mask (size, size), 0..1, eroded and feathered; always 0 towards the border of the square.

    The mask is cut at one half; from its edge the settings' distances are measured. An erosion of one side works in
    full straight to that side of the mask's middle, and less towards its neighbours.
    """
    inside = (mask >= 0.5).astype(np.uint8)
    if settings.keeps_edge or not inside.any():
        return mask
    pixel = len(mask) / _UNIT
    depth = _signed_distance(inside) - _erosion(inside, settings) * pixel
    inward, outward = settings.feather_in * pixel, settings.feather_out * pixel
    ramp = _ramp((depth + outward) / (inward + outward)) if inward + outward > 1 else np.clip(depth + 0.5, 0, 1)
    return np.asarray(np.minimum(ramp, _window(len(mask), max(inward + outward, 1.0))), np.float32)


def _signed_distance(inside: NDArray[np.uint8]) -> Array:
    """Pixels from the edge, above 0 inside; outside of the square counts as outside."""
    padded = np.pad(inside, 1)
    within = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_5)[1:-1, 1:-1]
    beyond = cv2.distanceTransform(1 - padded, cv2.DIST_L2, cv2.DIST_MASK_5)[1:-1, 1:-1]
    # The edge runs between two pixels, half a pixel from each.
    return np.where(inside > 0, within - 0.5, 0.5 - beyond).astype(np.float32)


def _erosion(inside: NDArray[np.uint8], settings: MergeSettings) -> Array | float:
    """How far the edge moves inward, for each pixel, by the direction in which it lies from the mask's middle."""
    sides = (settings.erode_left, settings.erode_top, settings.erode_right, settings.erode_bottom)
    if not any(sides):
        return settings.erode
    left, top, width, height = cv2.boundingRect(inside)
    x = np.arange(inside.shape[1], dtype=np.float32)[None] - np.float32(left + (width - 1) / 2)
    y = np.arange(inside.shape[0], dtype=np.float32)[:, None] - np.float32(top + (height - 1) / 2)
    # Squares of cosine and sine add up to 1, so that two neighbours share a corner between them.
    across = x * x / np.maximum(x * x + y * y, 1e-6)
    horizontal = np.where(x < 0, np.float32(sides[0]), np.float32(sides[2]))
    vertical = np.where(y < 0, np.float32(sides[1]), np.float32(sides[3]))
    return settings.erode + horizontal * across + vertical * (1 - across)


def _window(size: int, width: float) -> Array:
    """0 at the border of the square, 1 from ``width`` pixels inward."""
    depth = np.minimum(np.arange(size), np.arange(size)[::-1]).astype(np.float32)
    ramp = _ramp(depth / width)
    return np.minimum(ramp[:, None], ramp[None])


def _ramp(t: Array) -> Array:
    """From 0 to 1 with a level start and end."""
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)
