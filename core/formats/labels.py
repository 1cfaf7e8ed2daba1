"""What a label file says about one picture, whatever its format."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptFileError
from core.types import Polygon

INCLUDE, EXCLUDE = "face", "exclude"
_EXCLUDES = {"exclude", "exclusion", "background", "hole", "occluder", "occlusion", "not_face", "0"}
MAX_POINTS = 100_000


@dataclass(frozen=True)
class LabelledImage:
    """The labels of one image.

    name: file name without folder.
    shape: (height, width) that the label file was made for, (0, 0) for unknown.
    polygons: in pixels of the image.
    face: id of the face that it shows, as our own export wrote it; empty where the file does not say.
    """

    name: str
    shape: tuple[int, int]
    polygons: tuple[Polygon, ...]
    face: str = ""


def is_include(label: object) -> bool:
    """Whether a label adds to the mask: everything but ``exclude`` and its synonyms does."""
    return str(label).strip().lower().replace(" ", "_") not in _EXCLUDES


def label_of(polygon: Polygon) -> str:
    return INCLUDE if polygon.include else EXCLUDE


def polygon(points: object, include: bool, where: object) -> Polygon:
    """Raises CorruptFileError for anything but a list of at least three finite points."""
    try:
        array = np.asarray(points, np.float32)
    except (TypeError, ValueError):
        raise CorruptFileError("a polygon that is none", where=str(where), why="its points are no numbers") from None
    if array.ndim != 2 or array.shape[1] != 2 or not 3 <= len(array) <= MAX_POINTS or not np.isfinite(array).all():
        raise CorruptFileError(
            "a polygon that is none",
            where=str(where),
            why=f"points of shape {array.shape}; three or more finite (x, y) are needed",
        )
    return Polygon(include, np.clip(array, -1e5, 1e5))


def rounded(points: NDArray[np.float32]) -> list[list[float]]:
    """Points for a text file, to a thousandth of a pixel."""
    return [[round(float(x), 3), round(float(y), 3)] for x, y in points]
