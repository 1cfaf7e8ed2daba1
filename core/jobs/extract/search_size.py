"""``--detect-size auto``: the size at which frames are searched, chosen by the faces of a few of them."""

import itertools
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptFileError, InputError
from core.faces.contract import Detector
from core.faces.filters import Extent
from core.jobs.extract.frame_source import FrameSource

SMALLEST, LARGEST = 640, 3840
# Measured (docs/accuracy.md): of faces that have so many pixels at the size of the search hardly one is missed.
_ENOUGH = 36
_LOOKS = 10  # frames that are looked at
_OF_A_FILM = 300  # they are among so many first frames of a film, which cannot be opened at any place
_STEP = 32


def search_size(source: FrameSource, detector: Callable[[int], Detector], smallest: str, *, film: bool) -> int:
    """The longer side, pixels, at which the frames are to be searched.

    detector: makes one that searches at a size. smallest: the least face that is kept (``Extent``), as it is chosen.
    film: frames come one after the other.
    """
    size = SMALLEST
    for image in _some(source, film):
        height, width = image.shape[:2]
        longer = max(height, width)
        # Smaller frames are never searched at more than their own size.
        if longer <= size:
            continue
        sides = [
            float(min(face.box[2] - face.box[0], face.box[3] - face.box[1]))
            for face in detector(_rounded(min(longer, LARGEST))).detect(image)
        ]
        wanted = [side for side in sides if side >= Extent.parse(smallest).pixels(height, width)]
        if wanted:
            size = max(size, min(_rounded(_ENOUGH / min(wanted) * longer), _rounded(longer), LARGEST))
    return size


def _rounded(size: float) -> int:
    return math.ceil(size / _STEP) * _STEP


def _some(source: FrameSource, film: bool) -> list[NDArray[np.uint8]]:
    """A few frames, evenly spread; those that cannot be read are left out."""
    count = min(len(source.names), _OF_A_FILM) if film else len(source.names)
    chosen = set(np.linspace(0, max(count - 1, 0), min(_LOOKS, count)).astype(int).tolist())
    images = []
    for number, (_, load) in enumerate(itertools.islice(source.frames(lambda count: None), count)):
        if number in chosen:
            try:
                images.append(load())
            except (CorruptFileError, InputError):  # the run itself says so
                continue
    return images
