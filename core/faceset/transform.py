"""A face record after its picture went through an affine map: points, polygons, mask and matrix stay true to the pixels."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from core.geometry.align import compose, transform_points
from core.imaging.masks import decode_mask, encode_xseg_mask
from core.imaging.warp import warp_face
from core.types import FaceRecord, Polygon


def scaling(old: tuple[int, int], new: tuple[int, int]) -> NDArray[np.float64]:
    """Points of a picture of (height, width) ``old`` -> points of it resized to ``new``; half-pixel aligned, as resizing is."""
    sy, sx = new[0] / old[0], new[1] / old[1]
    return np.array([[sx, 0, (sx - 1) / 2], [0, sy, (sy - 1) / 2]])


def moved_record(record: FaceRecord, matrix: NDArray[np.float64], shape: tuple[int, int]) -> FaceRecord:
    """The record with all points sent through ``matrix`` (old pixels -> new pixels) and the new (height, width); the mask is left as it is."""
    return replace(
        record,
        shape=shape,
        landmarks=transform_points(record.landmarks, matrix),
        polygons=tuple(
            Polygon(p.include, transform_points(p.points, matrix).astype(np.float32)) for p in record.polygons
        ),
        image_to_face_mat=None if record.image_to_face_mat is None else compose(record.image_to_face_mat, matrix),
    )


def resized_record(record: FaceRecord, shape: tuple[int, int]) -> FaceRecord:
    """The record for the same picture at another size. A mask covers the square whatever its own size, so it stays."""
    return moved_record(record, scaling(record.shape, shape), shape)


def resized_picture(image: NDArray, size: int) -> NDArray:
    """``image`` at ``size`` x ``size``: area averages when shrinking, Lanczos when enlarging."""
    shrinks = size < min(image.shape[:2])
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LANCZOS4)


def moved_mask(data: bytes, matrix: NDArray[np.float64], old: tuple[int, int], size: int) -> bytes:
    """A stored mask after the picture of (height, width) ``old`` was cut by ``matrix`` to ``size``; two-level masks stay two-level."""
    mask = decode_mask(data)
    side = max(mask.shape[:2])
    to_old, to_side = scaling(mask.shape[:2], old), scaling((size, size), (side, side))
    warped = warp_face(mask, compose(compose(to_old, matrix), to_side), side)
    if np.isin(mask, (0, 1)).all():
        warped = (warped >= 0.5).astype(np.float32)
    return encode_xseg_mask(warped)
