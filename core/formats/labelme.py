"""Polygons as labelme reads and writes them: one JSON file a picture. Shapes labelled ``exclude`` cut out of the mask, all others add to it."""

import json
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from core.errors import CorruptFileError, from_os_error
from core.formats.labels import LabelledImage, is_include, label_of, polygon, rounded
from core.types import Polygon

_MAX_BYTES = 64_000_000
_CIRCLE_POINTS = 64
# Our key for the id of the face.
FACE = "forge_face"


def write(picture: LabelledImage) -> str:
    """The JSON text of a picture that lies beside its file."""
    fixed: dict[str, Any] = {"group_id": None, "description": "", "shape_type": "polygon", "flags": {}, "mask": None}
    shapes = [{"label": label_of(p), "points": rounded(p.points)} | fixed for p in picture.polygons]
    content: dict[str, Any] = {
        "version": "5.5.0",
        "flags": {},
        "shapes": shapes,
        "imagePath": picture.name,
        "imageData": None,
        "imageHeight": picture.shape[0],
        "imageWidth": picture.shape[1],
    }
    if picture.face:
        content[FACE] = picture.face  # labelme keeps keys that it does not know
    return json.dumps(content, indent=2) + "\n"


def read(path: Path) -> LabelledImage:
    """Polygons, rectangles and circles of a file; other shapes are left out. Raises CorruptFileError, InputError."""
    raw = read_json(path)
    shapes = raw.get("shapes")
    if not isinstance(shapes, list):
        raise CorruptFileError("not a labelme file", where=path, why="it has no shapes")
    name = PurePosixPath(str(raw.get("imagePath") or "").replace("\\", "/")).name or path.with_suffix(".jpg").name
    found = [_shape(shape, path) for shape in shapes if isinstance(shape, dict)]
    return LabelledImage(name, _size(raw), tuple(p for p in found if p is not None), face_of(raw))


def face_of(raw: dict[str, Any]) -> str:
    """The id of the face that an entry of a label file says, or empty."""
    value = raw.get(FACE)
    return value if isinstance(value, str) else ""


def _shape(shape: dict[str, Any], path: Path) -> Polygon | None:
    kind, points = shape.get("shape_type", "polygon"), shape.get("points")
    include = is_include(shape.get("label", ""))
    if kind == "polygon":
        return polygon(points, include, path)
    if kind in ("rectangle", "circle"):
        corners = polygon(
            [*points, points[-1]] if isinstance(points, list) and len(points) == 2 else None, include, path
        ).points
        return Polygon(include, _rectangle(corners) if kind == "rectangle" else _circle(corners))
    return None


def _rectangle(corners: np.ndarray) -> np.ndarray:
    (left, top), (right, bottom) = corners[0], corners[1]
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)


def _circle(points: np.ndarray) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, _CIRCLE_POINTS, endpoint=False)
    radius = np.linalg.norm(points[1] - points[0])
    return (points[0] + radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)).astype(np.float32)


def _size(raw: dict[str, Any]) -> tuple[int, int]:
    height, width = raw.get("imageHeight"), raw.get("imageWidth")
    return (
        (height, width)
        if isinstance(height, int) and isinstance(width, int) and 0 < height < 65536 and 0 < width < 65536
        else (0, 0)
    )


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file. Raises CorruptFileError, InputError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise from_os_error(error) from None
    if len(data) > _MAX_BYTES:
        raise CorruptFileError("a label file too large to read", where=path, why=f"{len(data):,} bytes")
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise CorruptFileError("not a JSON file", where=path, why=str(error)[:200]) from None
    if not isinstance(raw, dict):
        raise CorruptFileError("not a label file", where=path, why="it holds no object")
    return raw
