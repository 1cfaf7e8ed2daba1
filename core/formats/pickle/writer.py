"""Writes plain values and numpy arrays as pickle protocol 4, with the names of numpy 1.

Every version of the original program reads that. Arrays go to the stream straight from their memory, one at a time.
"""

import io
import struct
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import IO, Any

import numpy as np

from core.formats.pickle import points
from core.formats.pickle.allow_list import PakEnum, PointList
from core.formats.pickle.limits import MAX_DEPTH

_CORE = "numpy.core.multiarray"
_PROTOCOL_4 = b"\x80\x04"
# Texts that are written once and then referred to: those that may come again, such as names of fields.
_LONGEST_KEPT, _MOST_KEPT = 64, 4096
_LONGEST_INTEGER = 64  # bytes, as the reader takes
_PART = 1 << 20


def _headed(raw: bytes) -> bytes:
    """An encoded text behind its opcode and length."""
    if len(raw) < 256:
        return b"\x8c%c" % len(raw) + raw  # SHORT_BINUNICODE
    return b"X" + struct.pack("<I", len(raw)) + raw  # BINUNICODE


@lru_cache(512)
def _spelled(text: str) -> bytes:
    """A text that is neither kept nor referred to; the keys of a record come again with every face."""
    return _headed(text.encode("utf-8", "surrogatepass"))


class Spelled(bytes):
    """A value that is spelled already, as by :func:`fragment`: it is copied as it is."""


class Writer:
    """Puts values on ``stream``.

    Texts are written once and then referred to, unless ``alone``: then any number of outputs can be joined.
    """

    def __init__(self, stream: IO[bytes], *, alone: bool = False):
        self.out = stream.write
        self.alone = alone
        self.memo: dict[str, int] = {}
        self.count = 0

    def value(self, value: Any, depth: int = 0) -> None:
        """Write one value.

        Raises:
            TypeError: it has no plain form.
            ValueError: it is nested too deep, or in itself.
        """
        if depth > MAX_DEPTH:
            raise ValueError(f"nested more than {MAX_DEPTH} deep (or in itself)")
        writer = _WRITERS.get(type(value))
        if writer is not None:
            writer(self, value, depth)
        elif isinstance(value, np.ndarray):
            self.array(value)
        elif isinstance(value, np.generic):
            self.scalar(value)
        else:
            raise TypeError(f"no pickled form for {type(value).__name__}")

    def text(self, text: str) -> None:
        index = self.memo.get(text)
        if index is not None:
            self.out(b"h%c" % index if index < 256 else b"j" + struct.pack("<I", index))  # BINGET, LONG_BINGET
            return
        if self.alone:
            self.out(_spelled(text))
            return
        raw = text.encode("utf-8", "surrogatepass")
        self.out(_headed(raw))
        if len(raw) < _LONGEST_KEPT and len(self.memo) < _MOST_KEPT:
            self.memo[text] = self.count
            self.count += 1
            self.out(b"\x94")  # MEMOIZE

    def raw(self, raw: bytes | memoryview) -> None:
        size = len(raw)
        if size < 256:
            self.out(b"C%c" % size)  # SHORT_BINBYTES
        elif size < 1 << 32:
            self.out(b"B" + struct.pack("<I", size))  # BINBYTES
        else:
            self.out(b"\x8e" + struct.pack("<Q", size))  # BINBYTES8
        self.out(raw)

    def name(self, module: str, name: str) -> None:
        self.text(module)
        self.text(name)
        self.out(b"\x93")  # STACK_GLOBAL

    def dtype(self, dtype: np.dtype) -> None:
        # Without the order of bytes, which is in the state that follows.
        code = dtype.str[1:]
        if dtype.kind not in "biufc":
            raise TypeError(f"no pickled form for arrays of {dtype}")
        # A single byte has no order.
        order = "|" if dtype.itemsize == 1 else dtype.str[0]
        self.name("numpy", "dtype")
        self.text(code)
        self.out(b"\x89\x88\x87R(K\x03")  # called with (code, False, True); its state begins with version 3
        self.text(order)
        self.out(b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb")  # None thrice, -1, -1, 0: no fields; BUILD

    def array(self, array: np.ndarray) -> None:
        self.name(_CORE, "_reconstruct")
        self.name("numpy", "ndarray")
        self.out(b"K\x00\x85C\x01b\x87R(K\x01")  # called with (class, (0,), b"b"); its state begins with version 1
        self.value(tuple(int(n) for n in array.shape))
        self.dtype(array.dtype)
        self.out(b"\x89")  # not in Fortran's order
        # Made flat first: an array without axes cannot be viewed as bytes.
        self.raw(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
        self.out(b"tb")

    def scalar(self, scalar: np.generic) -> None:
        self.name(_CORE, "scalar")
        self.dtype(scalar.dtype)
        self.raw(scalar.tobytes())
        self.out(b"\x86R")  # called with (dtype, bytes)

    def point_list(self, value: PointList, depth: int) -> None:
        self.count += len(value.points) + 1  # each of the lists is memoized
        self.out(points.spell(value.points))

    def enum(self, member: PakEnum, depth: int) -> None:
        self.name(member.module, member.name)
        self.value(member.value)
        self.out(b"\x85R")

    def integer(self, number: int, depth: int) -> None:
        if 0 <= number < 256:
            self.out(b"K%c" % number)  # BININT1
        elif -(1 << 31) <= number < 1 << 31:
            self.out(b"J" + struct.pack("<i", number))  # BININT
        else:
            # Room for the sign: 255 takes two bytes.
            raw = number.to_bytes(number.bit_length() // 8 + 1, "little", signed=True)
            if len(raw) > _LONGEST_INTEGER:
                raise ValueError(f"an integer of more than {_LONGEST_INTEGER} bytes")
            self.out(b"\x8a%c" % len(raw) + raw)  # LONG1

    def list(self, items: list, depth: int) -> None:
        self.out(b"](")
        for item in items:
            self.value(item, depth + 1)
        self.out(b"e")

    def tuple(self, items: tuple, depth: int) -> None:
        self.out(b"(")
        for item in items:
            self.value(item, depth + 1)
        self.out(b"t")

    def dict(self, items: dict, depth: int) -> None:
        self.out(b"}(")
        for key, item in items.items():
            self.value(key, depth + 1)
            self.value(item, depth + 1)
        self.out(b"u")


_WRITERS: dict[type, Callable[[Writer, Any, int], object]] = {
    type(None): lambda w, v, d: w.out(b"N"),
    bool: lambda w, v, d: w.out(b"\x88" if v else b"\x89"),
    int: Writer.integer,
    float: lambda w, v, d: w.out(b"G" + struct.pack(">d", v)),
    str: lambda w, v, d: w.text(v),
    bytes: lambda w, v, d: w.raw(v),
    bytearray: lambda w, v, d: w.raw(bytes(v)),
    list: Writer.list,
    tuple: Writer.tuple,
    dict: Writer.dict,
    PakEnum: Writer.enum,
    PointList: Writer.point_list,
    Spelled: lambda w, v, d: w.out(v),
}


def dump(value: Any, stream: IO[bytes]) -> None:
    """Write ``value`` to ``stream``.

    Memory: nothing beyond the value, but for an array that is not contiguous a copy of it.

    Raises:
        TypeError: a type without a plain form.
        ValueError: a cycle.
    """
    stream.write(_PROTOCOL_4)
    Writer(stream).value(value)
    stream.write(b".")


def dump_items(items: Iterable[tuple[str, Any]], stream: IO[bytes]) -> None:
    """Write the dict of ``items`` to ``stream``: each item is asked for, written and forgotten before the next.

    Raises:
        TypeError, ValueError: as :func:`dump`.
    """
    stream.write(_PROTOCOL_4 + b"}")
    writer = Writer(stream)
    for key, value in items:
        writer.text(key)
        writer.value(value)
        stream.write(b"s")
    stream.write(b".")


def in_parts(head: dict[str, Any], key: str, items: Iterable[tuple[str, Any]]) -> Iterator[bytes]:
    """``head`` with one more value under ``key``, the dict of ``items``, in parts of about a megabyte.

    Each item is asked for, written and forgotten before the next.

    Raises:
        TypeError, ValueError: as :func:`dump`.
    """
    stream = io.BytesIO()
    writer = Writer(stream)
    stream.write(_PROTOCOL_4)
    writer.value(head)
    writer.text(key)
    stream.write(b"}")
    for name, value in items:
        writer.text(name)
        writer.value(value)
        stream.write(b"s")
        if stream.tell() > _PART:
            yield stream.getvalue()
            stream.seek(0)
            stream.truncate()
    stream.write(b"s.")
    yield stream.getvalue()


def dumps(value: Any) -> bytes:
    """``value`` as bytes. Raises as :func:`dump`."""
    stream = io.BytesIO()
    dump(value, stream)
    return stream.getvalue()


def fragment(value: Any) -> bytes:
    """The opcodes of ``value`` alone, for lists that are too long to hold.

    Such a list is LIST_START, then the fragment and LIST_NEXT for each item, then LIST_END.
    """
    stream = io.BytesIO()
    Writer(stream, alone=True).value(value)
    return stream.getvalue()


LIST_START = _PROTOCOL_4 + b"]\x94"
LIST_NEXT = b"a"
LIST_END = b"."
UNUSED_LEAST = 6


def unused(size: int) -> bytes:
    """Opcodes of ``size`` bytes, at least UNUSED_LEAST, that change nothing: BINBYTES and POP."""
    return b"B" + struct.pack("<I", size - UNUSED_LEAST) + bytes(size - UNUSED_LEAST) + b"0"
