"""Filter, sort and group the faces of a side: a query gives ids in an order, and columns of numbers beside them.

A query is the text behind the question mark, so it can be a link or a saved tab, such as
``status=kept&yaw=-0.4..0.4&sort=-size``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UsageError, did_you_mean
from core.workbench.answers import headed
from core.workbench.sides.table import FaceTable

SORT, GROUP, COLUMNS = "sort", "group", "columns"


@dataclass(frozen=True, eq=False)
class View:
    """Faces in an order. rows: of the table, (m,). groups: (name, how many), in order; empty without grouping."""

    rows: NDArray[np.intp]
    groups: tuple[tuple[str, int], ...] = ()


def look(table: FaceTable, query: Iterable[tuple[str, str]]) -> View:
    """The faces that a query asks for. A filter that is given several times takes any of its values.

    Raises:
        UsageError: a name or a value makes no sense.
    """
    wanted: dict[str, list[str]] = {}
    for name, value in query:
        wanted.setdefault(name, []).append(value)
    sort, group = (wanted.pop(name, [""])[-1] for name in (SORT, GROUP))
    wanted.pop(COLUMNS, None)
    chosen = np.ones(len(table), bool)
    for name, values in wanted.items():
        chosen &= np.logical_or.reduce([_agrees(table, name, value) for value in values])
    rows = np.flatnonzero(chosen)
    if sort:
        rows = rows[_order(table, sort, rows)]
    return _grouped(table, group, rows) if group else View(rows)


def block(
    table: FaceTable, view: View, names: Sequence[str], revision: str, more: Mapping[str, NDArray] | None = None
) -> bytes:
    """What a page gets: a head (``answers.headed``), the ids as uint64, then each column as float32.

    The columns with words have numbers; the head has the words. more: columns that the table does not have.
    """
    more = more or {}
    columns = [more[name] if name in more else _column(table, name) for name in names]
    words = {name: table.words[name][1] for name in names if name in table.words}
    head: dict[str, Any] = {
        "count": len(view.rows),
        "total": len(table),
        "revision": revision,
        "groups": view.groups,
        "columns": list(names),
        "words": words,
    }
    data = [np.asarray(column[view.rows], "<f4").tobytes() for column in columns]
    return headed(head, table.ids[view.rows].astype("<u8").tobytes(), *data)


def known_columns(table: FaceTable) -> list[str]:
    """Names of everything that can be filtered, sorted or shown."""
    return ["frame", *table.words, *table.numbers]


def counts(table: FaceTable) -> dict[str, dict[str, int]]:
    """How many faces have which word."""
    found = {}
    for name, (codes, known) in table.words.items():
        numbers = np.bincount(codes, minlength=len(known))
        found[name] = {word: int(number) for word, number in zip(known, numbers, strict=True) if number}
    return found


def _column(table: FaceTable, name: str) -> NDArray:
    if name == "frame":
        return table.frames
    if name in table.words:
        return table.words[name][0]
    if name in table.numbers:
        return table.numbers[name]
    hint = did_you_mean(name, known_columns(table)) or f"there are {', '.join(known_columns(table))}"
    raise UsageError("nothing is known under this name", where=name[:40], hint=hint)


def _agrees(table: FaceTable, name: str, value: str) -> NDArray[np.bool_]:
    column = _column(table, name)
    if name in table.words:
        number_of: Mapping[str, int] = {word: number for number, word in enumerate(table.words[name][1])}
        return column == number_of.get(value, -1)
    low, dots, high = value.partition("..")
    least = _value(low, name) if low else -np.inf
    most = (_value(high, name) if high else np.inf) if dots else least
    return (column >= least) & (column <= most)


def _value(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError:
        hint = "a number, or a range such as -0.5..0.5, 3.. or ..7"
        raise UsageError("this is no number", where=f"{name}={text[:40]}", hint=hint) from None


def _order(table: FaceTable, sort: str, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """What is not known comes last, whichever way."""
    values = np.asarray(_column(table, sort.removeprefix("-")), np.float64)[rows]
    return np.argsort(-values if sort.startswith("-") else values, kind="stable")


def _grouped(table: FaceTable, group: str, rows: NDArray[np.intp]) -> View:
    codes = np.asarray(_column(table, group), np.float64)[rows]
    rows, codes = rows[np.argsort(codes, kind="stable")], np.sort(codes, kind="stable")
    values, sizes = np.unique(codes, return_counts=True)
    known = table.words[group][1] if group in table.words else None
    names = [known[int(value)] if known else f"{value:.10g}" for value in values]
    return View(rows, tuple(zip(names, map(int, sizes), strict=True)))
