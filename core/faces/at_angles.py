"""A detector that looks at the frame turned by one angle after the other, until it sees a face."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import UsageError
from core.faces.contract import Detector
from core.geometry.align import Matrix, invert, transform_points
from core.types import Face


def angles_of(text: str) -> tuple[float, ...]:
    """The angles that a person means, degrees: ``90,180``, or one number n for 0, n, 2n and so on; 0 comes first.

    Raises:
        UsageError: it is no list of degrees.
    """
    try:
        given = [float(part) % 360 for part in text.split(",")]
    except ValueError:
        given = []
    if not given or not all(map(math.isfinite, given)):
        raise UsageError("not a list of degrees", where=repr(text), hint="like 90, which is 0,90,180,270, or 0,45,315")
    if len(given) == 1 and 0 < given[0] < 1:
        raise UsageError("an angle below one degree", where=repr(text), hint="each angle costs one more search")
    if len(given) == 1 and given[0]:
        given = [given[0] * step for step in range(math.ceil(360 / given[0]))]
    return tuple(dict.fromkeys([0.0, *given]))


@dataclass
class AtAngles:
    """See ``core.faces.contract.Detector``. detector: looks at what it is given without turning it.

    angles: degrees, the clockwise turns of the heads that stand upright in each view; 0 first.
    """

    detector: Detector
    angles: Sequence[float]
    device: str

    def detect(self, image: NDArray[np.uint8]) -> list[Face]:
        for angle in self.angles:
            found = self._seen(image, math.radians(angle))
            if found:
                return found
        return []

    def _seen(self, image: NDArray[np.uint8], angle: float) -> list[Face]:
        if not angle:
            return self.detector.detect(image)
        matrix, size = _turn(image.shape[1], image.shape[0], angle)
        view = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR)
        back = invert(matrix)
        return [
            replace(face, five=None, box=_box_back(face.box, back), roll=math.remainder(face.roll + angle, 2 * math.pi))
            for face in self.detector.detect(view)
        ]


def _turn(width: int, height: int, angle: float) -> tuple[Matrix, tuple[int, int]]:
    """Image -> the view turned back by ``angle`` about the middle, and the size at which all of it is in the view."""
    cos, sin = math.cos(angle), math.sin(angle)
    # Less a rounding error, which would add a pixel to a quarter turn.
    wide = math.ceil(width * abs(cos) + height * abs(sin) - 1e-6)
    high = math.ceil(width * abs(sin) + height * abs(cos) - 1e-6)
    linear = np.array([[cos, sin], [-sin, cos]])
    middle, there = np.array([width - 1, height - 1]) / 2, np.array([wide - 1, high - 1]) / 2
    return np.column_stack([linear, there - linear @ middle]), (wide, high)


def _box_back(box: NDArray[np.float32], back: Matrix) -> NDArray[np.float32]:
    """The upright box around the turned one, at the area of the latter: a hull would grow by up to the double."""
    left, top, right, bottom = (float(value) for value in box)
    # Boxes have their numbers at the edges of pixels, points at their centres.
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)]) - 0.5
    turned = transform_points(corners, back) + 0.5
    low, high = turned.min(axis=0), turned.max(axis=0)
    middle, half = (low + high) / 2, (high - low) / 2
    half *= math.sqrt((right - left) * (bottom - top) / max(4 * float(half.prod()), 1e-9))
    return np.concatenate([middle - half, middle + half]).astype(np.float32)
