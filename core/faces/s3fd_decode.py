"""S3FD, the detector of the DeepFaceLab format: from a picture to the boxes of faces in it."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from core.geometry.boxes import non_maximum_suppression

Run = Callable[[NDArray[np.float32]], Sequence[NDArray[np.float32]]]
SCORE, SIZE, SMALLEST = 0.5, 640, 40
_LEAST = 64  # a picture is looked at with a longer side of at least so many pixels
_SHORTEST = 32  # and cannot be halved often enough when the other side is shorter than this
_CANDIDATE = 0.05
_OVERLAP = 0.3
_TALLER = 0.1


def find(
    run: Run, rgb: NDArray[np.uint8], score: float = SCORE, size: int = SIZE
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """(boxes (n, 4) left, top, right, bottom in pixels of the picture, scores), largest box first.

    rgb: uint8 H x W x 3; run: the network; size: the picture is looked at with half its longer side, at most this. Boxes may reach
    outside the picture; those with a side under 40 pixels are left out.
    """
    small, ratio = shrunk(rgb, size)
    if min(small.shape[:2]) < _SHORTEST:
        return np.zeros((0, 4), np.int64), np.zeros(0, np.float32)
    boxes, scores = decode(run(small[None].astype(np.float32)), score)
    return _in_picture(boxes, scores, ratio)


def shrunk(rgb: NDArray[np.uint8], size: int = SIZE) -> tuple[NDArray[np.uint8], float]:
    """(the picture as the network sees it, how many pixels of the picture make one of it)."""
    height, width = rgb.shape[:2]
    longer = max(width, height)
    ratio = longer / max(_LEAST, min(longer / 2, size))
    wanted = max(int(width / ratio), 1), max(int(height / ratio), 1)
    return cv2.resize(rgb, wanted, interpolation=cv2.INTER_LINEAR), ratio


def decode(
    outputs: Sequence[NDArray[np.float32]], score: float = SCORE
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """(boxes (n, 4), scores), surest first, in pixels of the network's input; boxes that overlap a surer one are dropped.

    outputs: class probabilities (1, h, w, 2) and offsets (1, h, w, 4) of each stride 4, 8, ... in turn.
    """
    levels = [_level(outputs[i], outputs[i + 1], 4 << (i // 2), score) for i in range(0, len(outputs), 2)]
    boxes, scores = (np.concatenate(parts) for parts in zip(*levels, strict=True))
    # Less sure ones never drop surer ones, so only those that may be kept are compared.
    kept = distinct(boxes, scores)
    return boxes[kept].astype(np.int64), scores[kept]


def _level(
    classes: NDArray, offsets: NDArray, stride: int, score: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    sure = classes[0, :, :, 1]
    rows, columns = np.nonzero((sure > _CANDIDATE) & (sure >= score))
    offset = offsets[0, rows, columns]
    side = np.float32(4 * stride)
    centre = (
        np.stack([columns, rows], axis=1).astype(np.float32) * stride
        + np.float32(stride / 2)
        + offset[:, :2] * np.float32(0.1) * side
    )
    half = side * np.exp(offset[:, 2:] * np.float32(0.2)) / 2
    return np.concatenate([centre - half, centre + half], axis=1), sure[rows, columns]


def distinct(boxes: NDArray, scores: NDArray, overlap: float = _OVERLAP) -> NDArray[np.intp]:
    """Indices, surest first, of the boxes (n, 4) that overlap no surer one by more than ``overlap``.

    The overlap is the intersection over union of the pixels: right and bottom belong to a box.
    """
    outer = np.asarray(boxes, np.float64).reshape(-1, 4) + (0, 0, 1, 1)
    return non_maximum_suppression(outer, scores, overlap)


def _in_picture(
    boxes: NDArray[np.int64], scores: NDArray[np.float32], ratio: float
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The boxes in pixels of the picture, a tenth taller (chins stick out), largest first."""
    large = boxes * ratio
    sides = large[:, 2:] - large[:, :2]
    keep = sides.min(axis=1) >= SMALLEST
    large, sides, scores = large[keep], sides[keep], scores[keep]
    large[:, 3] += _TALLER * sides[:, 1]
    whole = large.astype(np.int64)
    order = np.argsort(-(whole[:, 2:] - whole[:, :2]).prod(axis=1), kind="stable")
    return whole[order], scores[order]
