"""What a label file says about one image, whatever its format."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core import safe_files
from core.errors import CorruptFileError
from core.types import Polygon

INCLUDE, EXCLUDE = "face", "exclude"
# What other programs call what is cut out of a mask.
_INCLUDES = {"face", "include", "inclusion", "mask", "skin", "1"}
_EXCLUDES = {"exclude", "exclusion", "background", "hole", "occluder", "occlusion", "not_face", "0"}
MAX_POINTS = 100_000
_MAX_BYTES = 64_000_000
_FARTHEST = 1e5  # pixels: beyond it the rasteriser cannot add coordinates up
# Our key for the id of the face.
FACE = "forge_face"


@dataclass(frozen=True)
class LabelledImage:
    """The labels of one image.

    name: file name without folder.
    shape: (height, width) that the label file was made for, (0, 0) for unknown.
    polygons: in pixels of the image.
    face: id of the face that it shows, as our own export wrote it; empty where the file does not say.
    remarks: what was not understood and how it was taken, such as ``label hair: taken as face``.
    """

    name: str
    shape: tuple[int, int]
    polygons: tuple[Polygon, ...]
    face: str = ""
    remarks: tuple[str, ...] = ()


def label_remark(label: object) -> str:
    """What to say of a label that is neither ours nor a known word for what is cut out; empty for the usual ones."""
    name = str(label).strip()
    if name.lower() in _INCLUDES or not is_include(label):
        return ""
    return f"label {name[:40]}: taken as face"


def is_include(label: object) -> bool:
    """Whether a label adds to the mask: everything but ``exclude`` and its synonyms does."""
    return str(label).strip().lower().replace(" ", "_") not in _EXCLUDES


def label_of(polygon: Polygon) -> str:
    """The label that we write."""
    return INCLUDE if polygon.include else EXCLUDE


def polygon(points: object, include: bool, where: object) -> Polygon:
    """The polygon of ``points``, a list of (x, y).

    Raises:
        CorruptFileError: anything but a list of at least three finite points; ``where`` is named.
    """
    try:
        array = np.asarray(points, np.float32)
    except (TypeError, ValueError, OverflowError):
        raise CorruptFileError("not a polygon", where=str(where), why="its points are not numbers") from None
    if array.ndim != 2 or array.shape[1] != 2 or not 3 <= len(array) <= MAX_POINTS or not np.isfinite(array).all():
        raise CorruptFileError(
            "not a polygon",
            where=str(where),
            why=f"points of shape {array.shape}; three or more finite (x, y) are needed",
        )
    return Polygon(include, np.clip(array, -_FARTHEST, _FARTHEST))


def known_shape(height: object, width: object) -> tuple[int, int]:
    """(height, width) as a label file gives them, (0, 0) when they are no possible size."""
    if all(type(side) is int and 0 < side < 65536 for side in (height, width)):  # true counts as 1 elsewhere
        return height, width  # type: ignore[return-value]
    return 0, 0


def face_of(raw: dict[str, Any]) -> str:
    """The id of the face that an entry of a label file says, or empty."""
    value = raw.get(FACE)
    return value if isinstance(value, str) else ""


def base_name(path: str) -> str:
    """The file name in a path of either kind of slashes."""
    return PurePosixPath(path.replace("\\", "/")).name


def rounded(points: NDArray[np.float32]) -> list[list[float]]:
    """Points for a text file, to a thousandth of a pixel."""
    return [[round(float(x), 3), round(float(y), 3)] for x, y in points]


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        InputError: no such file.
        CorruptFileError: it is too large, no JSON, or holds something else than an object.
    """
    return safe_files.read_object(path, "not a label file", _MAX_BYTES)
