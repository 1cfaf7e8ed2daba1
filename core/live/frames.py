"""What travels through the player."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.imaging.codec import decode_image

Image = NDArray[np.uint8]
MOST_PIXELS = 3840 * 2160  # of a picture that comes in


@dataclass(frozen=True, eq=False)
class Captured:
    """A picture that has just come.

    picture: BGR, uint8 (H, W, 3); or a file of an image, which is decoded if the picture is used at all.
    number: its source counts from 1; what comes out carries the same.
    moment: of ``time.perf_counter``, when it came.
    """

    picture: Image | bytes
    number: int
    moment: float = field(default_factory=time.perf_counter)

    def image(self) -> Image:
        """The picture. Raises CorruptFileError when the bytes are none, or of more than ``MOST_PIXELS``."""
        if isinstance(self.picture, bytes):
            return decode_image(self.picture, "a picture from the page", MOST_PIXELS)
        return self.picture


@dataclass(frozen=True, eq=False)
class Shown:
    """A picture that is ready to be seen, with its badge.

    number, moment: as it was captured. image: BGR. faces: how many were swapped. stages: name -> milliseconds.
    """

    number: int
    moment: float
    image: Image
    faces: int
    stages: Mapping[str, float]
