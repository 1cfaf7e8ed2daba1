"""The blending mask as faceswap's convert makes it. Masks are (S, S), float32 0..1 but where it says uint8."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.geometry.centring import Centring, centre_offset, cut_out_of
from core.merge.faceswap.settings import Edge

Array = NDArray[Any]  # float32

# What the kernel is multiplied by after every pass.
_NARROWING = {"gaussian": 0.8, "normalized": 0.5}
_BOX_RADIUS = 0.06  # of the side of the box


def drawn_mask(drawn: Array, edge: Edge) -> Array:
    """A mask drawn from landmarks in pixels of the patch, with a soft edge; rounded to 8 bits."""
    return blurred(np.rint(drawn * 255).astype(np.uint8), edge.blend, edge.kernel_size, edge.passes) / np.float32(255)


def predicted_mask(predicted: Array, edge: Edge) -> Array:
    """The mask that the model predicted, with a soft edge."""
    return blurred(predicted, edge.blend, edge.kernel_size, edge.passes)


def stored_mask(
    stored: NDArray[np.uint8],
    stored_centring: Centring,
    normalised: ArrayLike,
    size: int,
    centring: Centring,
    coverage: float,
    edge: Edge,
) -> Array:
    """A mask of an alignments file (n, n), uint8, made ready for a patch of ``size`` with another centring.

    normalised: landmarks (68, 2) in the unit square, which say how the two crops lie to each other.
    """
    limit = 2.55 * edge.threshold
    mask = np.where(stored < limit, 0, np.where(stored > 255 - limit, 255, stored)).astype(np.uint8)
    mask = blurred(mask, edge.blend, edge.kernel_size, edge.passes)
    if stored_centring != centring or coverage != 1:
        shift = centre_offset(normalised, centring) - centre_offset(normalised, stored_centring)
        mask = _square(mask, *cut_out_of(stored_centring, len(mask), centring, coverage, shift))
    if len(mask) != size:
        mask = cv2.resize(mask, (size, size), interpolation=cv2.INTER_CUBIC if len(mask) < size else cv2.INTER_AREA)
    return np.asarray(mask, np.float32) / 255


def blending_mask(raw: Array, edge: Edge) -> Array:
    """The mask eroded as a whole and from its sides, within a soft box that keeps clear of the patch's border."""
    return np.minimum(_eroded(raw, edge), patch_box(len(raw), edge.blend))


def blurred(mask: NDArray, blend: str, kernel_size: int, passes: int) -> NDArray:
    """The mask blurred in ``passes`` with narrowing kernels; masks of 8 bits are rounded after each."""
    if blend == "none":
        return mask
    kernel = _odd(kernel_size)
    for _ in range(passes):
        if blend == "gaussian":
            mask = cv2.GaussianBlur(mask, (kernel, kernel), 0)
        else:
            mask = cv2.blur(mask, (kernel, kernel))
        kernel = _odd(round(kernel * _NARROWING[blend]))
    return mask


def patch_box(size: int, blend: str) -> Array:
    """Ones but for a border, with a soft edge unless ``blend`` is none: (size, size)."""
    border = size // 32 + 1
    box = np.zeros((size, size), np.float32)
    box[border:-border, border:-border] = 1
    if blend == "none":
        return box
    return blurred(box, "gaussian", 2 * round(max(1.0, np.sqrt(box.sum()) * _BOX_RADIUS)) + 1, 1)


def old_patch_box(size: int, blend: str, distance: float, radius: float, passes: int) -> Array:
    """The box of faceswap until June 2022: distance and radius in percent of the side; passes 1..8."""
    border = round(size * distance / 200)
    box = np.zeros((size, size), np.float32)
    box[border : size - border, border : size - border] = 1
    return blurred(box, blend, 2 * round(max(1.0, np.sqrt(box.sum()) * radius / 100)) + 1, passes)


def _odd(kernel: int) -> int:
    return kernel + 1 - kernel % 2


def _square(mask: NDArray, centre: NDArray[np.int64], side: int) -> NDArray:
    """The square of ``side`` pixels around a pixel, zero outside the mask."""
    left, top = centre - side // 2
    out = np.zeros((side, side), mask.dtype)
    rows, columns = slice(max(top, 0), min(top + side, len(mask))), slice(max(left, 0), min(left + side, len(mask)))
    part = mask[rows, columns]
    out[rows.start - top : rows.start - top + part.shape[0], columns.start - left :][:, : part.shape[1]] = part
    return out


def _eroded(raw: Array, edge: Edge) -> Array:
    """Each erosion is measured in percent of half the side of a square of the mask's area."""
    unit = float(np.sqrt(raw.sum())) / 2
    mask = raw
    for percent, shape, eroding, dilating in _erosions(edge):
        size = int(abs(percent / 100) * unit)
        if not size:
            continue
        width, height = (size if side else 1 for side in shape[1:])
        kernel = cv2.getStructuringElement(shape[0], (width, height))
        anchor = eroding(size) if percent > 0 else dilating(size)
        mask = (cv2.erode if percent > 0 else cv2.dilate)(mask, kernel, anchor=anchor)
    return np.asarray(mask, np.float32)


def _erosions(edge: Edge):
    """(percent, kernel, anchor to erode, anchor to dilate), in order. The left one is a square, as it is there."""
    ellipse, rectangle = cv2.MORPH_ELLIPSE, cv2.MORPH_RECT
    return (
        (edge.erosion, (ellipse, True, True), lambda s: (s // 2, s // 2), lambda s: (s // 2, s // 2)),
        (edge.erosion_left, (rectangle, True, True), lambda s: (s - 1, s // 2), lambda s: (0, s // 2)),
        (edge.erosion_top, (rectangle, False, True), lambda s: (0, s - 1), lambda s: (0, 0)),
        (edge.erosion_right, (rectangle, True, False), lambda s: (0, 0), lambda s: (s - 1, 0)),
        (edge.erosion_bottom, (rectangle, False, True), lambda s: (0, 0), lambda s: (0, s - 1)),
    )
