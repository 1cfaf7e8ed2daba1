"""A face's metadata in words."""

import math

import numpy as np

from core.errors import InputError
from core.faceset.checking import notes_on
from core.formats import dfl_image
from core.geometry.pose import pitch_yaw_roll
from core.imaging.masks import decode_mask
from core.types import FaceRecord

Rows = tuple[tuple[str, object], ...]


def describe(data: bytes, name: str) -> tuple[Rows, tuple[str, ...]]:
    """(rows, warnings) about a face file. Raises NotAFaceError, CorruptFileError."""
    record = dfl_image.parse(data, name)
    low, high = record.landmarks.min(0), record.landmarks.max(0)
    rows: list[tuple[str, object]] = [
        ("container", f"{'PNG' if data[:4] == dfl_image.PNG_START else 'JPEG'}, {len(data)} bytes"),
        ("picture", f"{record.shape[1]} x {record.shape[0]}"),
        ("face type", record.face_type),
        ("from frame", record.source_filename or "-"),
        ("box in frame", record.source_rect or "-"),
        ("landmarks", f"68, x {low[0]:.1f} .. {high[0]:.1f}, y {low[1]:.1f} .. {high[1]:.1f}"),
        ("pose", _pose(record)),
        (
            "matrix",
            "-"
            if record.image_to_face_mat is None
            else np.array2string(record.image_to_face_mat, precision=4, suppress_small=True).replace("\n", ""),
        ),
        ("polygons", _polygons(record)),
        ("mask", _mask(record)),
        ("eyebrows expanded", record.eyebrows_expand_mod),
        ("other keys", ", ".join(sorted(map(str, record.extra))) or "-"),
    ]
    return tuple(rows), tuple(notes_on(data, record))


def _pose(record: FaceRecord) -> str:
    try:
        pitch, yaw, _ = pitch_yaw_roll(record.landmarks, record.shape[1])
    except InputError as error:
        return f"none: {error.why}"
    return f"pitch {math.degrees(pitch):.1f}, yaw {math.degrees(yaw):.1f} degrees"


def _polygons(record: FaceRecord) -> str:
    include = [len(p.points) for p in record.polygons if p.include]
    exclude = [len(p.points) for p in record.polygons if not p.include]
    return (
        f"{len(include)} include ({sum(include)} points), {len(exclude)} exclude ({sum(exclude)} points)"
        if record.polygons
        else "-"
    )


def _mask(record: FaceRecord) -> str:
    if record.xseg_mask is None:
        return "-"
    mask = decode_mask(record.xseg_mask, record.name)
    kind = "PNG" if record.xseg_mask[:4] == dfl_image.PNG_START else "JPEG"
    return f"{mask.shape[1]} x {mask.shape[0]} {kind}, {len(record.xseg_mask)} bytes, covers {100 * float(mask.mean()):.1f} %"
