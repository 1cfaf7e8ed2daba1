"""Runs of small integers or of floats in pickled data, read at once: thumbnails and identity vectors are such lists."""

import numpy as np

_BYTE, _FLOAT = 0x4B, 0x47  # BININT1, BINFLOAT
# Items that are looked at in one go.
_WINDOW = 4096
_FLOATS = np.dtype([("op", "S1"), ("value", ">f8")])


def read_run(data, pos: int, stack: list) -> int:
    """Push the numbers that begin at ``pos`` onto ``stack``; returns the position after them.

    A run of less than three is left to the interpreter.
    """
    code = data[pos]
    if code == _BYTE and data[pos + 2] == _BYTE and data[pos + 4] == _BYTE:
        return _read(data, pos, stack, 2)
    if code == _FLOAT and len(data) > pos + 18 and data[pos + 9] == _FLOAT and data[pos + 18] == _FLOAT:
        return _read(data, pos, stack, 9)
    return pos


def _read(data, pos: int, stack: list, step: int) -> int:
    code = b"K" if step == 2 else b"G"
    while True:
        # Of opcodes that all have the same length, the first of another kind ends the run.
        opcodes = data[pos : pos + step * _WINDOW : step]
        count = min(len(opcodes) - len(opcodes.lstrip(code)), (len(data) - pos) // step)
        end = pos + step * count
        if step == 2:
            stack.extend(data[pos + 1 : end : 2])
        else:
            stack.extend(np.frombuffer(data[pos:end], _FLOATS)["value"].tolist())
        if count < _WINDOW:
            return end
        pos = end
