"""Masks calculated from named masks, such as ``learned_dst * xseg_dst - polygons``.

| written | means, at each pixel |
|---|---|
| ``a + b`` | the larger of the two: what is in one or the other |
| ``a - b`` | a - b, not below 0: a without b |
| ``a * b`` | the product: what is in both, edges multiplied |
| ``a & b`` | the smaller of the two: what is in both |
| ``0``, ``0.5``, ``1`` | that number everywhere; ``1 - a`` is what is not in a |

``*`` and ``&`` bind before ``+`` and ``-``; among equals the left one comes first; parentheses as usual. A name has
letters, digits and underscores.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UsageError

Array = NDArray[Any]  # float32

_LONGEST = 500  # characters
_DEEPEST = 30  # parentheses
_TOKEN = re.compile(r"\s*(?:([A-Za-z_][A-Za-z0-9_]*)|([0-9]+(?:\.[0-9]+)?)|([-+*&()]))")


@dataclass(frozen=True)
class Expression:
    """A parsed expression: its text, and its steps in postfix order (names, numbers, operators)."""

    text: str
    steps: tuple[str | float, ...]

    @property
    def names(self) -> frozenset[str]:
        """The masks that it needs."""
        return frozenset(step for step in self.steps if isinstance(step, str) and step not in _OPERATORS)


def parse(text: str) -> Expression:
    """The expression that is written in ``text``.

    Raises:
        UsageError: it is none.
    """
    if len(text) > _LONGEST:
        raise UsageError("a mask expression is too long", why=f"{len(text)} characters, {_LONGEST} are allowed")
    parser = _Parser(text)
    steps = [*parser.added(0)]
    parser.expect_end()
    return Expression(text, tuple(steps))


def evaluate(expression: Expression, masks: Mapping[str, Array]) -> Array:
    """The mask of an expression: float32 0..1, of the shape of ``masks``, which are all alike.

    Raises:
        UsageError: a mask that it names is not there.
    """
    missing = sorted(expression.names - masks.keys())
    if missing:
        raise UsageError(
            f"there is no mask called {missing[0]}", where=expression.text, hint=f"there are {', '.join(sorted(masks))}"
        )
    stack: list[Any] = []
    for step in expression.steps:
        if step in _OPERATORS:
            right, left = stack.pop(), stack.pop()
            stack.append(_OPERATORS[step](left, right))
        else:
            stack.append(masks[step] if isinstance(step, str) else np.float32(step))
    shape = next(iter(masks.values())).shape
    return np.clip(np.broadcast_to(stack[0], shape), 0, 1).astype(np.float32)


_OPERATORS: Mapping[Any, Any] = {
    "+": np.maximum,
    "-": lambda left, right: np.maximum(left - right, 0),
    "*": np.multiply,
    "&": np.minimum,
}


class _Parser:
    """Recursive descent; each method yields the steps of what it has read."""

    def __init__(self, text: str):
        self.text, self.at = text, 0
        self.kind, self.value = "", ""
        self._next()

    def added(self, depth: int) -> Iterator[str | float]:
        yield from self._operated(self._multiplied, "+-", depth)

    def expect_end(self) -> None:
        if self.kind != "end":
            raise self._refused(f"{self.value!r} is not expected")

    def _multiplied(self, depth: int) -> Iterator[str | float]:
        yield from self._operated(self._single, "*&", depth)

    def _operated(self, operand, signs: str, depth: int) -> Iterator[str | float]:
        yield from operand(depth)
        while self.kind == "sign" and self.value in signs:
            sign = self.value
            self._next()
            yield from operand(depth)
            yield sign

    def _single(self, depth: int) -> Iterator[str | float]:
        if depth > _DEEPEST:
            raise self._refused("too many parentheses")
        if self.value == "(" and self.kind == "sign":
            self._next()
            yield from self.added(depth + 1)
            if self.value != ")":
                raise self._refused("a closing parenthesis is missing")
        elif self.kind == "name":
            yield self.value
        elif self.kind == "number" and float(self.value) <= 1:
            yield float(self.value)
        else:
            raise self._refused("a mask, or a number from 0 to 1, is expected")
        self._next()

    def _next(self) -> None:
        rest = self.text[self.at :]
        if not rest.strip():
            self.kind, self.value = "end", ""
            return
        found = _TOKEN.match(rest)
        if found is None:
            raise self._refused(f"{rest.strip()[0]!r} means nothing here")
        self.at += found.end()
        self.kind = ("name", "number", "sign")[(found.lastindex or 1) - 1]
        self.value = found.group(found.lastindex or 1)

    def _refused(self, why: str) -> UsageError:
        return UsageError(
            "cannot read a mask expression",
            where=self.text[:120],
            why=f"{why}, near character {self.at + 1}",
            hint="for example: learned_dst * xseg_dst - polygons",
        )
