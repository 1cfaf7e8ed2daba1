"""Polygons as a COCO instances file: one JSON for all images, as CVAT, Label Studio, Roboflow and others export it."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import CorruptFileError
from core.formats.labels import (
    EXCLUDE,
    FACE,
    INCLUDE,
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
from core.geometry.polygons import polygon_area
from core.imaging.polygons import mask_to_polygons
from core.types import Polygon

_CATEGORIES = {INCLUDE: 1, EXCLUDE: 2}
_MOST_PIXELS = 1 << 26  # of a mask in run lengths: a few bytes of text may ask for any size

Problems = list[tuple[str, str]]


def write(images: Iterable[LabelledImage]) -> str:
    """The JSON text; category 1 is the face, 2 what is cut out of it."""
    listed: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, image in enumerate(images, start=1):
        height, width = image.shape
        listed.append({"id": number, "file_name": image.name, "height": height, "width": width})
        if image.face:
            listed[-1][FACE] = image.face
        for shape in image.polygons:
            annotations.append(_annotation(shape, number, len(annotations) + 1))
    categories = [{"id": number, "name": name, "supercategory": ""} for name, number in _CATEGORIES.items()]
    content = {
        "info": {"description": "face masks"},
        "images": listed,
        "annotations": annotations,
        "categories": categories,
    }
    return json.dumps(content) + "\n"


def _annotation(shape: Polygon, image: int, number: int) -> dict[str, Any]:
    low, high = shape.points.min(0), shape.points.max(0)
    category = _CATEGORIES[label_of(shape)]
    flat = [value for point in rounded(shape.points) for value in point]
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "segmentation": [flat],
        "iscrowd": 0,
        "area": round(polygon_area(shape.points), 2),
        "bbox": [round(float(v), 3) for v in (*low, *(high - low))],
    }


def read(path: Path) -> tuple[list[LabelledImage], Problems]:
    """The labelled images of a file, and (image, reason) of annotations left out.

    Raises:
        InputError: no such file.
        CorruptFileError: it is no COCO file.
    """
    raw = read_json(path)
    if not isinstance(raw.get("images"), list) or not isinstance(raw.get("annotations"), list):
        raise CorruptFileError("not a COCO file", where=path, why="images or annotations are missing")
    images = {image.get("id"): image for image in raw["images"] if _is_image(image)}
    listed = raw.get("categories")
    categories = {c["id"]: c.get("name") for c in (listed if isinstance(listed, list) else []) if _has_id(c, "id")}
    found: dict[Any, list[Polygon]] = {key: [] for key in images}
    remarks: dict[Any, list[str]] = {key: [] for key in images}
    problems: Problems = []
    for annotation in raw["annotations"]:
        if not _has_id(annotation, "image_id") or annotation["image_id"] not in images:
            number = annotation.get("image_id") if isinstance(annotation, dict) else None
            problems.append((str(number), "the annotation's picture is not in the file"))
            continue
        number = annotation["image_id"]
        category = annotation["category_id"] if _has_id(annotation, "category_id") else None
        label = categories.get(category, INCLUDE)
        try:
            found[number] += _polygons(annotation, is_include(label), path)
            remarks[number] += filter(None, [label_remark(label)])
        except CorruptFileError as error:
            problems.append((images[number]["file_name"], error.why))
    labelled = [_labelled(images[number], polygons, remarks[number]) for number, polygons in found.items() if polygons]
    return labelled, problems


def _has_id(entry: Any, key: str) -> bool:
    """Whether an entry has something under ``key`` that can name another one: it may be a list as well."""
    return isinstance(entry, dict) and isinstance(entry.get(key), (int, float, str))


def _is_image(image: Any) -> bool:
    return _has_id(image, "id") and isinstance(image.get("file_name"), str)


def _labelled(image: dict[str, Any], polygons: list[Polygon], remarks: list[str]) -> LabelledImage:
    shape = known_shape(image.get("height"), image.get("width"))
    name = base_name(image["file_name"])
    return LabelledImage(name, shape, tuple(polygons), face_of(image), tuple(remarks))


def _polygons(annotation: dict[str, Any], include: bool, path: Path) -> list[Polygon]:
    segmentation = annotation.get("segmentation")
    if isinstance(segmentation, dict):
        mask = _run_lengths(segmentation, path)
        # A hole in what is cut out belongs to the mask again.
        return [Polygon(p.include == include, p.points) for p in mask_to_polygons(mask)]
    if not isinstance(segmentation, list) or not segmentation:
        raise CorruptFileError("an annotation without an outline", where=path, why="it has a box only")
    return [polygon(_pairs(part), include, path) for part in segmentation]


def _pairs(flat: Any) -> Any:
    """Pairs from a flat list of x and y in turn; None for anything else."""
    return list(zip(flat[::2], flat[1::2], strict=True)) if isinstance(flat, list) and len(flat) % 2 == 0 else None


def _run_lengths(segmentation: dict[str, Any], path: Path) -> np.ndarray:
    """The mask, float32 height x width, of an uncompressed code: runs of 0 and 1 in turn, down the columns."""
    counts, size = segmentation.get("counts"), segmentation.get("size")
    if not isinstance(counts, list):
        raise CorruptFileError(
            "a compressed mask", where=path, why="compressed run-length masks are not read; export polygons"
        )
    if not isinstance(size, list) or len(size) != 2 or not all(type(n) is int and n > 0 for n in size):
        raise CorruptFileError("a damaged mask", where=path, why="it has no size")
    height, width = size
    if height * width > _MOST_PIXELS:
        raise CorruptFileError("a damaged mask", where=path, why=f"{height} x {width} pixels are too many")
    if not all(type(n) is int and n >= 0 for n in counts) or sum(counts) != height * width:
        raise CorruptFileError("a damaged mask", where=path, why="its run lengths do not fill the picture")
    flat = np.repeat((np.arange(len(counts)) % 2).astype(np.uint8), counts)
    return flat.reshape(width, height).T.astype(np.float32)
