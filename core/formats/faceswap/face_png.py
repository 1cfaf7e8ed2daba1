"""Face pictures of faceswap: PNGs with one ``iTXt`` chunk that says all about the face. Pixels are never decoded.

The picture is the head crop (:mod:`core.geometry.centring`) of any size; its points are those of the frame.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from core import safe_files
from core.errors import CorruptFileError, InputError
from core.formats.faceswap import literal, migrate, records
from core.formats.faceswap.document import NEWEST_VERSION, FsaFace
from core.fsio import write_bytes
from core.imaging import png

_KEYWORD = b"faceswap"
# Not compressed, no language, no translated keyword.
_HEAD = _KEYWORD + b"\0" + b"\0\0\0\0"
_MOST = 1 << 26  # bytes of a header
_SOURCE = frozenset(
    {
        "alignments_version",
        "original_filename",
        "face_index",
        "source_filename",
        "source_is_video",
        "source_frame_dims",
    }
)


@dataclass(frozen=True, eq=False)
class FaceHeader:
    """What a face picture says about its face.

    face: without a thumbnail. index: of the face in its frame when it was extracted.
    frame: file name of the frame, as in the alignments. name: of the picture when it was extracted.
    frame_shape: (height, width) of the frame; None where an old file does not say it.
    extra: keys that the format does not know.
    """

    face: FsaFace
    frame: str
    index: int
    name: str
    frame_shape: tuple[int, int] | None
    is_video: bool = False
    version: float = NEWEST_VERSION
    extra: Mapping[str, Any] = field(default_factory=dict)


def read(path: Path) -> FaceHeader | None:
    """The header of a file; None where it has none. Only what comes before the pixels is read.

    Raises:
        InputError: no such file.
        CorruptFileError: a damaged or hostile file, or no PNG.
    """
    with safe_files.opened(path) as stream:
        text = _found_text(stream, path)
    return None if text is None else _header(text, path)


def parse(data: bytes, where: object = "a face picture") -> FaceHeader | None:
    """The header in the bytes of a PNG; as :func:`read`."""
    _require_png(data[:8], where)
    for chunk in png.chunks(data, where):
        if chunk.kind == b"IDAT":
            return None
        if _is_ours(chunk, data):
            _require_intact(chunk, data, where)
            return _header(chunk.body(data), where)
    return None


def with_header(data: bytes, header: FaceHeader, where: object = "a face picture") -> bytes:
    """The PNG with this header instead of what it had.

    Other ``iTXt`` chunks before the pixels go behind them: faceswap damages them, and the file, when it writes a
    header anew.

    Raises:
        CorruptFileError: no whole PNG.
        InputError: the header has numbers that are none.
    """
    _require_png(data[:8], where)
    before, pixels, after, end = [png.SIGNATURE], [], [], b""
    for chunk in png.chunks(data, where):
        raw = data[chunk.start : chunk.end]
        if chunk.kind == b"IDAT":
            pixels.append(raw)
        elif chunk.kind == b"IEND":
            end = raw
        elif _is_ours(chunk, data):
            continue
        elif chunk.kind == b"iTXt" or pixels:
            after.append(raw)
        else:
            before.append(raw)
    if not pixels:
        raise CorruptFileError("truncated PNG", where=str(where), why="it has no pixels")
    return b"".join([*before, png.chunk(b"iTXt", _HEAD + text_of(header).encode()), *pixels, *after, end])


def update(path: Path, header: FaceHeader) -> None:
    """Give a file another header, whole or not at all. Raises as :func:`with_header`, and InputError: no such file."""
    write_bytes(path, with_header(safe_files.read_bytes(path), header, path))


def text_of(header: FaceHeader) -> str:
    """The text of a header: a Python literal with the keys that faceswap wants, and no other.

    Raises:
        InputError: a point or an identity has numbers that are none, which cannot be read again.
    """
    face = header.face
    if not np.isfinite(face.landmarks).all() or not all(np.isfinite(v).all() for v in face.identities.values()):
        raise InputError("a face with points that are no numbers cannot be written", where=header.frame)
    height, width = header.frame_shape or (0, 0)
    source = {
        "alignments_version": NEWEST_VERSION,
        "original_filename": header.name,
        "face_index": header.index,
        "source_filename": header.frame,
        "source_is_video": header.is_video,
        "source_frame_dims": [height, width],
    }
    return repr({"alignments": records.plain_face(face), "source": source})


def _found_text(stream: IO[bytes], where: Path) -> bytes | None:
    """The header's chunk, found without reading what comes after it."""
    _require_png(stream.read(8), where)
    while len(head := stream.read(8)) == 8:
        size, kind = int.from_bytes(head[:4]), head[4:]
        if kind in (b"IDAT", b"IEND"):
            return None
        if kind != b"iTXt" or size > _MOST:
            stream.seek(size + 4, 1)
            continue
        data = head + stream.read(size + 4)
        if len(data) != size + 12:
            break
        chunk = png.Chunk(kind, 0, len(data))
        if _is_ours(chunk, data):
            _require_intact(chunk, data, where)
            return chunk.body(data)
    raise CorruptFileError("truncated PNG", where=where, why="the end of the picture is missing")


def _is_ours(chunk: png.Chunk, data: bytes) -> bool:
    return chunk.kind == b"iTXt" and data.startswith(_KEYWORD + b"\0", chunk.start + 8)


def _require_png(start: bytes, where: object) -> None:
    if start != png.SIGNATURE:
        raise CorruptFileError("not a PNG", where=str(where), why="it does not begin like one")


def _require_intact(chunk: png.Chunk, data: bytes, where: object) -> None:
    if not chunk.is_intact(data):
        raise CorruptFileError("a damaged face header", where=str(where), why="its checksum is wrong")


def _header(body: bytes, where: object) -> FaceHeader:
    if body[len(_KEYWORD) + 1 : len(_HEAD)] != b"\0\0\0\0":
        raise CorruptFileError("a damaged face header", where=str(where), why="it is compressed, or in a language")
    try:
        raw = literal.parse(body[len(_HEAD) :].decode(), where)
        return _from_plain(raw)
    except UnicodeDecodeError:
        why = "it is no text"
    except KeyError as error:
        why = f"it has no {error}"
    except records.Malformed as error:
        why = str(error)
    raise CorruptFileError("a damaged face header", where=str(where), why=why)


def _from_plain(raw: Any) -> FaceHeader:
    source = records.require(records.require(raw, dict)["source"], dict)
    face = records.read_face(migrate.face_of(raw["alignments"], Counter()))
    extra = {key: value for key, value in source.items() if key not in _SOURCE}
    extra |= {key: value for key, value in raw.items() if key not in ("alignments", "source")}
    return FaceHeader(
        face=face,
        frame=records.require(source["source_filename"], str),
        index=records.whole(source["face_index"], 0, 1 << 31),
        name=records.require(source["original_filename"], str),
        frame_shape=_shape(source.get("source_frame_dims")),
        is_video=bool(source.get("source_is_video", False)),
        version=_version(source.get("alignments_version")),
        extra=extra,
    )


def _shape(raw: Any) -> tuple[int, int] | None:
    if raw is None:
        return None
    if not isinstance(raw, (list, tuple)) or len(raw) < 2:
        raise records.Malformed("a size of a frame that is none")
    height, width = (records.whole(n, 0, 1 << 20) for n in raw[:2])
    return (height, width) if height and width else None


def _version(raw: Any) -> float:
    if isinstance(raw, bool) or not isinstance(raw, (int, float)) or not 0 < raw < 100:
        raise records.Malformed("a version that is no number")
    return float(raw)
