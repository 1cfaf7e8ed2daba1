"""Samples moved on the device: the warp, the affine part and the flip of ``core.data.augment``, on ``keras.ops`` only.

Workers then send the faces as they are, with a row of numbers each that says how it moves. Images are interpolated
cubically with their border repeated, masks linearly with zeros outside, as there; nothing is rounded to bytes.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from keras import ops

from core.data.augment import MATRIX_NUMBERS, NODES
from core.data.batches import TrainingBatch

Tensor = Any
# Of OpenCV's cubic interpolation.
_SHARPNESS = -0.75
# Weights of the pixels around a place, from left to right; the place lies between the two in the middle.
_Weights = Callable[[Tensor], list[Tensor]]


def moved_input(x: Mapping[str, Tensor]) -> Tensor:
    """``warped`` of a batch, (2B, R, R, 3), moved and warped: float32, 0..1."""
    places = _places(x)
    offsets = ops.reshape(x["motion"][:, MATRIX_NUMBERS:], (-1, NODES, NODES, 2))
    # A node lies on the corner of a pixel, a place counts from the centre of one.
    nodes = (places + 0.5) * ((NODES - 1) / x["warped"].shape[1])
    return _image(x["warped"], places + _interpolated(offsets, nodes, _linear))


def moved_targets(x: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """``target``, ``mask`` and ``eyes_mouth`` of a batch, moved: float32, 0..1."""
    places = _places(x)
    features = _mask(x["eyes_mouth"], places)
    # Interpolation lowers the peaks of so small features; the largest weight of each face is made 1 again.
    highest = ops.max(features, axis=(1, 2, 3), keepdims=True)
    return {
        "target": _image(x["target"], places),
        "mask": _mask(x["mask"], places),
        "eyes_mouth": features / ops.where(highest > 0, highest, 1.0),
    }


def moved_rows(batch: TrainingBatch, count: int) -> TrainingBatch:
    """The first ``count`` samples of each side, moved: float32, 0..1. To be looked at: one operation at a time."""
    some = {name: array[:, :count] for name, array in batch.arrays().items()}
    x = {name: ops.convert_to_tensor(array.reshape(-1, *array.shape[2:])) for name, array in some.items()}
    made = {"warped": moved_input(x), **moved_targets(x)}
    arrays = {name: ops.convert_to_numpy(value) for name, value in made.items()}
    return TrainingBatch(
        batch.iteration, **{name: array.reshape(2, -1, *array.shape[1:]) for name, array in arrays.items()}
    )


def _places(x: Mapping[str, Tensor]) -> Tensor:
    """Where each pixel comes from without the warp: (2B, R, R, 2), x and y in pixels."""
    line = np.arange(x["target"].shape[1], dtype=np.float32)
    matrix = ops.reshape(x["motion"][:, :MATRIX_NUMBERS], (-1, 1, 1, 2, 3))
    # Sums and not a product of matrices: accelerators may round those to 10 bits.
    return matrix[..., 0] * line[:, None] + matrix[..., 1] * line[:, None, None] + matrix[..., 2]


def _image(image: Tensor, places: Tensor) -> Tensor:
    return ops.clip(_interpolated(image, places, _cubic) / 255, 0, 1)


def _mask(mask: Tensor, places: Tensor) -> Tensor:
    zeros_around = ops.pad(mask, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return _interpolated(zeros_around, places + 1, _linear) / 255


def _interpolated(values: Tensor, places: Tensor, weights_of: _Weights) -> Tensor:
    """(N, S, S, C) of any type at ``places`` (N, R, R, 2): float32 (N, R, R, C). The border is repeated outside."""
    size, depth = values.shape[1], values.shape[3]
    corner = ops.floor(places)
    across, down = (weights_of((places - corner)[..., axis, None]) for axis in (0, 1))
    columns, rows = (_taps(corner[..., axis], len(across), size) for axis in (0, 1))
    first = ops.reshape(ops.arange(ops.shape(values)[0], dtype="int32"), (-1, 1, 1)) * size**2
    flat = ops.reshape(ops.cast(values, "float32"), (-1, depth))
    total = 0.0
    for row, weight in zip(rows, down, strict=True):
        pixels = [ops.take(flat, first + row * size + column, axis=0) for column in columns]
        total = total + weight * sum(share * pixel for share, pixel in zip(across, pixels, strict=True))
    return total


def _taps(corner: Tensor, count: int, size: int) -> list[Tensor]:
    """The rows or columns around a place, none outside of the image."""
    corner = ops.cast(corner, "int32")
    return [ops.clip(corner + tap, 0, size - 1) for tap in range(1 - count // 2, 1 + count // 2)]


def _linear(part: Tensor) -> list[Tensor]:
    return [1 - part, part]


def _cubic(part: Tensor) -> list[Tensor]:
    return [_far(1 + part), _near(part), _near(1 - part), _far(2 - part)]


def _near(x: Tensor) -> Tensor:
    """Weight of a pixel that is at most 1 away."""
    a = _SHARPNESS
    return ((a + 2) * x - (a + 3)) * x * x + 1


def _far(x: Tensor) -> Tensor:
    """Weight of a pixel that is 1 to 2 away."""
    a = _SHARPNESS
    return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
