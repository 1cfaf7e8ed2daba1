"""The XMP packet of a TIFF: a tag of its first directory (XMP specification part 3)."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from core.errors import CorruptFileError

_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_XMP_TAG, _BYTES = 700, 1
_ENTRY = 12


class _Directory(NamedTuple):
    """The entries of the first directory (tag, type, count, value or place), and the place of the next one."""

    order: str
    entries: list[tuple[int, int, int, bytes]]
    following: bytes


def is_tiff(data: bytes) -> bool:
    """Whether the bytes begin as a TIFF does."""
    return data[:4] in _ORDERS


def add_packet(data: bytes, packet: bytes) -> bytes:
    """The same TIFF with an XMP packet, and with a new first directory, both behind the old end.

    Raises:
        CorruptFileError: it is no TIFF.
    """
    order, entries, following = _directory(data)
    data += bytes(len(data) % 2)
    place = struct.pack(f"{order}I", len(data))
    kept = [entry for entry in entries if entry[0] != _XMP_TAG]
    sorted_entries = sorted([*kept, (_XMP_TAG, _BYTES, len(packet), place)])
    packed = b"".join(struct.pack(f"{order}HHI4s", *entry) for entry in sorted_entries)
    packet += bytes(len(packet) % 2)
    directory = struct.pack(f"{order}H", len(sorted_entries)) + packed + following
    return data[:4] + struct.pack(f"{order}I", len(data) + len(packet)) + data[8:] + packet + directory


def packet_of(data: bytes) -> bytes:
    """The XMP packet of a TIFF; empty where it has none.

    Raises:
        CorruptFileError: it is no TIFF.
    """
    order, entries, _ = _directory(data)
    for tag, _, count, place in entries:
        if tag == _XMP_TAG and count > 4:
            (start,) = struct.unpack(f"{order}I", place)
            return data[start : start + count]
    return b""


def _directory(data: bytes) -> _Directory:
    order = _ORDERS.get(data[:4])
    if order is None:
        raise CorruptFileError("cannot label a picture: not a TIFF")
    try:
        (at,) = struct.unpack_from(f"{order}I", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, at)
        end = at + 2 + count * _ENTRY
        entries = list(_entries(order, data, at + 2, count))
        struct.unpack_from("4s", data, end)
    except struct.error:
        raise CorruptFileError("truncated TIFF", why="its directory is missing") from None
    return _Directory(order, entries, data[end : end + 4])


def _entries(order: str, data: bytes, at: int, count: int) -> Iterator[tuple[int, int, int, bytes]]:
    for number in range(count):
        yield struct.unpack_from(f"{order}HHI4s", data, at + number * _ENTRY)
