"""What a row of ``faces.db`` may hold: SQLite keeps anything in any column, whatever the tables say."""

import itertools
import json
import math
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from core.errors import CorruptFileError
from core.safe_paths import is_name

# Integers and numbers; a text; bytes. None counts as a number: what is not known.
TEXT, WHOLE, NUMBER, BLOB = (str,), (int,), (int, float, type(None)), (bytes, type(None))
_ROWS_AT_ONCE = 50_000


def checked(values: Sequence[Any], kinds: Sequence[tuple[type, ...]], table: str) -> Sequence[Any]:
    """The values of a row, which are of these kinds.

    Raises:
        CorruptFileError: one is of another kind.
    """
    for value, kind in zip(values, kinds, strict=True):
        # Only infinity: SQLite itself turns NaN into NULL.
        if type(value) not in kind or (type(value) is float and math.isinf(value)):
            raise damaged(table, f"{str(value)[:80]!r} is not what belongs there")
    return values


def checked_rows(rows: Iterable[Any], kinds: Sequence[tuple[type, ...]], table: str) -> Iterator[Any]:
    """The rows, each of which :func:`checked`."""
    # Many rows have few patterns of types: a pattern that agrees leaves only the floats to look at.
    floats_of: dict[tuple[type, ...], tuple[int, ...]] = {}
    for values in rows:
        types = tuple(map(type, values))
        floats = floats_of.get(types)
        if floats is None:
            checked(values, kinds, table)
            floats = floats_of[types] = tuple(place for place, kind in enumerate(types) if kind is float)
        for place in floats:
            if math.isinf(values[place]):
                checked(values, kinds, table)
        yield values


def checked_columns(
    rows: Iterable[Sequence[Any]], kinds: Sequence[tuple[type, ...]], table: str
) -> list[Sequence[Any]]:
    """The columns of rows, each of which :func:`checked`: of many rows quicker than one row after the other."""
    columns: list[list[Any]] = [[] for _ in kinds]
    rest = iter(rows)
    # A million rows at once would take more memory than their columns.
    while some := list(itertools.islice(rest, _ROWS_AT_ONCE)):
        for column, values, kind in zip(columns, zip(*some, strict=True), kinds, strict=True):
            types = set(map(type, values))
            if not types <= set(kind) or (float in types and any(math.isinf(value or 0.0) for value in values)):
                for row in some:
                    checked(row, kinds, table)
            column.extend(values)
    return list(columns)


def checked_name(name: Any, table: str, *, levels: int = 1) -> str:
    """The name of a file; of ``levels`` names with slashes between at most.

    Raises:
        CorruptFileError: it is none, and could lead anywhere.
    """
    if is_name(name):
        return name
    parts = name.split("/") if isinstance(name, str) else []
    if not 0 < len(parts) <= levels or not all(map(is_name, parts)):
        raise damaged(table, f"{str(name)[:80]!r} is no name of a file")
    return name


def numbers(pairs: Iterable[tuple[Any, Any]], table: str) -> dict[str, float]:
    """Rows of (text, number) as a dict. Raises as :func:`checked`."""
    return dict(checked(pair, (TEXT, NUMBER), table) for pair in pairs)  # type: ignore[misc]


def json_value(text: Any, table: str) -> Any:
    """The value of a JSON text.

    Raises:
        CorruptFileError: it is none.
    """
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise damaged(table, f"a value that cannot be read: {str(error)[:80]}") from None


def json_object(text: Any, table: str) -> dict[str, Any]:
    """The dict of a JSON text; an empty text is an empty one. Raises as :func:`json_value`."""
    (value,) = checked([json_value(text, table) if text else {}], [(dict,)], table)
    return value


def known(value: float) -> float | None:
    """A number for a cell: NaN is nothing in a database."""
    return None if math.isnan(value) else float(value)


def value_of(value: float | None) -> float:
    """A number from a cell; NULL is NaN."""
    return math.nan if value is None else value


def insert(connection: sqlite3.Connection, table: str, values: Mapping[str, Any]) -> None:
    """Insert a row: column -> value."""
    columns = ", ".join(f'"{name}"' for name in values)
    places = ", ".join(f":{name}" for name in values)
    connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({places})", dict(values))


def damaged(table: str, why: str) -> CorruptFileError:
    """The typed error for a row that makes no sense."""
    return CorruptFileError(
        "the face database is damaged",
        where="faces.db",
        why=f"table {table}: {why}",
        hint="restore it from a backup, or extract the faces again",
    )


# What the name of a file is in the database: also those that are no text, as old archives and other systems leave them.
NAME = (str, bytes)


def stored(name: str) -> str | bytes:
    """The value to put into a column. A name that is not UTF-8 goes in as its bytes, which SQLite keeps as they are."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogateescape")
    return name


def restored(value: str | bytes) -> str:
    """The name in a value that came out of a column."""
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value
