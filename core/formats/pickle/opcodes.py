"""The opcodes of pickled data, each a small function on the state of a run, ``core.formats.pickle.reader.Machine``.

Operands are read with bounds: no opcode allocates more than the bytes that came in.
"""

import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from core.formats.pickle import allow_list, numbers, points
from core.formats.pickle.allow_list import NeedsFullRun, Refused
from core.formats.pickle.limits import MAX_MARKS, validate

_F8, _U2, _I4, _U4, _U8 = (struct.Struct(code).unpack_from for code in (">d", "<H", "<i", "<I", "<Q"))
_KEYS = frozenset({str, int, bytes, float, bool, type(None)})
# Greater ones share their hashes with smaller ones: with enough of them a dict takes for ever. No file of anybody has
# any.
_LARGEST_KEY = 1 << 60
# Numbers that are written as decimal digits end here: a number of a million digits takes minutes to read.
_MAX_DIGITS = 64
_MAX_INTEGER_BYTES = 64
_LARGEST_INDEX = 1 << 32


def _constant(value):
    return lambda m: m.stack.append(value)


def _number(unpack, size):
    def op(m):
        m.stack.append(unpack(m.data, m.pos)[0])
        m.pos += size

    return op


def _length(m, size, unpack):
    """The length that comes first: of ``size`` bytes, a single byte without ``unpack``."""
    n = unpack(m.data, m.pos)[0] if unpack else m.data[m.pos]
    m.pos += size
    return n


def _text(size, unpack=None):
    def op(m):
        # Lone surrogates pass, as in Python's own pickle: names of files may have them.
        m.stack.append(m.take(_length(m, size, unpack)).decode("utf-8", "surrogatepass"))

    return op


def _bytes(size, unpack=None, kind: Callable[[Any], Any] = bytes):
    def op(m):
        m.stack.append(kind(m.take(_length(m, size, unpack))))

    return op


def _long(size, unpack=None):
    def op(m):
        n = _length(m, size, unpack)
        if not 0 <= n <= _MAX_INTEGER_BYTES:
            raise Refused(f"an integer of {n} bytes")
        m.stack.append(int.from_bytes(m.take(n), "little", signed=True))

    return op


def _text_number(m):
    line = m.line()
    value = {"00": False, "01": True}.get(line)  # how protocol 1 spells truth values
    m.stack.append(int(_short(line.rstrip("L"))) if value is None else value)


def _text_float(m):
    m.stack.append(float(_short(m.line())))


def _short(text: str) -> str:
    if len(text) > _MAX_DIGITS:
        raise Refused(f"a number of more than {_MAX_DIGITS} digits")
    return text


def _unicode_line(m):
    end = m.data.find(b"\n", m.pos)
    if end < 0:
        raise Refused("a line without an end")
    m.stack.append(m.take(end + 1 - m.pos)[:-1].decode("raw-unicode-escape"))


def _mark(m):
    if len(m.marks) > MAX_MARKS:
        raise Refused("too many open marks")
    m.marks.append(m.stack)
    m.stack = []


def _empty_list(m):
    if m.points and (found := points.read(m.data, m.pos - 1)):
        values, m.pos = found
        m.count += len(values) + 1  # each of the lists was memoized
        m.stack.append(values)
        return
    new: list = []
    if m.root is None and not m.stack and not m.marks:
        m.root = new
    m.stack.append(new)


def _list(m):
    items = m.pop_mark()
    m.stack.append(items)


def _tuple(m):
    items = m.pop_mark()
    m.stack.append(tuple(items))


def _tuple_of(n):
    def op(m):
        if len(m.stack) < n:
            raise Refused("the stack is empty")
        m.stack[-n:] = [tuple(m.stack[-n:])]

    return op


def _dict(m):
    items = m.pop_mark()
    m.stack.append({})
    _set_items(m, items)


def _set_items(m, items):
    target = m.stack[-1]
    if type(target) is not dict or len(items) % 2:
        raise Refused("keys and values for something that is no dict")
    keys = items[::2]
    kinds = set(map(type, keys))
    for kind in kinds - _KEYS:
        raise Refused(f"a {kind.__name__} as the key of a dict")
    if int in kinds and any(type(key) is int and abs(key) > _LARGEST_KEY for key in keys):
        raise Refused("an integer of that size as the key of a dict")
    target.update(zip(keys, items[1::2], strict=True))
    if m.fold is not None:
        m.fold(target)


def _setitem(m):
    value, key = m.stack.pop(), m.stack.pop()
    _set_items(m, [key, value])


def _setitems(m):
    items = m.pop_mark()
    _set_items(m, items)


def _append(m):
    _extend(m, [m.stack.pop()])


def _appends(m):
    _extend(m, m.pop_mark())


def _extend(m, items):
    target = m.stack[-1]
    if m.lean and type(target) is np.ndarray:
        raise NeedsFullRun
    if type(target) is not list:
        raise Refused("items for something that is no list")
    if m.sink is not None and target is m.root:
        for item in items:
            if item is target:
                raise Refused("a list in itself")
            m.budget = validate(item, m.budget)  # of all items together: each may refer to the same large part
            m.sink(item)
        return
    target.extend(items)


def _put(read):
    def op(m):
        m.put(read(m))
        m.count += 1

    return op


def _get(read):
    return lambda m: m.get(read(m))


def _u1(m):
    m.pos += 1
    return m.data[m.pos - 1]


def _u4(m):
    m.pos += 4
    return _U4(m.data, m.pos - 4)[0]


def _index_line(m):
    index = int(_short(m.line()))
    if not 0 <= index < _LARGEST_INDEX:
        raise Refused(f"memo entry {index}")
    return index


def _global(m):
    module = m.line()
    m.stack.append(allow_list.find_global(module, m.line()))


def _stack_global(m):
    name, module = m.stack.pop(), m.stack.pop()
    m.stack.append(allow_list.find_global(module, name))


def _reduce(m):
    arguments, function = m.stack.pop(), m.stack.pop()
    if (
        type(arguments) is not tuple
        or len(arguments) > 4
        # Before the look-up in the set: what is no function may have no hash.
        or not callable(function)
        or function not in allow_list.CALLABLE
    ):
        raise Refused("a call of something that is no allowed function")
    m.stack.append(function(*arguments))


def _build(m):
    state, target = m.stack.pop(), m.stack[-1]
    if type(target) is allow_list.DtypeHolder:
        allow_list.set_dtype_state(target, state)
    elif type(target) is np.ndarray:
        allow_list.set_array_state(target, state)
    else:
        raise Refused(f"a state for a {type(target).__name__}")


def _proto(m):
    if _u1(m) > 5:
        raise Refused("a pickle protocol above 5")


def _frame(m):
    m.take(8)
    # A frame may begin within a list.
    if m.pos < len(m.data):
        m.pos = numbers.read_run(m.data, m.pos, m.stack)


def _pop(m):
    if m.stack:
        m.stack.pop()
    else:
        m.pop_mark()


def _dup(m):
    m.stack.append(m.stack[-1])


def _pop_mark_op(m):
    m.pop_mark()


def _same(m):
    """READONLY_BUFFER: the value stays as it is."""


# What the format knows and we do not run, by name for the error.
_REFUSED = {
    0x50: "PERSID",
    0x51: "BINPERSID",
    0x69: "INST",
    0x6F: "OBJ",
    0x81: "NEWOBJ",
    0x82: "EXT1",
    0x83: "EXT2",
    0x84: "EXT4",
    0x92: "NEWOBJ_EX",
    0x8F: "EMPTY_SET",
    0x90: "ADDITEMS",
    0x91: "FROZENSET",
    0x97: "NEXT_BUFFER",
}


def _unknown(code):
    def op(m):
        raise Refused(f"opcode {_REFUSED.get(code, hex(code))} at byte {m.pos - 1} is not allowed")

    return op


_OPS: dict[str, Callable[[Any], None]] = {
    "N": _constant(None),  # NONE
    "\x88": _constant(True),  # NEWTRUE
    "\x89": _constant(False),  # NEWFALSE
    "I": _text_number,  # INT
    "L": _text_number,  # LONG
    "F": _text_float,  # FLOAT
    "V": _unicode_line,  # UNICODE
    "J": _number(_I4, 4),  # BININT
    "M": _number(_U2, 2),  # BININT2
    "\x8a": _long(1),  # LONG1
    "\x8b": _long(4, _I4),  # LONG4
    "G": _number(_F8, 8),  # BINFLOAT
    "X": _text(4, _U4),  # BINUNICODE
    "\x8d": _text(8, _U8),  # BINUNICODE8
    "C": _bytes(1),  # SHORT_BINBYTES
    "B": _bytes(4, _U4),  # BINBYTES
    "\x8e": _bytes(8, _U8),  # BINBYTES8
    "\x96": _bytes(8, _U8, bytearray),  # BYTEARRAY8
    "(": _mark,  # MARK
    "]": _empty_list,  # EMPTY_LIST
    "l": _list,  # LIST
    ")": lambda m: m.stack.append(()),  # EMPTY_TUPLE
    "t": _tuple,  # TUPLE
    "\x85": _tuple_of(1),  # TUPLE1
    "\x86": _tuple_of(2),  # TUPLE2
    "\x87": _tuple_of(3),  # TUPLE3
    "}": lambda m: m.stack.append({}),  # EMPTY_DICT
    "d": _dict,  # DICT
    "s": _setitem,  # SETITEM
    "u": _setitems,  # SETITEMS
    "a": _append,  # APPEND
    "e": _appends,  # APPENDS
    "p": _put(_index_line),  # PUT
    "q": _put(_u1),  # BINPUT
    "r": _put(_u4),  # LONG_BINPUT
    "g": _get(_index_line),  # GET
    "h": _get(_u1),  # BINGET
    "j": _get(_u4),  # LONG_BINGET
    "c": _global,  # GLOBAL
    "\x93": _stack_global,  # STACK_GLOBAL
    "R": _reduce,  # REDUCE
    "b": _build,  # BUILD
    "\x80": _proto,  # PROTO
    "\x95": _frame,  # FRAME
    "0": _pop,  # POP
    "1": _pop_mark_op,  # POP_MARK
    "2": _dup,  # DUP
    "\x98": _same,  # READONLY_BUFFER
}
# Opcode -> what it does; SHORT_BINUNICODE, MEMOIZE and BININT1 are in the reader itself.
TABLE = [_OPS.get(chr(code)) or _unknown(code) for code in range(256)]
