"""The colors of a whole side given to another, the same for all of its faces.

A transfer from face to face follows every change of light, and noise; this one keeps what differs among the faces.
"""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from core.data.faces import FaceLoader, as_floats
from core.data.reading import first_readable
from core.imaging import color_statistics
from core.imaging.color_statistics import Statistics

_MODE = "mkl"
# More faces of a side would hardly change a mean.
_FACES = 64


def color_match(src: FaceLoader, dst: FaceLoader) -> NDArray[np.float32]:
    """The matrix (3, 4) that takes (B, G, R, 1) of src faces to the mean and covariance that dst faces have.

    Raises:
        InputError: none of the faces of a side can be read.
    """
    return color_statistics.linear_map(_MODE, _colors(src), _colors(dst))


def _colors(faces: FaceLoader) -> Statistics:
    """Of what the masks cover, over faces from the whole set."""
    chosen = np.unique(np.linspace(0, len(faces) - 1, _FACES).astype(int))
    return np.mean([first_readable(partial(_colors_of, faces), len(faces), int(index), []) for index in chosen], axis=0)


def _colors_of(faces: FaceLoader, index: int) -> Statistics:
    face = faces.face(index)
    pixels, inside = as_floats(face.image).reshape(-1, 3), as_floats(face.mask).ravel() > 0.5
    # A face whose mask is empty counts as a whole.
    return color_statistics.statistics(_MODE, np.clip(pixels[inside] if inside.sum() > 1 else pixels, 0, 1))
