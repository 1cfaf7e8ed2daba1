"""Polygons as a COCO instances file: one JSON for all pictures, as CVAT, Label Studio, Roboflow and others export it."""

import json
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from core.errors import CorruptFileError
from core.formats.labelme import FACE, face_of, read_json
from core.formats.labels import EXCLUDE, INCLUDE, LabelledImage, is_include, polygon, rounded
from core.geometry.polygons import polygon_area
from core.imaging.polygons import mask_to_polygons
from core.types import Polygon

_CATEGORIES = {INCLUDE: 1, EXCLUDE: 2}


def write(pictures: Iterable[LabelledImage]) -> str:
    """The JSON text; category 1 is the face, 2 what is cut out of it."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, picture in enumerate(pictures, start=1):
        height, width = picture.shape
        image = {"id": number, "file_name": picture.name, "height": height, "width": width}
        images.append(image | ({FACE: picture.face} if picture.face else {}))
        annotations += [_annotation(p, number, len(annotations) + i) for i, p in enumerate(picture.polygons, start=1)]
    categories = [{"id": number, "name": name, "supercategory": ""} for name, number in _CATEGORIES.items()]
    return (
        json.dumps(
            {
                "info": {"description": "face masks"},
                "images": images,
                "annotations": annotations,
                "categories": categories,
            }
        )
        + "\n"
    )


def _annotation(shape: Polygon, image: int, number: int) -> dict[str, Any]:
    low, high = shape.points.min(0), shape.points.max(0)
    category = _CATEGORIES[INCLUDE if shape.include else EXCLUDE]
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


def read(path: Path) -> tuple[list[LabelledImage], list[tuple[str, str]]]:
    """The labelled pictures of a file, and (picture, reason) of annotations left out. Raises CorruptFileError, InputError."""
    raw = read_json(path)
    images, annotations = raw.get("images"), raw.get("annotations")
    if not isinstance(images, list) or not isinstance(annotations, list):
        raise CorruptFileError("not a COCO file", where=path, why="images or annotations are missing")
    categories = {c.get("id"): c.get("name") for c in raw.get("categories") or [] if isinstance(c, dict)}
    names = {
        image.get("id"): image
        for image in images
        if isinstance(image, dict) and isinstance(image.get("file_name"), str)
    }
    found: dict[Any, list[Polygon]] = {key: [] for key in names}
    problems: list[tuple[str, str]] = []
    for annotation in annotations:
        image = annotation.get("image_id") if isinstance(annotation, dict) else None
        if image not in names:
            problems.append((str(image), "the annotation's picture is not in the file"))
            continue
        try:
            found[image] += _polygons(
                annotation, is_include(categories.get(annotation.get("category_id"), INCLUDE)), path
            )
        except CorruptFileError as error:
            problems.append((names[image]["file_name"], error.why))
    return [_picture(names[key], polygons) for key, polygons in found.items() if polygons], problems


def _picture(image: dict[str, Any], polygons: list[Polygon]) -> LabelledImage:
    height, width = image.get("height"), image.get("width")
    known = isinstance(height, int) and isinstance(width, int) and 0 < height < 65536 and 0 < width < 65536
    shape = (int(height or 0), int(width or 0)) if known else (0, 0)
    name = PurePosixPath(image["file_name"].replace("\\", "/")).name
    return LabelledImage(name, shape, tuple(polygons), face_of(image))


def _polygons(annotation: dict[str, Any], include: bool, path: Path) -> list[Polygon]:
    segmentation = annotation.get("segmentation")
    if isinstance(segmentation, dict):
        mask = _run_lengths(segmentation, path)
        return [Polygon(p.include == include, p.points) for p in mask_to_polygons(mask)]
    if not isinstance(segmentation, list) or not segmentation:
        raise CorruptFileError("an annotation without outline", where=path, why="it has a box only")
    return [
        polygon(np.reshape(part, (-1, 2)) if isinstance(part, list) and len(part) % 2 == 0 else None, include, path)
        for part in segmentation
    ]


def _run_lengths(segmentation: dict[str, Any], path: Path) -> np.ndarray:
    """The mask of an uncompressed run-length code: runs of 0 and 1 in turn, down the columns."""
    counts, size = segmentation.get("counts"), segmentation.get("size")
    if not isinstance(counts, list):
        raise CorruptFileError(
            "a compressed mask", where=path, why="compressed run-length masks are not read; export polygons"
        )
    if not isinstance(size, list) or len(size) != 2 or not all(type(n) is int and 0 < n < 32768 for n in size):
        raise CorruptFileError("a damaged mask", where=path, why="it has no size")
    if not all(type(n) is int and n >= 0 for n in counts) or sum(counts) != size[0] * size[1]:
        raise CorruptFileError("a damaged mask", where=path, why="its run lengths do not fill the picture")
    flat = np.repeat(np.arange(len(counts)) % 2, counts)
    return flat.reshape(size[1], size[0]).T.astype(np.float32)
