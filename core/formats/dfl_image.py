"""Face files: a JPEG whose APP15 segment, or a PNG whose ``fcWp`` chunk, holds the face's metadata. Pixels are never decoded or encoded here."""

import dataclasses
import hashlib
import re
import struct
import zlib
from pathlib import Path
from typing import Any

from core import fsio
from core.errors import CorruptFileError, InputError, from_os_error
from core.formats import metadata_pattern
from core.formats.face_metadata import KEYS, from_dict, to_dict
from core.formats.pickle import safe_pickle
from core.imaging import jpeg
from core.types import FaceRecord

MAX_PAYLOAD = 65_533
_HEAD_BYTES = 80 * 1024
PNG_START = b"\x89PNG"
_PNG = PNG_START + b"\r\n\x1a\n"
_CHUNK = b"fcWp"
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


class NotAFaceError(InputError):
    """A picture without face metadata."""


def read(path: Path) -> FaceRecord:
    """The record of a face file, from its first bytes. Raises NotAFaceError, CorruptFileError, InputError."""
    try:
        with open(path, "rb", buffering=0) as stream:
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
    """The record in the bytes of a face file; a JPEG may be cut after its headers. ``name`` is the record's.

    Raises NotAFaceError for a picture without metadata, CorruptFileError for damaged files and damaged or hostile metadata.
    """
    where = str(where or name)
    payload, shape = stored(data, where)
    return from_dict(_load(payload, where), name, shape, where)


def stored(data: bytes, where: str) -> tuple[bytes, tuple[int, int]]:
    """The pickled metadata in the bytes of a face file, and (height, width) of the picture. Raises NotAFaceError, CorruptFileError."""
    payload, shape = (_png_parts if data[:8] == _PNG else _jpeg_parts)(data, where)
    if not payload:
        raise NotAFaceError(
            "no face metadata",
            where=where,
            why="the file was never a face, or was re-saved by an image editor",
            hint="python -m core restore-metadata SIDE puts it back from faces.db",
        )
    return payload, shape


def _load(payload: bytes, where: str) -> Any:
    meta = metadata_pattern.load(payload)
    if meta is not None:
        return meta
    meta = safe_pickle.loads(payload, where=where, points=True)
    if type(meta) is dict and not KEYS.issuperset(meta):
        return safe_pickle.loads(payload, where=where)  # unknown values are kept exactly as they were
    return meta


def metadata(data: bytes, name: str) -> dict:
    """The dict as stored, for people to look at. Raises like :func:`parse`."""
    return safe_pickle.loads(stored(data, name)[0], where=name)


def _jpeg_parts(data: bytes, where: str) -> tuple[bytes, tuple[int, int]]:
    payload, shape = b"", (0, 0)
    for marker, _, body, end in jpeg.segments(data, where):
        if marker == jpeg.APP15:
            payload = data[body:end]  # the last one counts
        elif marker in jpeg.SOF and end - body >= 6:
            shape = jpeg.frame_size(data, body)
    if 0 in shape:
        raise CorruptFileError("damaged JPEG", where=where, why="it has no size")
    return payload, shape


def embed(image: bytes, record: FaceRecord) -> bytes:
    """``image`` (a JPEG or PNG file) with its metadata replaced by ``record``; the picture data is copied byte for byte.

    A JPEG comes out as the original program demands: one APP15 after the last APPn, no empty segment, no foreign APP0, nothing after the end of
    the picture. Raises InputError when the metadata does not fit (65,533 bytes in a JPEG), CorruptFileError for a damaged picture.
    """
    payload = safe_pickle.dumps(to_dict(record))
    if image[:8] == _PNG:
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
        if 0xE0 <= segment.marker < 0xEF:
            after_app = len(kept)
    kept.insert(after_app, b"\xff\xef" + struct.pack(">H", len(payload) + 2) + payload)
    return b"".join(kept) + image[scan : _picture_end(image, scan)]


def _unwelcome(marker: int, body: bytes) -> bool:
    """Segments that go: old metadata, and what makes the original program refuse a file without meaning anything for the picture."""
    if marker == jpeg.APP15 or not body:
        return True
    return (marker == jpeg.APP0 and not body.startswith(b"JFIF")) or (marker == 0xDD and body == b"\0\0")


def _picture_end(image: bytes, scan: int) -> int:
    """Where the file should end: after the EOI that closes the last scan, or at its end when there is none."""
    position = scan
    while position + 4 <= len(image):
        position += 2 + (image[position + 2] << 8 | image[position + 3])  # SOS, or a table between two scans
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
        if segment.marker == 0xDD and segment.end - segment.body >= 2:
            return image[segment.body] << 8 | image[segment.body + 1]
    return 0


def _png_chunks(data: bytes, where: str):
    position = 8
    while position + 12 <= len(data):
        size = int.from_bytes(data[position : position + 4])
        end = position + 12 + size
        if end > len(data):
            break
        kind = data[position + 4 : position + 8]
        yield kind, position, end
        if kind == b"IEND":
            return
        position = end
    raise CorruptFileError("truncated PNG", where=where, why="the end of the picture is missing")


def _png_parts(data: bytes, where: str) -> tuple[bytes, tuple[int, int]]:
    payload, shape = b"", (0, 0)
    for kind, start, end in _png_chunks(data, where):
        if kind == b"IHDR" and end - start >= 20:
            width, height = struct.unpack_from(">II", data, start + 8)
            shape = (height, width)
        elif kind == _CHUNK:
            if zlib.crc32(data[start + 4 : end - 4]) != int.from_bytes(data[end - 4 : end]):
                raise CorruptFileError("damaged face metadata", where=where, why="its checksum is wrong")
            payload = data[start + 8 : end - 4]
    if 0 in shape:
        raise CorruptFileError("damaged PNG", where=where, why="it has no size")
    return payload, shape


def _embed_png(image: bytes, payload: bytes, where: str) -> bytes:
    kept = [_PNG]
    for kind, start, end in _png_chunks(image, where):
        if kind == b"IEND":
            body = _CHUNK + payload
            kept.append(struct.pack(">I", len(payload)) + body + struct.pack(">I", zlib.crc32(body)))
        if kind != _CHUNK:
            kept.append(image[start:end])
    return b"".join(kept)


def write(path: Path, image: bytes, record: FaceRecord, *, durable: bool = False) -> None:
    """``image`` with ``record`` in it, under ``path``, whole or not at all. Raises like :func:`embed`, which runs before anything is written."""
    fsio.write_bytes(path, embed(image, record), durable=durable)


def update(path: Path, **changes: Any) -> FaceRecord:
    """Change fields of the record in a face file; the pixels and everything else stay. Returns the new record. Raises like read and write."""
    image = path.read_bytes()
    record = dataclasses.replace(parse(image, path.name, where=path), **changes)
    write(path, image, record)
    return record


def image_digest(image: bytes) -> str:
    """SHA-256 (hex) of the compressed picture alone, whatever metadata, comments or profiles the file carries. Raises CorruptFileError."""
    total = hashlib.sha256()
    if image[:8] == _PNG:
        for kind, start, end in _png_chunks(image, "PNG data"):
            if kind in (b"IHDR", b"PLTE", b"IDAT"):
                total.update(image[start + 4 : end - 4])
        return total.hexdigest()
    scan = len(image)
    for segment in jpeg.segments(image):
        if segment.marker == jpeg.SOS:
            scan = segment.start
        elif not 0xE0 <= segment.marker <= 0xEF and segment.marker != 0xFE:
            total.update(image[segment.start : segment.end])
    total.update(image[scan : _picture_end(image, scan)])
    return total.hexdigest()
