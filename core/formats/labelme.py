"""Polygons as labelme reads and writes them: one JSON file an image.

Shapes labelled ``exclude`` cut out of the mask, all others add to it.
"""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptFileError
from core.formats.labels import (
    FACE,
    LabelledImage,
    base_name,
    face_of,
    is_include,
    known_shape,
    label_of,
    label_remark,
    polygon,
    read_json,
    rounded,
)
from core.imaging.codec import decode_any
from core.imaging.polygons import mask_to_polygons
from core.types import Polygon

_VERSION = "5.5.0"  # of labelme
_CIRCLE_POINTS = 64


def write(image: LabelledImage) -> str:
    """The JSON text of an image that lies beside its file."""
    fixed: dict[str, Any] = {"group_id": None, "description": "", "shape_type": "polygon", "flags": {}, "mask": None}
    content: dict[str, Any] = {
        "version": _VERSION,
        "flags": {},
        "shapes": [{"label": label_of(p), "points": rounded(p.points)} | fixed for p in image.polygons],
        "imagePath": image.name,
        "imageData": None,
        "imageHeight": image.shape[0],
        "imageWidth": image.shape[1],
    }
    if image.face:
        content[FACE] = image.face  # labelme keeps keys that it does not know
    return json.dumps(content, indent=2) + "\n"


def read(path: Path) -> LabelledImage:
    """Polygons, rectangles, circles and masks of a file; other shapes are left out, with a remark.

    Raises:
        InputError: no such file.
        CorruptFileError: it is no labelme file, or a shape in it is none.
    """
    raw = read_json(path)
    shapes = raw.get("shapes")
    if not isinstance(shapes, list):
        raise CorruptFileError("not a labelme file", where=path, why="it has no shapes")
    name = base_name(str(raw.get("imagePath") or "")) or path.with_suffix(".jpg").name
    size = known_shape(raw.get("imageHeight"), raw.get("imageWidth"))
    polygons: list[Polygon] = []
    remarks: list[str] = []
    for shape in shapes:
        found = _polygons(shape, size, path) if isinstance(shape, dict) else None
        if found is None:
            remarks.append(f"shape type {_kind(shape)[:40]}: left out")
            continue
        polygons += found
        remarks.append(label_remark(shape.get("label", "")))
    return LabelledImage(name, size, tuple(polygons), face_of(raw), tuple(filter(None, remarks)))


def _kind(shape: Any) -> str:
    return str(shape.get("shape_type", "polygon")) if isinstance(shape, dict) else "unknown"


def _polygons(shape: dict[str, Any], size: tuple[int, int], path: Path) -> list[Polygon] | None:
    """The outlines of a shape; None for a type that has no area. size: (height, width) of the image."""
    kind, points = _kind(shape), shape.get("points")
    include = is_include(shape.get("label", ""))
    if kind == "polygon":
        return [polygon(points, include, path)]
    if kind not in ("rectangle", "circle", "mask"):
        return None
    pair = points if isinstance(points, list) and len(points) == 2 else None
    corners = polygon([*pair, pair[-1]] if pair else None, include, path).points  # a polygon has three points
    if kind == "mask":
        canvas = _mask(shape.get("mask"), corners, size, path)
        return [Polygon(found.include == include, found.points) for found in mask_to_polygons(canvas)]
    return [Polygon(include, _rectangle(corners) if kind == "rectangle" else _circle(corners))]


def _mask(encoded: Any, corners: np.ndarray, size: tuple[int, int], path: Path) -> NDArray[np.float32]:
    """The mask (height, width), 0 or 1, of which a PNG shows the part between two opposite corners."""
    try:
        data = base64.b64decode(encoded, validate=True)
    except (TypeError, ValueError):
        raise CorruptFileError("a damaged mask", where=path, why="it is not base64 text") from None
    part = decode_any(data, path)
    part = part if part.ndim == 2 else part.max(axis=2)
    if size == (0, 0):
        raise CorruptFileError(
            "a mask without its image", where=path, why="the file does not say how large the image is"
        )
    canvas = np.zeros(size, np.float32)
    left, top = np.rint(corners.min(axis=0)).astype(int)
    right, bottom = min(left + part.shape[1], size[1]), min(top + part.shape[0], size[0])
    if left < 0 or top < 0 or right <= left or bottom <= top:
        raise CorruptFileError("a damaged mask", where=path, why="it lies outside the image")
    canvas[top:bottom, left:right] = part[: bottom - top, : right - left] > 0
    return canvas


def _rectangle(corners: np.ndarray) -> np.ndarray:
    """Four corners from two opposite ones."""
    (left, top), (right, bottom) = corners[0], corners[1]
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)


def _circle(points: np.ndarray) -> np.ndarray:
    """The outline from the middle and a point on it."""
    angle = np.linspace(0, 2 * np.pi, _CIRCLE_POINTS, endpoint=False)
    radius = np.linalg.norm(points[1] - points[0])
    return (points[0] + radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)).astype(np.float32)
