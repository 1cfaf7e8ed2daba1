"""What can be measured on one face file, in groups that share work.

A group is a function (data, name) -> {column: value} and its columns, each with what stands for "no value": NaN, zeros
of the right shape and dtype, or "".
"""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from core.errors import CorruptFileError, InputError
from core.faceset.scores import pixels, shape

Measures = dict[str, Any]
# The groups. Changing what one computes means changing its number, so that stored scores of the old kind are not used.
SHAPE, PIXELS, SHARPNESS, IDENTITY = "shape-5", "pixels-2", "sharpness-1", "identity-1"
IDENTITY_SIZE = 128

GROUPS: dict[str, Callable[[bytes, str], Measures]] = {
    SHAPE: shape.shape,
    PIXELS: pixels.pixels,
    SHARPNESS: pixels.sharpness,
}
COLUMNS: dict[str, Measures] = {
    SHAPE: shape.COLUMNS,
    PIXELS: pixels.COLUMNS,
    SHARPNESS: pixels.SHARPNESS_COLUMNS,
    # Its values come from the face database or a network, not from a function here.
    IDENTITY: {"identity": np.full(IDENTITY_SIZE, np.nan, np.float32)},
}


def measure(group: str, data: bytes, name: str) -> Measures | None:
    """A group's measures of a face file; None for one that cannot be decoded."""
    try:
        return GROUPS[group](data, name)
    except (CorruptFileError, InputError, cv2.error):
        return None
