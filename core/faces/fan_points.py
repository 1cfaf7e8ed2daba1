"""FAN, the landmark network of the DeepFaceLab format: crops of a picture, 68 points in heat maps, and the two passes.

A crop of a box has its centre and a side of 200/195 of the box's width and height together. Places in a crop are parts of its
side, so they do not depend on the resolution.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.faces import s3fd_decode
from core.faces.turns import boxes_there, points_back, quarters_of, turned
from core.geometry.align import FaceType, face_matrix, invert, transform_points
from core.imaging.warp import warp_face
from core.inference import user_weights
from core.types import Face

Points = NDArray[np.float64]
SIDE, MAP = 256, 64
_AROUND = np.array([(0, 0), (-1, -1), (1, -1), (1, 1), (-1, 1)], np.float64)


@dataclass(frozen=True)
class FAN:
    """See ``core.faces.contract.Landmarker``. network: crops (n, 256, 256, 3), RGB 0..1 -> heat maps (n, 64, 64, 68); detect: S3FD's
    boxes in an RGB picture. It is always sure: the heights of the maps do not tell faces from other things."""

    network: Callable[[NDArray[np.float32]], NDArray[np.float32]]
    detect: Callable[[NDArray[np.uint8]], NDArray]
    device: str

    def landmarks(self, image: NDArray[np.uint8], face: Face) -> tuple[NDArray[np.float32], float]:
        """The points found in the picture turned by quarters until the face is nearly upright."""
        quarters, shape = quarters_of(face.roll), image.shape[:2]
        rgb = turned(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), quarters)
        first = self.look(rgb, boxes_there(face.box, quarters, *shape)[0], _AROUND[:1])
        return points_back(self.again(rgb, first), quarters, *shape).astype(np.float32), 1.0

    def again(self, rgb: NDArray[np.uint8], first: Points) -> Points:
        """The mean of five looks at the face that S3FD finds in the aligned cut; the first points where it finds none, or several."""
        try:
            matrix = face_matrix(first, SIDE, FaceType.FULL)
            back = invert(matrix)
        except InputError:  # points all in one place: no face, which the filters after this will say
            return first
        cut = warp_face(rgb, matrix, SIDE, exact=True)
        boxes = self.detect(cut)
        return transform_points(self.look(cut, boxes[0], _AROUND), back) if len(boxes) == 1 else first

    def look(self, rgb: NDArray[np.uint8], box: NDArray, shifts: NDArray) -> Points:
        """The mean of the points (68, 2), pixels of the picture, of one look for each shift of the crop's centre; one batch."""
        centre, side = place(box)
        crops = np.stack([crop(rgb, centre + shift, side) for shift in shifts])
        parts = peaks(self.network(crops.astype(np.float32) / np.float32(255)))
        return np.mean(
            [to_picture(part, centre + shift, side) for part, shift in zip(parts, shifts, strict=True)], axis=0
        )


def create(weights: user_weights.UserWeights) -> FAN:
    """With ``FAN_2D`` or ``FAN_3D``, and ``S3FD`` for the second pass. Raises as ``core.inference.user_weights.load`` does."""
    network, detector = user_weights.load(weights), user_weights.load(user_weights.S3FD)
    return FAN(lambda crops: network(crops)[0], lambda rgb: s3fd_decode.find(detector, rgb)[0], network.device)


def place(box: NDArray) -> tuple[Points, float]:
    """(centre, side of the crop) of a box, in its pixels; at least two pixels wide."""
    left, top, right, bottom = (float(value) for value in box)
    return np.array([(left + right) / 2, (top + bottom) / 2]), max((right - left + bottom - top) / 195 * 200, 2.0)


def to_picture(parts: Points, centre: Points, side: float) -> Points:
    """Places in a crop, as parts of its side, in pixels of the picture."""
    return (parts - 0.5) * side + centre


def crop(rgb: NDArray[np.uint8], centre: Points, side: float) -> NDArray[np.uint8]:
    """The crop at 256 x 256, black outside the picture; its borders are whole pixels, counted from 1 as the format does."""
    # Nine decimals: a border on a whole pixel must not slip to the one before by a rounding error.
    corners = np.array([to_picture(np.full(2, at / SIDE), centre, side) for at in (1, SIDE)])
    low, high = np.trunc(corners.round(9)).astype(int)
    high = np.maximum(high, low + 1)
    canvas = np.zeros((high[1] - low[1], high[0] - low[0], rgb.shape[2]), np.uint8)
    size = np.array(rgb.shape[1::-1])
    start, stop = np.maximum(low, 0), np.minimum(high, size)
    if (start < stop).all():
        (x, y), (right, bottom) = start - low, stop - low
        canvas[y:bottom, x:right] = rgb[start[1] : stop[1], start[0] : stop[0]]
    return cv2.resize(canvas, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)


def peaks(maps: NDArray[np.float32]) -> Points:
    """The highest cells of heat maps (n, h, w, points), a quarter of a cell toward the higher neighbour: (n, points, 2), parts of the side."""
    count, height, width, points = maps.shape
    flat = maps.reshape(count, height * width, points)
    best = flat.argmax(axis=1)
    y, x = np.divmod(best, width)
    inside = (x > 0) & (x < width - 1) & (y > 0) & (y < height - 1)

    def toward(step: int) -> NDArray:
        after, before = (
            np.take_along_axis(flat, (best + np.where(inside, sign * step, 0))[:, None], axis=1)[:, 0]
            for sign in (1, -1)
        )
        return 0.25 * np.sign(after - before)

    return np.stack([(x + toward(1) + 0.5) / width, (y + toward(width) + 0.5) / height], axis=-1).astype(np.float64)
