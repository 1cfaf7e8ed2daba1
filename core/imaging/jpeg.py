"""The segments of a JPEG file, found and made without decoding: tolerant of what cameras and editors write."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from core.errors import CorruptFileError

SOI = b"\xff\xd8"
APP0, APP1, APP15, COM = 0xE0, 0xE1, 0xEF, 0xFE
DQT, SOS, EOI = 0xDB, 0xDA, 0xD9
# Start of frame, baseline and others; the three left out are tables and a reserved one.
SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length


class Segment(NamedTuple):
    """One marker segment before the scan.

    marker: the byte after FF.
    start, end: its bytes in the file, from FF to the last payload byte.
    body: where the payload begins.
    """

    marker: int
    start: int
    body: int
    end: int


def segments(data: bytes, where: object = "JPEG data") -> Iterator[Segment]:
    """The segments from SOI up to and including SOS, whose ``end`` is that of its header; fill bytes are skipped.

    Raises:
        CorruptFileError: it is no JPEG, or ends before SOS.
    """
    if data[:2] != SOI:
        raise CorruptFileError(
            "not a JPEG", where=str(where), why=f"it begins with {bytes(data[:4]).hex(' ') or 'nothing'}"
        )
    position, size = 2, len(data)
    while position + 4 <= size:
        if data[position] != 0xFF:
            raise CorruptFileError("damaged JPEG", where=str(where), why=f"no marker at byte {position}")
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        if marker in _ALONE:
            position += 2
            continue
        if marker == EOI:
            break
        end = position + 2 + (data[position + 2] << 8 | data[position + 3])
        # A length counts its own two bytes, so less than 2 is none.
        if end > size or end < position + 4:
            break
        yield Segment(marker, position, position + 4, end)
        if marker == SOS:
            return
        position = end
    raise CorruptFileError("truncated JPEG", where=str(where), why=f"the picture data is missing ({size} bytes read)")


def segment(marker: int, body: bytes) -> bytes:
    """The bytes of a marker segment; ``body`` has at most 65,533 bytes."""
    return b"\xff%c" % marker + struct.pack(">H", len(body) + 2) + body


def frame_size(data: bytes, body: int) -> tuple[int, int]:
    """(height, width) from a start-of-frame segment whose payload begins at ``body``."""
    return data[body + 1] << 8 | data[body + 2], data[body + 3] << 8 | data[body + 4]


def quantization(data: bytes, where: object = "JPEG data") -> bytes:
    """The tables that a quality stands for, as they are stored.

    Raises:
        CorruptFileError: as :func:`segments`.
    """
    return b"".join(data[part.body : part.end] for part in segments(data, where) if part.marker == DQT)


def is_complete(data: bytes, where: object = "JPEG data") -> bool:
    """Whether there is an EOI after SOS: files that are cut short would decode to half an image.

    Raises:
        CorruptFileError: as :func:`segments`.
    """
    *_, scan = segments(data, where)
    # The last one, and behind the header of the scan: thumbnails in the metadata have an end, too.
    return data.rfind(b"\xff%c" % EOI) >= scan.end
