"""The only way this project reads and writes pickled data: face metadata, packed facesets, weights and options.

Reading executes nothing: names of callables are matched against a closed list (numpy arrays, scalars and dtypes, byte
strings, ordered dicts, two enums that become ints), everything else is refused by name. No input allocates more than a
small multiple of its size.
"""

import mmap
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from core.errors import CorruptFileError, InputError
from core.formats.pickle.allow_list import NeedsFullRun, PakEnum, PointList, Refused, face_type, sample_type
from core.formats.pickle.limits import budget_of, validate
from core.formats.pickle.reader import Machine
from core.formats.pickle.writer import (
    LIST_END,
    LIST_NEXT,
    LIST_START,
    UNUSED_LEAST,
    Spelled,
    dump,
    dump_items,
    dumps,
    fragment,
    in_parts,
    unused,
)

__all__ = [
    "LIST_END",
    "LIST_NEXT",
    "LIST_START",
    "UNUSED_LEAST",
    "PakEnum",
    "PointList",
    "Spelled",
    "dump",
    "dump_items",
    "dumps",
    "face_type",
    "fragment",
    "in_parts",
    "load",
    "load_list",
    "loads",
    "sample_type",
    "unused",
]

T = TypeVar("T")
# What Python raises on the way through malformed data.
_MALFORMED = (
    Refused,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    OverflowError,
    struct.error,
    MemoryError,
    RecursionError,
    AttributeError,
)


def loads(
    data: bytes | mmap.mmap,
    *,
    where: str | Path = "pickled data",
    max_bytes: int | None = None,
    points: bool = False,
    fold: Callable[[dict], None] | None = None,
) -> Any:
    """The value in ``data``; bytes after its end are ignored, as ``pickle`` does.

    where: named in the error.
    max_bytes: refuse longer data.
    points: lists of float pairs may come back as float64 arrays (n, 2), which is fast.
    fold: is given every dict once it got items, to replace bulky values of it by smaller ones, for data that is too
    large to hold otherwise; it may be given the same dict again.

    Raises:
        CorruptFileError: damaged or hostile data; it names a global that is refused.
    """
    if max_bytes is not None and len(data) > max_bytes:
        raise _corrupt(where, f"{len(data)} bytes, at most {max_bytes} are allowed")
    try:
        return _loads(data, points, fold)
    except _MALFORMED as error:
        raise _corrupt(where, _reason(error)) from None


def _loads(data, points: bool, fold: Callable[[dict], None] | None) -> Any:
    try:
        value = Machine(data, lean=True, points=points, fold=fold).run()
    except NeedsFullRun:
        value = Machine(data, fold=fold).run()
    validate(value, budget_of(len(data)))
    return value


def load_list(data: bytes | mmap.mmap, convert: Callable[[int, Any], T], *, where: str | Path) -> list[T]:
    """``convert(index, item)`` of each item of the pickled list, holding one batch of raw items at a time.

    Lists of float pairs come as float64 arrays (n, 2). Data with unusual sharing is read twice, from the first item on.

    Raises:
        CorruptFileError: damaged or hostile data, or no list.
        PipelineError: as ``convert`` raised it.
    """
    try:
        try:
            return _stream(data, convert, lean=True)
        except NeedsFullRun:
            return _stream(data, convert, lean=False)
    except _MALFORMED as error:
        raise _corrupt(where, _reason(error)) from None


def _stream(data: bytes | mmap.mmap, convert: Callable[[int, Any], T], lean: bool) -> list[T]:
    out: list[T] = []
    machine = Machine(data, lean=lean, points=True, sink=lambda item: out.append(convert(len(out), item)))
    if machine.run() is not machine.root:
        raise Refused("a list was expected")
    return out


def load(path: Path, *, max_bytes: int | None = None) -> Any:
    """The value in a file, mapped rather than read: memory is that of the value and one tensor.

    Raises:
        InputError: no such file.
        CorruptFileError: damaged or hostile data.
    """
    try:
        with open(path, "rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return loads(data, where=path, max_bytes=max_bytes)
    except FileNotFoundError:
        raise InputError("no such file", where=path) from None
    # mmap takes no empty file.
    except ValueError:
        raise _corrupt(path, "the file is empty") from None


def _reason(error: BaseException) -> str:
    if isinstance(error, Refused):
        return str(error)
    if isinstance(error, (IndexError, struct.error)):
        return "the data ends too early or is damaged"
    return f"malformed data ({type(error).__name__}: {str(error)[:120]})"


def _corrupt(where: str | Path, why: str) -> CorruptFileError:
    hint = "the file is damaged or was made to attack its reader; get it from its source again"
    return CorruptFileError("refused pickled data", where=where, why=why, hint=hint)
