"""What maskers share: the square of an aligned face, and how a mask gets back into it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.geometry.align import Matrix, compose, invert
from core.imaging.warp import warp_face
from core.types import FaceRecord


def require_square(image: NDArray[np.uint8], record: FaceRecord) -> int:
    """The side of an aligned face in pixels.

    Raises:
        InputError: it is no square.
    """
    height, width = image.shape[:2]
    if height != width:
        raise InputError("an aligned face that is not square", where=record.name, why=f"{width} x {height} px")
    return width


def resize(image: NDArray, side: int, interpolation: int) -> NDArray:
    """The image at ``side`` x ``side`` pixels; the very same where it has that size. interpolation: OpenCV's number."""
    if image.shape[:2] == (side, side):
        return image
    return cv2.resize(image, (side, side), interpolation=interpolation)


def place_smoothly(
    mask: NDArray[np.float32], matrix: Matrix | None, shape: tuple[int, ...], side: int
) -> NDArray[np.float32]:
    """A mask (h, w), 0..1, over the square of the image: float32 (side, side), 0..1, 0 where the mask does not reach.

    matrix: float64 (2, 3), pixels of the image -> pixels of the mask; None where both cover the same square.
    shape: of the image, height first.
    """
    height, width = shape[:2]
    if matrix is None:
        matrix = _between(width, height, mask.shape[1], mask.shape[0])
    to_square = compose(invert(matrix), _between(width, height, side, side))
    return np.clip(warp_face(mask, to_square, side), 0, 1)


def _between(width: int, height: int, other_width: int, other_height: int) -> Matrix:
    """Pixels of one raster -> pixels of another over the same area."""
    fx, fy = other_width / width, other_height / height
    # Coordinates are those of pixel centers: the edge of the area is half a pixel before the first.
    return np.array([[fx, 0, fx / 2 - 0.5], [0, fy, fy / 2 - 0.5]])
