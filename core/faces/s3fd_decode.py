"""S3FD, the detector of the DeepFaceLab format: from an image to the boxes of the faces in it.

Boxes are rows of left, top, right, bottom; confidences are 0..1.
"""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from core.geometry.boxes import non_maximum_suppression

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
# The network: RGB images, float32 (1, H, W, 3), 0..255 -> outputs as in ``decode``.
Run = Callable[[FloatArray], Sequence[FloatArray]]
# What DeepFaceLab asks for; sides in pixels.
CONFIDENCE, SIZE, SMALLEST = 0.5, 640, 40
_LEAST = 64  # an image is looked at with a longer side of at least so many pixels
_SHORTEST = 32  # and cannot be halved often enough when the other side is shorter than this
_CANDIDATE = 0.05
_OVERLAP = 0.3
_TALLER = 0.1


def find(
    run: Run, rgb: NDArray[np.uint8], confidence: float = CONFIDENCE, size: int = SIZE
) -> tuple[IntArray, FloatArray]:
    """(boxes (n, 4) in pixels of the image, confidences (n,)), largest box first.

    Boxes may reach outside the image; those with a side under 40 pixels are left out.

    rgb: uint8 H x W x 3.
    confidence: 0..1, faces below it are left out.
    size: pixels; the image is looked at with half its longer side, at most this.
    """
    small, ratio = shrunk(rgb, size)
    if min(small.shape[:2]) < _SHORTEST:
        return np.zeros((0, 4), np.int64), np.zeros(0, np.float32)
    boxes, confidences = decode(run(small[None].astype(np.float32)), confidence)
    return _in_image(boxes, confidences, ratio)


def shrunk(rgb: NDArray[np.uint8], size: int = SIZE) -> tuple[NDArray[np.uint8], float]:
    """(the image as the network sees it, how many pixels of the image make one of it)."""
    height, width = rgb.shape[:2]
    longer = max(width, height)
    ratio = longer / max(_LEAST, min(longer / 2, size))
    wanted = max(int(width / ratio), 1), max(int(height / ratio), 1)
    return cv2.resize(rgb, wanted, interpolation=cv2.INTER_LINEAR), ratio


def decode(outputs: Sequence[FloatArray], confidence: float = CONFIDENCE) -> tuple[IntArray, FloatArray]:
    """(boxes (n, 4) in pixels of the network's input, confidences (n,)), highest first, each face once.

    outputs: class probabilities (1, h, w, 2) and offsets (1, h, w, 4) of each stride 4, 8, ... in turn.
    """
    levels = [_level(outputs[i], outputs[i + 1], 4 << (i // 2), confidence) for i in range(0, len(outputs), 2)]
    boxes, confidences = (np.concatenate(parts) for parts in zip(*levels, strict=True))
    # A box never drops one of higher confidence, so only those that may be kept need be compared.
    kept = distinct(boxes, confidences)
    # Cut to whole pixels here, before they grow by the ratio, as the original does.
    return boxes[kept].astype(np.int64), confidences[kept]


def _level(classes: NDArray, offsets: NDArray, stride: int, confidence: float) -> tuple[FloatArray, FloatArray]:
    """The candidates of one stride. A cell's own box has four strides a side and the cell's middle."""
    confidences = classes[0, :, :, 1]
    rows, columns = np.nonzero((confidences > _CANDIDATE) & (confidences >= confidence))
    offset = offsets[0, rows, columns]
    side = np.float32(4 * stride)
    # The network answers in tenths of the side for the place, and in fifths of an exponent of e for the size.
    middle = np.stack([columns, rows], axis=1).astype(np.float32) * stride + np.float32(stride / 2)
    centre = middle + offset[:, :2] * np.float32(0.1) * side
    half = side * np.exp(offset[:, 2:] * np.float32(0.2)) / 2
    return np.concatenate([centre - half, centre + half], axis=1), confidences[rows, columns]


def distinct(boxes: NDArray, confidences: NDArray, overlap: float = _OVERLAP) -> NDArray[np.intp]:
    """Indices, highest confidence first, of the boxes (n, 4) that overlap no better one by more than ``overlap``.

    The overlap is the intersection over union of the pixels: right and bottom belong to a box.
    """
    outer = np.asarray(boxes, np.float64).reshape(-1, 4) + (0, 0, 1, 1)
    return non_maximum_suppression(outer, confidences, overlap)


def _in_image(boxes: IntArray, confidences: FloatArray, ratio: float) -> tuple[IntArray, FloatArray]:
    """The boxes in pixels of the image, a tenth taller (chins stick out), largest first."""
    large = boxes * ratio
    sides = large[:, 2:] - large[:, :2]
    keep = sides.min(axis=1) >= SMALLEST
    large, sides, confidences = large[keep], sides[keep], confidences[keep]
    # After the test of the size, as in the original: the 40 pixels are of the box as it was found.
    large[:, 3] += _TALLER * sides[:, 1]
    whole = large.astype(np.int64)
    areas = (whole[:, 2:] - whole[:, :2]).prod(axis=1)
    # Stable: of equal boxes the surer one comes first, as the original names them.
    order = np.argsort(-areas, kind="stable")
    return whole[order], confidences[order]
