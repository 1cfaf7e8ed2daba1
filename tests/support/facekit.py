"""Face files whose landmarks are true and whose images are noise: the mean head, moved a little for every seed."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from core.formats import dfl_image
from core.geometry.align import FaceType, face_matrix, transform_points
from core.geometry.landmarks import HEAD_3D
from core.imaging.codec import encode_jpeg, encode_png
from core.types import FaceRecord


def source_points(seed: int = 0) -> np.ndarray:
    """68 landmarks in frame pixels."""
    return HEAD_3D[:, :2].astype(np.float64) * 2 + 400 + np.random.default_rng(seed).normal(0, 2, (68, 2))


def record(
    name: str = "00001_0.jpg", size: int = 64, seed: int = 0, face_type: FaceType = FaceType.WHOLE_FACE, **changes
) -> FaceRecord:
    points = source_points(seed)
    matrix = face_matrix(points, size, face_type)
    frame, rect = f"{name.split('_')[0]}.png", (200, 210, 600, 640)
    made = FaceRecord(
        name, (size, size), transform_points(points, matrix), face_type.file_name, frame, rect, points, matrix
    )
    return replace(made, **changes)


def pixels(size: int = 64, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (size, size, 3), dtype=np.uint8)


def jpeg(size: int = 64, seed: int = 0) -> bytes:
    return encode_jpeg(pixels(size, seed), 90)


def png(size: int = 64, seed: int = 0) -> bytes:
    return encode_png(pixels(size, seed))


def face(name: str = "00001_0.jpg", size: int = 64, seed: int = 0, **changes) -> bytes:
    return dfl_image.embed(jpeg(size, seed), replace(record(name, size, seed), **changes))


def write_faces(folder: Path, count: int, **changes) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number in range(count):
        path = folder / f"{number + 1:05d}_0.jpg"
        path.write_bytes(face(path.name, seed=number, **changes))
        paths.append(path)
    return paths


def same_record(one: FaceRecord, other: FaceRecord) -> bool:
    """Equal in everything that a face file holds."""
    arrays = all(
        _same_array(getattr(one, name), getattr(other, name))
        for name in ("landmarks", "source_landmarks", "image_to_face_mat")
    )
    polygons = len(one.polygons) == len(other.polygons) and all(
        a.include == b.include and np.array_equal(a.points, b.points)
        for a, b in zip(one.polygons, other.polygons, strict=True)
    )
    plain = all(
        getattr(one, name) == getattr(other, name)
        for name in (
            "name",
            "shape",
            "face_type",
            "source_filename",
            "source_rect",
            "xseg_mask",
            "eyebrows_expand_mod",
            "person",
        )
    )
    return arrays and polygons and plain


def _same_array(a, b) -> bool:
    return a is b is None or (a is not None and b is not None and np.array_equal(a, b))
