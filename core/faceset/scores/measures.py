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
IDENTITY = "identity-1"
IDENTITY_SIZE = 128

# Changing what a group computes means changing its name, so that stored scores of the old kind are not used.
GROUPS: dict[str, Callable[[bytes, str], Measures]] = {
    "shape-2": shape.shape,
    "pixels-1": pixels.pixels,
    "sharpness-1": pixels.sharpness,
}
COLUMNS: dict[str, Measures] = {
    "shape-2": shape.COLUMNS,
    "pixels-1": pixels.COLUMNS,
    "sharpness-1": pixels.SHARPNESS_COLUMNS,
    # Its values come from the face database or a network, not from a function here.
    IDENTITY: {"identity": np.full(IDENTITY_SIZE, np.nan, np.float32)},
}


def measure(group: str, data: bytes, name: str) -> Measures | None:
    """A group's measures of a face file; None for one that cannot be decoded."""
    try:
        return GROUPS[group](data, name)
    except (CorruptFileError, InputError, cv2.error):
        return None
