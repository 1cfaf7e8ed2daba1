"""Faces at another size or with another face type, one by one."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core import fsio
from core.errors import InputError, PipelineError
from core.faceset.transform import moved_mask, moved_record, resized_image, resized_record
from core.formats import dfl_image
from core.geometry.align import FaceType, face_matrix
from core.imaging import jpeg, png
from core.imaging.codec import decode_image, encode_jpeg, encode_png
from core.imaging.warp import warp_face
from core.types import FaceRecord


def resized_face(data: bytes, name: str, size: int, face_type: FaceType | None, quality: int) -> bytes:
    """The face file ``data`` with its image at ``size``, cropped anew where ``face_type`` is another than its own.

    JPEG stays JPEG (4:4:4, ``quality``), PNG stays PNG. What a wider face type shows beyond the old image is black. A
    face that is so already is given back as it is: encoding it once more would only make it worse.

    Raises:
        InputError: it is no face, or not square.
        CorruptFileError: its bytes are damaged.
    """
    record = dfl_image.parse(data, name)
    if is_so(record, size, face_type):
        return data
    image = decode_image(data, name)
    height, width = image.shape[:2]
    if height != width:
        raise InputError("only square faces can be resized", where=name, why=f"it is {width} x {height}")
    if face_type is None or face_type.file_name == record.face_type:
        image, record = resized_image(image, size), resized_record(record, (size, size))
    else:
        image, record = _recropped(image, record, size, face_type)
    encoded = encode_png(image) if data.startswith(png.SIGNATURE) else encode_jpeg(image, quality)
    return dfl_image.embed(encoded, record)


def _recropped(
    image: NDArray[np.uint8], record: FaceRecord, size: int, face_type: FaceType
) -> tuple[NDArray[np.uint8], FaceRecord]:
    matrix = face_matrix(record.landmarks, size, face_type)
    moved = replace(moved_record(record, matrix, (size, size)), face_type=face_type.file_name)
    if record.xseg_mask is not None:
        moved = replace(moved, xseg_mask=moved_mask(record.xseg_mask, matrix, record.shape, size))
    return warp_face(image, matrix, size), moved


def is_so(record: FaceRecord, size: int, face_type: FaceType | None) -> bool:
    """Whether a face has this size and shows this much already. face_type: None for any."""
    return record.shape == (size, size) and (face_type is None or face_type.file_name == record.face_type)


def resize_file(path: Path, target: Path, size: int, face_type: FaceType | None, quality: int) -> None:
    """The resized face of ``path`` under ``target``."""
    fsio.write_bytes(target, resized_face(path.read_bytes(), path.name, size, face_type, quality), durable=False)


def is_done(source: Path, target: Path, size: int, face_type: FaceType | None, quality: int) -> bool:
    """Whether an earlier run made ``target`` of ``source`` as it is now, with these settings."""
    # The settings of the earlier run stand in the face that it made; nothing else has to be kept.
    if not target.exists() or target.stat().st_mtime_ns < source.stat().st_mtime_ns:
        return False
    try:
        made, before = target.read_bytes(), dfl_image.read(source)
        record = dfl_image.parse(made, target.name)
        wanted = face_type.file_name if face_type is not None else before.face_type
    except PipelineError:
        return False
    if is_so(before, size, face_type):
        return made == source.read_bytes()
    if not made.startswith(png.SIGNATURE) and jpeg.quantization(made) != _quantization_of(quality):
        return False
    return record.shape == (size, size) and record.face_type == wanted


@cache
def _quantization_of(quality: int) -> bytes:
    return jpeg.quantization(encode_jpeg(np.zeros((8, 8, 3), np.uint8), quality))
