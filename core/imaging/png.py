"""The chunks of a PNG file, found and made without decoding."""

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from core.errors import CorruptFileError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_END = b"IEND\xaeB`\x82"
_FRAME = 12  # bytes of a chunk beside its body: length, type, checksum


class Chunk(NamedTuple):
    """One chunk: its type, and where it begins and ends in the file."""

    kind: bytes
    start: int
    end: int

    def body(self, data: bytes) -> bytes:
        return data[self.start + 8 : self.end - 4]

    def is_intact(self, data: bytes) -> bool:
        """Whether its checksum is right."""
        return zlib.crc32(data[self.start + 4 : self.end - 4]) == int.from_bytes(data[self.end - 4 : self.end])


def chunks(data: bytes, where: object = "PNG data") -> Iterator[Chunk]:
    """The chunks up to and including IEND.

    Raises:
        CorruptFileError: the data ends before IEND.
    """
    position = len(SIGNATURE)
    while position + _FRAME <= len(data):
        end = position + _FRAME + int.from_bytes(data[position : position + 4])
        if end > len(data):
            break
        kind = data[position + 4 : position + 8]
        yield Chunk(kind, position, end)
        if kind == b"IEND":
            return
        position = end
    raise CorruptFileError("truncated PNG", where=str(where), why="the end of the picture is missing")


def chunk(kind: bytes, body: bytes) -> bytes:
    """The bytes of a chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def is_complete(data: bytes) -> bool:
    """Whether the file has its end."""
    return data.endswith(_END)
