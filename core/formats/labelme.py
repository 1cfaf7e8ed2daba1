"""Polygons as labelme reads and writes them: one JSON file an image.

Shapes labelled ``exclude`` cut out of the mask, all others add to it.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import CorruptFileError
from core.formats.labels import (
    FACE,
    LabelledImage,
    base_name,
    face_of,
    is_include,
    known_shape,
    label_of,
    polygon,
    read_json,
    rounded,
)
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
    """Polygons, rectangles and circles of a file; other shapes are left out.

    Raises:
        InputError: no such file.
        CorruptFileError: it is no labelme file, or a shape in it is none.
    """
    raw = read_json(path)
    shapes = raw.get("shapes")
    if not isinstance(shapes, list):
        raise CorruptFileError("not a labelme file", where=path, why="it has no shapes")
    name = base_name(str(raw.get("imagePath") or "")) or path.with_suffix(".jpg").name
    found = [_shape(shape, path) for shape in shapes if isinstance(shape, dict)]
    size = known_shape(raw.get("imageHeight"), raw.get("imageWidth"))
    return LabelledImage(name, size, tuple(p for p in found if p is not None), face_of(raw))


def _shape(shape: dict[str, Any], path: Path) -> Polygon | None:
    kind, points = shape.get("shape_type", "polygon"), shape.get("points")
    include = is_include(shape.get("label", ""))
    if kind == "polygon":
        return polygon(points, include, path)
    if kind not in ("rectangle", "circle"):
        return None
    pair = points if isinstance(points, list) and len(points) == 2 else None
    corners = polygon([*pair, pair[-1]] if pair else None, include, path).points  # a polygon has three points
    return Polygon(include, _rectangle(corners) if kind == "rectangle" else _circle(corners))


def _rectangle(corners: np.ndarray) -> np.ndarray:
    """Four corners from two opposite ones."""
    (left, top), (right, bottom) = corners[0], corners[1]
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)


def _circle(points: np.ndarray) -> np.ndarray:
    """The outline from the middle and a point on it."""
    angle = np.linspace(0, 2 * np.pi, _CIRCLE_POINTS, endpoint=False)
    radius = np.linalg.norm(points[1] - points[0])
    return (points[0] + radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)).astype(np.float32)
