"""An interpreter for pickled data (protocols 0 to 5) that can build plain values and numpy arrays, and nothing else.

It is written out instead of derived from ``pickle.Unpickler`` so that no opcode can allocate more than the bytes that
came in: memo indices, lengths, shapes and nesting are all bounded by the size of the data. Lists of (x, y) pairs,
nearly all of a face's metadata, have a fast way.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from core.formats.pickle import numbers
from core.formats.pickle.allow_list import NeedsFullRun, Refused
from core.formats.pickle.limits import MAX_MARKS, budget_of
from core.formats.pickle.opcodes import TABLE

_BULK = frozenset({list, tuple, dict, np.ndarray, bytearray})
_LONGEST_KEPT = 64  # bytes
_NUMBERS = b"KG"


class Machine:
    """The state of one run.

    lean: forget containers at once, which is fast (NeedsFullRun when that was wrong).
    points: lists of pairs become float64 (n, 2) arrays, only when lean.
    sink: takes the items of the outermost list one by one, which then is empty in the result.
    fold: is given every dict that got items, to replace bulky values of it by smaller ones; byte strings are kept for
    later references then, since the result has them anyway.
    """

    __slots__ = (
        "budget",
        "count",
        "data",
        "fold",
        "lean",
        "longest_kept",
        "marks",
        "memo",
        "points",
        "pos",
        "root",
        "sink",
        "stack",
    )

    def __init__(
        self,
        data,
        *,
        lean: bool = False,
        points: bool = False,
        sink: Callable[[Any], None] | None = None,
        fold: Callable[[dict], None] | None = None,
    ):
        self.data, self.lean, self.points, self.sink, self.fold = data, lean, points and lean, sink, fold
        self.longest_kept = len(data) if fold else _LONGEST_KEPT
        self.pos, self.count = 0, 0
        self.stack: list = []
        self.marks: list[list] = []
        self.memo: dict[int, Any] = {}
        self.root: list | None = None
        self.budget = budget_of(len(data))

    def run(self) -> Any:
        """The value.

        Raises:
            Refused: the data asks for something that is not allowed.
            NeedsFullRun: a lean run took a short cut too many.
            IndexError, struct.error, ...: what Python raises on malformed input.
        """
        data, table, memo, lean, pos = self.data, TABLE, self.memo, self.lean, self.pos
        stack = self.stack
        size = len(data)
        while True:  # the opcodes that make up most of a face's metadata are written out here, for speed
            code = data[pos]
            pos += 1
            if code == 0x8C:  # SHORT_BINUNICODE
                end = pos + 1 + data[pos]
                if end > size:
                    raise Refused("a length reaches beyond the end of the data")
                # As pickle itself reads texts: a file name that is no UTF-8 has lone surrogates.
                text = str(data[pos + 1 : end], "utf-8", "surrogatepass")
                stack.append(text)
                pos = end
                if pos < size and data[pos] == 0x94:  # and MEMOIZE
                    memo[self.count] = text
                    self.count += 1
                    pos += 1
            elif code == 0x94:  # MEMOIZE
                if not lean or _worth_keeping(stack[-1], self.longest_kept):
                    memo[self.count] = stack[-1]
                self.count += 1
            elif code == 0x4B:  # BININT1
                stack.append(data[pos])
                pos += 1
            elif code == 0x68 and data[pos] in memo:  # BINGET
                stack.append(memo[data[pos]])
                pos += 1
            elif code == 0x4E:  # NONE
                stack.append(None)
            # Beyond the limit the function in the table refuses it.
            elif code == 0x28 and len(self.marks) <= MAX_MARKS:  # MARK
                self.marks.append(stack)
                stack = self.stack = []
                if data[pos] in _NUMBERS:
                    pos = numbers.read_run(data, pos, stack)
            elif code == 0x2E:  # STOP
                break
            else:
                self.pos = pos
                table[code](self)
                pos, stack = self.pos, self.stack
        if len(self.stack) != 1 or self.marks:
            raise Refused("values are left over at the end")
        return self.stack[0]

    def take(self, n: int) -> bytes:
        """The next ``n`` bytes."""
        start = self.pos
        if n > len(self.data) - start:
            raise Refused("a length reaches beyond the end of the data")
        self.pos = start + n
        return self.data[start : start + n]

    def line(self) -> str:
        end = self.data.find(b"\n", self.pos, self.pos + 4096)
        if end < 0:
            raise Refused("a line without an end")
        return self.take(end + 1 - self.pos)[:-1].decode("ascii")

    def pop_mark(self) -> list:
        items = self.stack
        self.stack = self.marks.pop()
        return items

    def put(self, index: int) -> None:
        if not self.lean or _worth_keeping(self.stack[-1], self.longest_kept):
            self.memo[index] = self.stack[-1]

    def get(self, index: int) -> None:
        if index not in self.memo:
            raise NeedsFullRun if self.lean else Refused(f"memo entry {index} does not exist")
        self.stack.append(self.memo[index])


def _worth_keeping(value: Any, longest: int) -> bool:
    """Whether a lean run keeps it for later references: texts, functions, dtypes and shapes, but nothing bulky."""
    kind = type(value)
    if kind is tuple:
        return len(value) <= 4 and all(type(item) is int for item in value)
    return kind is str or not (kind in _BULK or (kind is bytes and len(value) > longest))
