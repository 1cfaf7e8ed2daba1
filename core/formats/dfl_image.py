"""Face files: a JPEG whose APP15 segment, or a PNG whose ``fcWp`` chunk, holds the face's metadata as a pickled dict.

Pixels are never decoded or encoded here.
"""

import dataclasses
import hashlib
import re
import struct
from pathlib import Path
from typing import Any

from core import fsio
from core.errors import CorruptFileError, InputError, from_os_error
from core.formats import metadata_pattern
from core.formats.face_metadata import KEYS, from_dict, to_dict
from core.formats.pickle import safe_pickle
from core.imaging import jpeg, png
from core.imaging.dimensions import validate_size
from core.types import FaceRecord

MAX_PAYLOAD = 65_533  # a segment of a JPEG counts its own two bytes of length, too
_HEAD_BYTES = 80 * 1024  # nearly always all that comes before the pixels
_CHUNK = b"fcWp"
_RESTART_INTERVAL = 0xDD
_COMMENT = 0xFE
# The next marker in compressed data: no stuffed zero, no restart, no fill byte.
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
# Chunks of a PNG that its pixels depend on.
_PIXEL_CHUNKS = (b"IHDR", b"PLTE", b"IDAT")


class NotAFaceError(InputError):
    """An image without face metadata."""


def read(path: Path) -> FaceRecord:
    """The record of a face file, from its first bytes.

    Raises:
        NotAFaceError: an image without face metadata.
        CorruptFileError: a damaged image, or damaged or hostile metadata.
        InputError: no such file.
    """
    try:
        with open(path, "rb", buffering=0) as stream:
            # Of very many faces only the beginning is read; where that is not enough, the rest.
            data = stream.read(_HEAD_BYTES)
            try:
                return parse(data, path.name, where=path)
            except (CorruptFileError, NotAFaceError):
                rest = stream.read()
                if not rest:
                    raise
            return parse(data + rest, path.name, where=path)
    except OSError as error:
        raise from_os_error(error) from None


def parse(data: bytes, name: str, *, where: object = None) -> FaceRecord:
    """The record in the bytes of a face file; a JPEG may end after its headers.

    name: of the record.
    where: named in errors, else ``name``.

    Raises:
        NotAFaceError: an image without face metadata.
        CorruptFileError: a damaged image, or damaged or hostile metadata.
    """
    where = str(where or name)
    payload, shape = stored(data, where)
    return from_dict(_load(payload, where), name, shape, where)


def stored(data: bytes, where: str) -> tuple[bytes, tuple[int, int]]:
    """The pickled metadata in the bytes of a face file, and (height, width) of the image.

    Raises:
        NotAFaceError, CorruptFileError: as :func:`parse`.
    """
    parts = _png_parts if data.startswith(png.SIGNATURE) else _jpeg_parts
    payload, shape = parts(data, where)
    validate_size(*shape, data, where)
    if not payload:
        raise NotAFaceError(
            "no face metadata",
            where=where,
            why="the file was never a face, or was re-saved by an image editor",
            hint="bash scripts/3.6_restore_metadata_src.sh puts it back from faces.db (dst: 4.6)",
        )
    return payload, shape


def _load(payload: bytes, where: str) -> Any:
    """The dict, in the quickest way that gives the right values."""
    meta = metadata_pattern.load(payload)
    if meta is not None:
        return meta
    meta = safe_pickle.loads(payload, where=where, points=True)
    if type(meta) is dict and not KEYS.issuperset(meta):
        # Unknown values are kept exactly as they were, so nothing may come back as an array that was a list.
        return safe_pickle.loads(payload, where=where)
    return meta


def metadata(data: bytes, name: str) -> dict:
    """The dict as stored, for people to look at. Raises like :func:`parse`."""
    return safe_pickle.loads(stored(data, name)[0], where=name)


def _jpeg_parts(data: bytes, where: str) -> tuple[bytes, tuple[int, int]]:
    payload, shape = b"", (0, 0)
    for marker, _, body, end in jpeg.segments(data, where):
        if marker == jpeg.APP15:
            payload = data[body:end]  # the last one counts
        # Precision, height, width and number of components.
        elif marker in jpeg.SOF and end - body >= 6:
            shape = jpeg.frame_size(data, body)
    if 0 in shape:
        raise CorruptFileError("damaged JPEG", where=where, why="it has no size")
    return payload, shape


def embed(image: bytes, record: FaceRecord) -> bytes:
    """``image`` (a JPEG or PNG file) with its metadata replaced by ``record``; the compressed pixels are copied.

    A JPEG comes out as the original program demands: one APP15 after the last APPn, no empty segment, no foreign APP0,
    nothing after the end of the image.

    Raises:
        InputError: the metadata does not fit, 65,533 bytes in a JPEG.
        CorruptFileError: a damaged image.
    """
    payload = safe_pickle.dumps(to_dict(record))
    if image.startswith(png.SIGNATURE):
        return _embed_png(image, payload, record.name)
    if len(payload) > MAX_PAYLOAD:
        raise InputError(
            "face metadata too large for a JPEG",
            where=record.name,
            why=f"{len(payload)} bytes, {MAX_PAYLOAD} fit",
            hint="store a smaller mask, use fewer polygon points, or keep the face as PNG",
        )
    return _embed_jpeg(image, payload, record.name)


def _embed_jpeg(image: bytes, payload: bytes, where: str) -> bytes:
    kept, after_app, scan = [jpeg.SOI], 1, len(image)
    for segment in jpeg.segments(image, where):
        body = image[segment.body : segment.end]
        if segment.marker == jpeg.SOS:
            scan = segment.start
            break
        if _unwelcome(segment.marker, body):
            continue
        kept.append(image[segment.start : segment.end])
        if jpeg.APP0 <= segment.marker < jpeg.APP15:
            after_app = len(kept)
    kept.insert(after_app, jpeg.segment(jpeg.APP15, payload))
    return b"".join(kept) + image[scan : _image_end(image, scan)]


def _unwelcome(marker: int, body: bytes) -> bool:
    """Whether a segment goes: old metadata, and what makes the original program refuse a file, pixels or not."""
    if marker == jpeg.APP15 or not body:
        return True
    foreign = marker == jpeg.APP0 and not body.startswith(b"JFIF")
    # An interval of 0 is none, but the original stumbles over the segment itself.
    no_restarts = marker == _RESTART_INTERVAL and body == b"\0\0"
    return foreign or no_restarts


def _image_end(image: bytes, scan: int) -> int:
    """Where the file should end: after the EOI that closes the last scan, or at its end when there is none."""
    position = scan
    while position + 4 <= len(image):
        # A header of a scan, or a table between two scans.
        position += 2 + (image[position + 2] << 8 | image[position + 3])
        match = _AFTER_SCAN.search(image, position)
        if match is None:
            break
        if match.group()[1] == jpeg.EOI:
            return match.end()
        position = match.start()
    return len(image)


def restart_interval(image: bytes) -> int:
    """The restart interval of a JPEG, 0 for none. The original program cannot read files that have one."""
    for segment in jpeg.segments(image):
        if segment.marker == _RESTART_INTERVAL and segment.end - segment.body >= 2:
            return image[segment.body] << 8 | image[segment.body + 1]
    return 0


def _png_parts(data: bytes, where: str) -> tuple[bytes, tuple[int, int]]:
    payload, shape = b"", (0, 0)
    for chunk in png.chunks(data, where):
        if chunk.kind == b"IHDR" and len(chunk.body(data)) >= 8:
            width, height = struct.unpack_from(">II", chunk.body(data))
            shape = (height, width)
        elif chunk.kind == _CHUNK:
            if not chunk.is_intact(data):
                raise CorruptFileError("damaged face metadata", where=where, why="its checksum is wrong")
            payload = chunk.body(data)
    if 0 in shape:
        raise CorruptFileError("damaged PNG", where=where, why="it has no size")
    return payload, shape


def _embed_png(image: bytes, payload: bytes, where: str) -> bytes:
    kept = [png.SIGNATURE]
    for chunk in png.chunks(image, where):
        # Just before the end: there the very old face files have it.
        if chunk.kind == b"IEND":
            kept.append(png.chunk(_CHUNK, payload))
        if chunk.kind != _CHUNK:
            kept.append(image[chunk.start : chunk.end])
    return b"".join(kept)


def write(path: Path, image: bytes, record: FaceRecord, *, durable: bool = False) -> None:
    """``image`` with ``record`` in it, under ``path``, whole or not at all.

    Raises:
        InputError, CorruptFileError: as :func:`embed`, before anything is written.
    """
    fsio.write_bytes(path, embed(image, record), durable=durable)


def update(path: Path, **changes: Any) -> FaceRecord:
    """Change fields of the record in a face file; the pixels and everything else stay. Returns the new record.

    Raises:
        NotAFaceError, CorruptFileError, InputError: as :func:`read` and :func:`write`.
    """
    image = path.read_bytes()
    record = dataclasses.replace(parse(image, path.name, where=path), **changes)
    write(path, image, record)
    return record


def image_digest(image: bytes) -> str:
    """SHA-256 (hex) of the compressed pixels alone, whatever metadata, comments or profiles the file carries.

    Raises:
        CorruptFileError: a damaged image.
    """
    total = hashlib.sha256()
    if image.startswith(png.SIGNATURE):
        for chunk in png.chunks(image):
            if chunk.kind in _PIXEL_CHUNKS:
                total.update(chunk.kind + chunk.body(image))
        return total.hexdigest()
    scan = len(image)
    for segment in jpeg.segments(image):
        if segment.marker == jpeg.SOS:
            scan = segment.start
        elif not jpeg.APP0 <= segment.marker <= jpeg.APP15 and segment.marker != _COMMENT:
            total.update(image[segment.start : segment.end])
    total.update(image[scan : _image_end(image, scan)])
    return total.hexdigest()
