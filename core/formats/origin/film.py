"""Marks of origin in films: written, and read back by small parsers of their own.

An mp4 or mov has the XMP packet in a ``uuid`` box at its end (XMP specification part 3). Matroska and WebM have no
place for it: their ``COMMENT`` tag says it, and a file ``NAME.xmp`` beside them has the packet.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import IO

from core.formats.provenance import XMP, Label, parse_comment, parse_xmp
from core.fsio import write_bytes

_UUID = bytes.fromhex("BE7ACFCB97A942E89C71999491E3AFAC")
_BOXED = (".mp4", ".m4v", ".mov")
_MOST = 1 << 20  # bytes of a packet or a tag
_EBML = b"\x1aE\xdf\xa3"
# Elements of Matroska: what holds others, and the texts.
_SEGMENT, _TAGS, _TAG, _SIMPLE = 0x18538067, 0x1254C367, 0x7373, 0x67C8
_NAME, _TEXT = 0x45A3, 0x4487
_HOLDERS = frozenset({_SEGMENT, _TAGS, _TAG, _SIMPLE})


def label_film(path: Path) -> None:
    """Append the XMP packet to an mp4 or mov that is whole; other films stay as they are."""
    if path.suffix.lower() in _BOXED:
        with open(path, "ab") as file:
            file.write((8 + len(_UUID) + len(XMP)).to_bytes(4) + b"uuid" + _UUID + XMP)


def sidecar_of(path: Path) -> Path:
    """The file beside a film that has its XMP packet."""
    return path.with_name(f"{path.name}.xmp")


def write_sidecar(path: Path) -> None:
    """Put the XMP packet beside a film that cannot hold it; nothing for an mp4 or mov."""
    if path.suffix.lower() not in _BOXED:
        write_bytes(sidecar_of(path), XMP)


def film_label(path: Path) -> Label | None:
    """What an mp4, mov, mkv or webm says of its origin; None where it says nothing, or is damaged before it would."""
    with open(path, "rb") as file:
        if file.read(4) == _EBML:
            file.seek(0)
            return _comment(file, path.stat().st_size)
        return _boxed(file, path.stat().st_size)


def _boxed(file: IO[bytes], size: int) -> Label | None:
    """The packet in a box of the outermost level."""
    at = 0
    while at + 8 <= size:
        file.seek(at)
        head = file.read(8)
        length, start = int.from_bytes(head[:4]), at + 8
        if length == 1:
            length, start = int.from_bytes(file.read(8)), at + 16
        elif length == 0:
            length = size - at
        if length < start - at:
            return None
        if head[4:] == b"uuid" and file.read(len(_UUID)) == _UUID:
            return parse_xmp(file.read(min(at + length - file.tell(), _MOST)))
        at += length
    return None


def _comment(file: IO[bytes], size: int) -> Label | None:
    """The tag COMMENT of a Matroska file."""
    name = b""
    for kind, length in _elements(file, size):
        if kind == _NAME:
            name = file.read(min(length, _MOST))
        elif kind == _TEXT and name.strip(b"\0").upper() == b"COMMENT":
            text = file.read(min(length, _MOST))
            return parse_comment(text.decode(errors="replace")) if len(text) == length else None
    return None


def _elements(file: IO[bytes], size: int) -> Iterator[tuple[int, int]]:
    """(id, length) of elements, those inside the holders included; the file stands at the content of each."""
    at = 0
    while at < size:
        file.seek(at)
        kind, length = _number(file, keep_mark=True), _number(file, keep_mark=False)
        if kind is None or length is None:
            return
        start = file.tell()
        yield kind, length
        at = start if kind in _HOLDERS else start + length


def _number(file: IO[bytes], *, keep_mark: bool) -> int | None:
    """A number whose first byte says by its leading zeros how long it is; None at the end or where there is none."""
    first = file.read(1)
    if not first or first == b"\0":
        return None
    length = 9 - first[0].bit_length()
    rest = file.read(length - 1)
    value = first[0] if keep_mark else first[0] & (0xFF >> length)
    return int.from_bytes(bytes([value]) + rest) if len(rest) == length - 1 else None
