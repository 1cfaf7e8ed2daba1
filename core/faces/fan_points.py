"""FAN, the landmark network of the DeepFaceLab format: crops of an image, 68 points in heat maps, and the two passes.

A crop of a box has its centre and a side of 200/195 of the box's width and height together. Places in a crop are parts
of its side, so they do not depend on the resolution.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.faces import s3fd_decode
from core.faces.turns import boxes_there, points_back, quarters_of, turned
from core.geometry.align import FaceType, face_matrix, invert, transform_points
from core.imaging.normalise import Normalisation, normalised
from core.imaging.warp import warp_face
from core.inference import user_weights
from core.types import Face

Points = NDArray[np.float64]
SIDE = 256  # of a crop, pixels
# Heat maps have cells of four pixels; the mean over crops that are a pixel apart falls between the cells.
# Shifts of the crop's centre for the looks of the second pass, pixels of the image.
_AROUND = np.array([(0, 0), (-1, -1), (1, -1), (1, 1), (-1, 1)], np.float64)


@dataclass(frozen=True)
class FAN:
    """See ``core.faces.contract.Landmarker``. Its confidence is always 1: the maps do not tell faces from other things.

    network: crops, float32 (n, 256, 256, 3) RGB 0..1 -> heat maps, float32 (n, 64, 64, 68).
    detect: an RGB image -> the boxes (n, 4) that S3FD finds in it.
    """

    network: Callable[[NDArray[np.float32]], NDArray[np.float32]]
    detect: Callable[[NDArray[np.uint8]], NDArray]
    device: str
    normalisation: Normalisation = "none"

    def landmarks(self, image: NDArray[np.uint8], face: Face) -> tuple[NDArray[np.float32], float]:
        """The points found in the image turned by quarters until the face is nearly upright."""
        quarters, shape = quarters_of(face.roll), image.shape[:2]
        rgb = turned(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), quarters)
        box = boxes_there(face.box, quarters, *shape)[0]
        points = self.refine(rgb, self.look(rgb, box, _AROUND[:1]))
        return points_back(points, quarters, *shape).astype(np.float32), 1.0

    def refine(self, rgb: NDArray[np.uint8], points: Points) -> Points:
        """The mean of five looks at the face that S3FD finds in the aligned face of ``points``, (68, 2).

        Where it finds none there, or several, ``points`` themselves.
        """
        try:
            matrix = face_matrix(points, SIDE, FaceType.FULL)
            back = invert(matrix)
        except InputError:  # points all in one place: no face, which the filters after this will say
            return points
        # Bilinear, as the original's second look is, whatever the crops of the run are.
        aligned = warp_face(rgb, matrix, SIDE, exact=True)
        boxes = self.detect(aligned)
        if len(boxes) != 1:
            return points
        return transform_points(self.look(aligned, boxes[0], _AROUND), back)

    def look(self, rgb: NDArray[np.uint8], box: NDArray, shifts: NDArray) -> Points:
        """The points (68, 2), pixels of the image: the mean of one look for each shift (x, y) of the crop's centre."""
        centre, side = place(box)
        centres = [centre + shift for shift in shifts]
        crops = np.stack([normalised(crop(rgb, each, side), self.normalisation) for each in centres])
        parts = peaks(self.network(crops.astype(np.float32) / np.float32(255)))
        return np.mean([to_image(part, each, side) for part, each in zip(parts, centres, strict=True)], axis=0)


def create(weights: user_weights.UserWeights, assets: Path | None = None, normalisation: Normalisation = "none") -> FAN:
    """FAN with these weights, and S3FD for the second pass.

    Raises:
        InputError: one of the files is missing, or holds other weights.
        CorruptFileError: one of them is damaged.
    """
    network = user_weights.load(weights, assets)
    detector = user_weights.load(user_weights.S3FD, assets)
    return FAN(
        network=lambda crops: network(crops)[0],
        detect=lambda rgb: s3fd_decode.find(detector, rgb)[0],
        device=network.device,
        normalisation=normalisation,
    )


def place(box: NDArray) -> tuple[Points, float]:
    """(centre (x, y), side) of the crop of a box, in its pixels; at least two pixels wide."""
    left, top, right, bottom = (float(value) for value in box)
    side = (right - left + bottom - top) / 195 * 200
    return np.array([(left + right) / 2, (top + bottom) / 2]), max(side, 2.0)


def to_image(parts: Points, centre: Points, side: float) -> Points:
    """Places in a crop, as parts of its side, in pixels of the image."""
    return (parts - 0.5) * side + centre


def crop(rgb: NDArray[np.uint8], centre: Points, side: float) -> NDArray[np.uint8]:
    """The crop, uint8 (256, 256, 3), black outside the image.

    Its borders are whole pixels, counted from 1 as the format does.
    """
    # Nine decimals: a border on a whole pixel must not slip to the one before by a rounding error.
    corners = np.array([to_image(np.full(2, at / SIDE), centre, side) for at in (1, SIDE)])
    low, high = np.trunc(corners.round(9)).astype(int)
    # Of a tiny box both borders may fall on one pixel, and an empty crop cannot be resized.
    high = np.maximum(high, low + 1)
    canvas = np.zeros((high[1] - low[1], high[0] - low[0], rgb.shape[2]), np.uint8)
    size = np.array(rgb.shape[1::-1])
    start, stop = np.maximum(low, 0), np.minimum(high, size)
    if (start < stop).all():
        (x, y), (right, bottom) = start - low, stop - low
        canvas[y:bottom, x:right] = rgb[start[1] : stop[1], start[0] : stop[0]]
    return cv2.resize(canvas, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)


def peaks(maps: NDArray[np.float32]) -> Points:
    """The places of the highest cells of heat maps (n, h, w, points), as parts of the side: (n, points, 2).

    Each is moved a quarter of a cell toward its higher neighbour, across and down, but on the border of the map.
    """
    count, height, width, points = maps.shape
    flat = maps.reshape(count, height * width, points)
    best = flat.argmax(axis=1)
    y, x = np.divmod(best, width)
    inside = (x > 0) & (x < width - 1) & (y > 0) & (y < height - 1)

    def value(step: int) -> NDArray:
        """The maps so many cells further than their highest ones; these themselves on the border."""
        cells = best + np.where(inside, step, 0)
        return np.take_along_axis(flat, cells[:, None], axis=1)[:, 0]

    # The true peak lies toward the higher neighbour; how far, the map does not tell well, so a fixed step.
    across = 0.25 * np.sign(value(1) - value(-1))
    down = 0.25 * np.sign(value(width) - value(-width))
    return np.stack([(x + across + 0.5) / width, (y + down + 0.5) / height], axis=-1).astype(np.float64)
