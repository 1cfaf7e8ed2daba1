"""The YuNet network (libfacedetection): images in, candidate faces with five points out.

The decoding is the one published for its ONNX form. A candidate is a row of 15 numbers in pixels of the image: left,
top, right, bottom, confidence, and (x, y) of the subject's right eye, left eye, nose, right and left corner of the
mouth.
"""

import numpy as np
from numpy.typing import NDArray

from core.geometry.boxes import non_maximum_suppression
from core.inference import packaged_weights

FloatArray = NDArray[np.float32]
_STRIDES = (8, 16, 32)
MULTIPLE = 32  # of it are height and width of the images


def candidates(images: NDArray[np.uint8], confidence: float) -> list[FloatArray]:
    """The candidates of at least this confidence in each of the images, overlapping ones too.

    images: (n, H, W, 3) BGR; H and W are multiples of 32. Returns n arrays (m, 15).
    """
    tensor = np.ascontiguousarray(images.transpose(0, 3, 1, 2), dtype=np.float32)
    outputs = packaged_weights.load(packaged_weights.YUNET)(tensor)
    grids = [_grid(tensor.shape[2] // stride, tensor.shape[3] // stride) for stride in _STRIDES]
    found = []
    for n in range(len(images)):
        rows = []
        for level, stride in enumerate(_STRIDES):
            # The outputs are classes, objects, boxes and points, each at the three strides.
            parts = [outputs[part * len(_STRIDES) + level][n] for part in range(4)]
            rows.append(_decode(parts, grids[level], stride, confidence))
        found.append(np.concatenate(rows))
    return found


def _grid(rows: int, columns: int) -> FloatArray:
    """(column, row) of each cell, (rows * columns, 2)."""
    y, x = np.mgrid[:rows, :columns]
    return np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)


def _decode(outputs: list[NDArray], grid: FloatArray, stride: int, confidence: float) -> FloatArray:
    """The candidates of one stride: boxes and points relative to their cells, in units of the stride."""
    classes, objects, boxes, points = outputs
    # The geometric mean of both scores, as published.
    confidences = np.sqrt(np.clip(classes[:, 0], 0, 1) * np.clip(objects[:, 0], 0, 1))
    chosen = np.flatnonzero(confidences >= confidence)
    cells = grid[chosen]
    centre = (cells + boxes[chosen, :2]) * stride
    half = np.exp(boxes[chosen, 2:]) * (stride / 2)
    five = (points[chosen].reshape(-1, 5, 2) + cells[:, None]) * stride
    return np.concatenate([centre - half, centre + half, confidences[chosen, None], five.reshape(-1, 10)], axis=1)


def merged(rows: FloatArray, overlap: float = 0.3) -> FloatArray:
    """The candidates (n, 15) that overlap no better one by more than ``overlap``, best first.

    overlap: intersection over union, 0..1.
    """
    return rows[non_maximum_suppression(rows[:, :4], rows[:, 4], overlap)]


def roll_of(five: NDArray) -> float:
    """The clockwise turn in radians of a face with these five points (5, 2): of the eyes, and of eyes to mouth."""
    eyes = five[1] - five[0]
    down = (five[3] + five[4] - five[0] - five[1]) / 2
    return float(np.arctan2(eyes[1] - down[0], eyes[0] + down[1]))
