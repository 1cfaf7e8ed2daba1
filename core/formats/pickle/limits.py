"""How much pickled data may ask for: no value may unfold to more than a small multiple of the bytes it came from."""

from typing import Any

import numpy as np

from core.formats.pickle.allow_list import Refused

MAX_DEPTH = 64
MAX_MARKS = 4 * MAX_DEPTH
_LEAVES = frozenset({int, float, bool, type(None)})
# Bytes that a value may unfold to, beside so many for each byte of the data.
_BUDGET, _BUDGET_PER_BYTE = 1_000_000, 16


def budget_of(size: int) -> int:
    """Bytes that the value in ``size`` bytes of data may take, about, when a shared part counts as often as it is
    reached.
    """
    return _BUDGET + _BUDGET_PER_BYTE * size


def validate(value: Any, budget: int) -> int:
    """Refuse what would explode when walked: cycles, sharing that unfolds, deep nesting, strange types.

    Returns what is left of ``budget``, as of :func:`budget_of`.

    Raises:
        Refused: ``value`` is such a thing.
    """
    todo: list[tuple[Any, int]] = [(value, 0)]
    while todo:
        item, depth = todo.pop()
        kind = type(item)
        if kind in (str, bytes, bytearray):
            budget -= len(item)
        elif kind in (list, tuple, dict):
            budget -= 8 * len(item)
            for child in item.values() if kind is dict else item:
                child_kind = type(child)
                if child_kind is str:  # counted here: most of a record are texts and numbers
                    budget -= len(child)
                elif child_kind not in _LEAVES:
                    todo.append((child, depth + 1))
        elif kind is np.ndarray:
            budget -= item.nbytes
        elif kind not in _LEAVES and not isinstance(item, np.generic):
            raise Refused(f"a bare {kind.__name__} as a value")
        if budget < 0:
            raise Refused("shared parts unfold to far more than the size of the data")
        if depth > MAX_DEPTH:
            raise Refused(f"nested more than {MAX_DEPTH} deep")
    return budget
