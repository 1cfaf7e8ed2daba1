"""The YuNet network: pictures in, candidate faces with five points out (libfacedetection; decoding as published for its ONNX form)."""

import numpy as np
from numpy.typing import NDArray

from core.geometry.boxes import non_maximum_suppression
from core.inference import packaged_weights

_STRIDES = (8, 16, 32)
MULTIPLE = 32  # height and width of the pictures


def look(pictures: NDArray[np.uint8], score: float) -> list[NDArray[np.float32]]:
    """For each of the pictures (n, H, W, 3), BGR, H and W multiples of 32: rows of left, top, right, bottom, score, and five (x, y):
    the subject's right eye, left eye, nose, right and left corner of the mouth. Overlapping rows are not merged."""
    tensor = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2), dtype=np.float32)
    outputs = packaged_weights.load(packaged_weights.YUNET)(tensor)
    grids = [_grid(tensor.shape[2] // stride, tensor.shape[3] // stride) for stride in _STRIDES]
    return [
        np.concatenate(
            [
                _decode([outputs[part * 3 + level][n] for part in range(4)], grids[level], stride, score)
                for level, stride in enumerate(_STRIDES)
            ]
        )
        for n in range(len(pictures))
    ]


def _grid(rows: int, columns: int) -> NDArray[np.float32]:
    y, x = np.mgrid[:rows, :columns]
    return np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)


def _decode(outputs: list[NDArray], grid: NDArray, stride: int, score: float) -> NDArray[np.float32]:
    classes, objects, boxes, points = outputs
    scores = np.sqrt(np.clip(classes[:, 0], 0, 1) * np.clip(objects[:, 0], 0, 1))
    sure = np.flatnonzero(scores >= score)
    cells = grid[sure]
    centre, half = (cells + boxes[sure, :2]) * stride, np.exp(boxes[sure, 2:]) * (stride / 2)
    five = (points[sure].reshape(-1, 5, 2) + cells[:, None]) * stride
    return np.concatenate([centre - half, centre + half, scores[sure, None], five.reshape(-1, 10)], axis=1)


def merged(rows: NDArray[np.float32], overlap: float = 0.3) -> NDArray[np.float32]:
    """The rows whose boxes overlap no better one by more than ``overlap`` (intersection over union), best first."""
    return rows[non_maximum_suppression(rows[:, :4], rows[:, 4], overlap)]


def roll_of(five: NDArray) -> float:
    """The clockwise turn (radians) of a face from its five points: of the eye line, and of the line from eyes to mouth."""
    eyes, down = five[1] - five[0], (five[3] + five[4] - five[0] - five[1]) / 2
    return float(np.arctan2(eyes[1] - down[0], eyes[0] + down[1]))
