"""A face record after its image went through an affine map: all that it says stays true to the pixels."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from core.faceset.identity import identified
from core.geometry.align import compose, transform_points
from core.imaging.masks import decode_mask, encode_mask, mask_maker
from core.imaging.warp import warp_face
from core.types import FaceRecord, Polygon


def scaling(old: tuple[int, int], new: tuple[int, int]) -> NDArray[np.float64]:
    """The map (2, 3) of points of an image of (height, width) ``old`` to points of it resized to ``new``.

    Corners of pixels, not their centers, stay in place, as resizing does it.
    """
    sy, sx = new[0] / old[0], new[1] / old[1]
    return np.array([[sx, 0, (sx - 1) / 2], [0, sy, (sy - 1) / 2]])


def moved_record(record: FaceRecord, matrix: NDArray[np.float64], shape: tuple[int, int]) -> FaceRecord:
    """The record with all points sent through ``matrix``; the mask is left as it is.

    matrix: float64 (2, 3), old pixels to new pixels; shape: new (height, width).
    The record says whose face it is: from the new points nobody could tell.
    """
    to_face = record.image_to_face_mat
    return replace(
        identified(record),
        shape=shape,
        landmarks=transform_points(record.landmarks, matrix),
        polygons=tuple(_moved_polygon(polygon, matrix) for polygon in record.polygons),
        image_to_face_mat=None if to_face is None else compose(to_face, matrix),
    )


def _moved_polygon(polygon: Polygon, matrix: NDArray[np.float64]) -> Polygon:
    return Polygon(polygon.include, transform_points(polygon.points, matrix).astype(np.float32))


def resized_record(record: FaceRecord, shape: tuple[int, int]) -> FaceRecord:
    """The record for the same image at another (height, width).

    A mask covers the square whatever its own size, so it stays.
    """
    return moved_record(record, scaling(record.shape, shape), shape)


def resized_image(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """``image`` at ``size`` x ``size``: area averages when shrinking, Lanczos when enlarging."""
    shrinks = size < min(image.shape[:2])
    # Lanczos looks at a fixed number of pixels: shrinking by it would leave most of them out and alias.
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LANCZOS4)


def moved_mask(data: bytes, matrix: NDArray[np.float64], old: tuple[int, int], size: int) -> bytes:
    """A stored mask after the image of (height, width) ``old`` was cropped by ``matrix`` to ``size`` x ``size``.

    Two-level masks stay two-level.

    Raises:
        CorruptFileError: the mask cannot be decoded.
    """
    mask = decode_mask(data)
    side = max(mask.shape[:2])
    # A mask has a resolution of its own: to the image's pixels, through the crop, and back.
    to_old, to_side = scaling(mask.shape[:2], old), scaling((size, size), (side, side))
    warped = warp_face(mask, compose(compose(to_old, matrix), to_side), side)
    if np.isin(mask, (0, 1)).all():
        warped = (warped >= 0.5).astype(np.float32)
    return encode_mask(warped, mask_maker(data))
