"""The callables that pickled data may name, each replaced by a function of ours; everything else is refused by name.

Nothing here looks a name up in a module: the table is closed.
"""

import re
import sys
from dataclasses import dataclass

import numpy as np

# Booleans, integers, floating-point and complex numbers; no objects, no records.
_DTYPE_NAME = re.compile(r"[<>=|]?(?:b1|\?|[iu][1248]|f[248]|c8|c16)")
_USUAL = {name: np.dtype(name) for name in ("u1", "i4", "i8", "f4", "f8")}
_HERE = "<" if sys.byteorder == "little" else ">"


class Refused(ValueError):
    """The data asks for something that the allow-list does not have, or is malformed."""


class NeedsFullRun(Exception):
    """A lean run took a short cut that this data does not allow; a full run can read it.

    The data refers again to something that was not kept, or adds to a list that was read as points (``pickle`` writes
    long lists in batches of 1,000).
    """


@dataclass
class DtypeHolder:
    """A dtype under construction: its byte order arrives after it has been shared."""

    dtype: np.dtype


@dataclass(frozen=True)
class PakEnum:
    """A member of an enum class of the original program, to be written; reads back as an int."""

    module: str
    name: str
    value: int


@dataclass(frozen=True, eq=False)
class PointList:
    """Points, (n, 2), to be written as a list of [x, y] lists of floats.

    Reads back as that list, or as an array where that is asked for.
    """

    points: np.ndarray


def sample_type(value: int) -> PakEnum:
    """The kind of a packed sample (1 is a face)."""
    return PakEnum("samplelib.Sample", "SampleType", value)


def face_type(value: int) -> PakEnum:
    """The number of a face type in a packed faceset."""
    return PakEnum("facelib.FaceType", "FaceType", value)


def make_dtype(name, align=False, copy=False) -> DtypeHolder:
    """numpy.dtype: plain numbers only."""
    usual = _USUAL.get(name) if type(name) is str else None
    if usual is not None:
        return DtypeHolder(usual)
    if not isinstance(name, str) or not _DTYPE_NAME.fullmatch(name):
        raise Refused(f"dtype {str(name)[:40]!r} is not a plain number")
    return DtypeHolder(np.dtype(name))


def set_dtype_state(holder: DtypeHolder, state) -> None:
    """``state``: (3, byte order, None, None, None, -1, -1, 0) as numpy writes it for plain numbers."""
    if not isinstance(state, tuple) or len(state) not in (8, 9):
        raise Refused("the state of a dtype is malformed")
    version, order, *fields = state
    plain = version in (3, 4) and order in ("<", ">", "|", "=")
    if not plain or fields[:3] != [None] * 3 or fields[3:6] != [-1, -1, 0]:
        raise Refused("the state of a dtype is not that of a plain number")
    if order in "<>" and (order != _HERE or not holder.dtype.isnative):
        holder.dtype = holder.dtype.newbyteorder(order)


def array_class(*_args):
    """numpy.ndarray: a name to pass on, never called."""
    raise Refused("numpy.ndarray is called")


def reconstruct(kind, shape, code) -> np.ndarray:
    """The empty array whose state comes next."""
    if kind is not array_class or shape != (0,) or code not in (b"b", "b"):
        raise Refused("numpy's _reconstruct has other arguments than numpy gives it")
    return np.ndarray((0,), np.int8)


def set_array_state(array: np.ndarray, state) -> None:
    """``state``: (version, shape, dtype, fortran order, raw bytes); fills ``array`` in place."""
    if not isinstance(state, tuple) or len(state) != 5 or array.size:
        raise Refused("the state of an array is malformed")
    version, shape, holder, fortran, raw = state
    dtype = _check_raw(shape, holder, raw)
    if version not in (1, 2) or not isinstance(fortran, (bool, int)):
        raise Refused("the state of an array is malformed")
    array.__setstate__((1, shape, dtype, bool(fortran), bytes(raw)))  # type: ignore[arg-type]


def from_buffer(raw, holder, shape, order) -> np.ndarray:
    """An array of pickle protocol 5, its bytes in the stream."""
    dtype = _check_raw(shape, holder, raw)
    if order not in ("C", "F"):
        raise Refused("the order of an array is neither C nor F")
    # A copy: frombuffer gives a read-only view that keeps all of the data alive.
    return np.frombuffer(raw, dtype).reshape(shape, order=order).copy(order)


def _check_raw(shape, holder, raw) -> np.dtype:
    """The dtype, once the bytes are exactly those that the shape needs: none can ask for more than the file holds."""
    if not isinstance(holder, DtypeHolder) or not isinstance(raw, (bytes, bytearray)):
        raise Refused("an array is not made of numbers")
    # NumPy 1 has at most 32 dimensions.
    if not isinstance(shape, tuple) or len(shape) > 32 or not all(type(n) is int and 0 <= n < 2**48 for n in shape):
        raise Refused("the shape of an array is malformed")
    count = 1
    # With Python's integers: a product of NumPy's would overflow without a word.
    for n in shape:
        count *= n
    if count * holder.dtype.itemsize != len(raw):
        raise Refused(f"an array of shape {shape} has {len(raw)} bytes")
    return holder.dtype


def make_scalar(holder, raw=b"") -> np.generic:
    """A numpy scalar."""
    return np.frombuffer(raw, _check_raw((), holder, raw))[0]


def encode(text, encoding="latin1") -> bytes:
    """Byte strings of pickle protocol 2."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise Refused("_codecs.encode with another encoding than latin1")
    return text.encode("latin1")


def empty_bytes(*nothing) -> bytes:
    """How protocol 2 spells an empty byte string."""
    if nothing:
        raise Refused("bytes() with arguments")
    return b""


def ordered_dict(pairs=()) -> dict:
    """collections.OrderedDict: a plain dict, which keeps its order, too."""
    if not isinstance(pairs, (list, tuple)) or not all(map(_is_pair, pairs)):
        raise Refused("OrderedDict of something else than pairs")
    return dict(pairs)


def _is_pair(pair) -> bool:
    return isinstance(pair, (list, tuple)) and len(pair) == 2 and isinstance(pair[0], str)


def make_enum(value) -> int:
    """A member of an enum of the original program, as a plain number."""
    if type(value) is not int:
        raise Refused("an enum member that is no number")
    return value


GLOBALS = {
    ("numpy", "ndarray"): array_class,
    ("numpy", "dtype"): make_dtype,
    ("_codecs", "encode"): encode,
    ("__builtin__", "bytes"): empty_bytes,
    ("collections", "OrderedDict"): ordered_dict,
    ("samplelib.Sample", "SampleType"): make_enum,
    ("samplelib", "SampleType"): make_enum,
    ("facelib.FaceType", "FaceType"): make_enum,
    ("facelib", "FaceType"): make_enum,
    **{(f"numpy.{core}.multiarray", "_reconstruct"): reconstruct for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): make_scalar for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): from_buffer for core in ("core", "_core")},
}
CALLABLE = frozenset(GLOBALS.values())


def find_global(module, name):
    """Our function for a global of the data. Raises Refused, naming it."""
    if type(module) is not str or type(name) is not str:
        raise Refused("a global whose name is no text")
    found = GLOBALS.get((module, name))
    if found is None:
        raise Refused(f"the global {module[:80]}.{name[:80]} is not on the allow-list: this file would run code")
    return found
