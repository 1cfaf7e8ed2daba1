"""What is done to sound files: damage as disks and networks make it, and values that somebody chose to harm."""

import json
import random
import sqlite3
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fuzzing.samples import Tree

Random = random.Random
_ODD_TEXTS = (
    "",
    ".",
    "..",
    "../../home/id_rsa",
    "/etc/hostname",
    "a/b",
    "a\\b",
    "\0",
    "\x1b[2J",
    "x" * 300,
    "\ud800",
    "é",
    "NaN",
    "-1",
)
_ODD_NUMBERS = (
    0,
    1,
    -1,
    255,
    256,
    2**31 - 1,
    2**31,
    2**32,
    2**53,
    2**63,
    -(2**63),
    10**30,
    0.5,
    1e308,
    float("inf"),
    float("nan"),
)
_ODD_VALUES = (None, True, False, [], {}, [[]], {"polys": None}, [1, "a"], *_ODD_TEXTS, *_ODD_NUMBERS)
_INTERESTING = (0, 1, 0x7F, 0x80, 0xFE, 0xFF)


def mutated(tree: Tree, rng: Random) -> Tree:
    """The tree with one of its files changed, some times."""
    names = sorted(tree)
    name = rng.choice(names)
    data = tree[name]
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        data = rng.choice(_mutators(name, data))(data, rng)
    return {**tree, name: data}


def _mutators(name: str, data: bytes) -> list[Callable[[bytes, Random], bytes]]:
    """What can be done to a file, by its kind."""
    general = [flipped, overwritten, truncated, spliced, inserted, deleted, length_lie]
    if name.endswith((".json", ".jsonl")):
        return [json_swapped] * 12 + general
    if data.startswith(b"SQLite format 3"):
        return [cell_swapped] * 10 + [page_swapped] * 2 + general
    if data[:2] in (b"\xff\xd8", b"II", b"MM") or data[:4] in (b"\x89PNG", b"RIFF"):
        return [*general, header_lie, header_lie, header_flipped, header_flipped]
    return [*general, header_flipped]


def flipped(data: bytes, rng: Random) -> bytes:
    """Some bits."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 2, 8))):
        if out:
            out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def header_flipped(data: bytes, rng: Random) -> bytes:
    """A byte among the first, where formats say what follows."""
    if not data:
        return data
    at = rng.randrange(min(len(data), 400))
    return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]


def overwritten(data: bytes, rng: Random) -> bytes:
    """A run of bytes with one value, or with noise."""
    if not data:
        return data
    at, length = rng.randrange(len(data)), rng.choice((1, 2, 4, 8, 64))
    noise = rng.randbytes(length) if rng.random() < 0.5 else bytes([rng.choice(_INTERESTING)]) * length
    return data[:at] + noise + data[at + length :]


def truncated(data: bytes, rng: Random) -> bytes:
    """Cut short."""
    return data[: rng.randrange(len(data) + 1)]


def spliced(data: bytes, rng: Random) -> bytes:
    """A part of it in another place."""
    if len(data) < 2:
        return data
    start, at = rng.randrange(len(data)), rng.randrange(len(data))
    part = data[start : start + rng.choice((4, 16, 64, 1024))]
    return data[:at] + part + data[at + (len(part) if rng.random() < 0.5 else 0) :]


def inserted(data: bytes, rng: Random) -> bytes:
    """Some bytes more."""
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.randbytes(rng.choice((1, 2, 4, 16))) + data[at:]


def deleted(data: bytes, rng: Random) -> bytes:
    """Some bytes less."""
    at = rng.randrange(len(data) + 1)
    return data[:at] + data[at + rng.choice((1, 2, 4, 16, 256)) :]


def length_lie(data: bytes, rng: Random) -> bytes:
    """A number of two, four or eight bytes with another value: a length, an offset, a count."""
    code = rng.choice(("<H", ">H", "<I", ">I", "<Q", ">Q"))
    size = struct.calcsize(code)
    if len(data) < size:
        return data
    # Lengths lie in front of what they are of, most often at the beginning or the end of a file.
    at = rng.choice(
        (
            rng.randrange(min(len(data) - size + 1, 300)),
            max(0, len(data) - size - rng.randrange(100)),
            rng.randrange(len(data) - size + 1),
        )
    )
    (now,) = struct.unpack_from(code, data, at)
    most = (1 << 8 * size) - 1
    value = rng.choice((0, 1, most, most >> 1, now + 1, now - 1, now * 2, now << 8, rng.randrange(most))) & most
    return data[:at] + struct.pack(code, value) + data[at + size :]


def header_lie(data: bytes, rng: Random) -> bytes:
    """The size of an image."""
    height, width = (rng.choice((0, 1, 47, 4000, 16_383, 60_000, 65_535)) for _ in range(2))
    if data[:4] == b"\x89PNG" and len(data) > 24:
        return data[:16] + struct.pack(">II", width, height) + data[24:]
    for marker in (b"\xff\xc0", b"\xff\xc2"):
        at = data.find(marker)
        if data[:2] == b"\xff\xd8" and 0 < at < len(data) - 9:
            return data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9 :]
    return length_lie(data, rng)


def json_swapped(data: bytes, rng: Random) -> bytes:
    """Values, keys and lists of a JSON text, or of one of its lines, made into others."""
    lines = data.split(b"\n")
    number = rng.randrange(len(lines)) if len(lines) > 3 and data[:1] == b"{" and lines[1][:1] == b"{" else None
    text = data if number is None else lines[number]
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return flipped(data, rng)
    out = json.dumps(_swapped(value, rng), ensure_ascii=True).encode()
    if number is None:
        return out
    return b"\n".join([*lines[:number], out, *lines[number + 1 :]])


def _swapped(value: Any, rng: Random) -> Any:
    places = list(_places(value))
    if not places or rng.random() < 0.03:
        return rng.choice(_ODD_VALUES)
    container, key = rng.choice(places)
    kind = rng.random()
    if kind < 0.6:
        container[key] = rng.choice(_ODD_VALUES)
    elif kind < 0.7:
        del container[key]
    elif kind < 0.8:
        other, place = rng.choice(places)
        container[key] = other[place] if other is not container else rng.choice(_ODD_VALUES)
    elif kind < 0.9:
        container[key] = [container[key]] * rng.choice((2, 40))
    elif isinstance(container, dict):
        container[rng.choice(_ODD_TEXTS)] = container.pop(key)
    else:
        container.insert(key, rng.choice(_ODD_VALUES))
    try:
        json.dumps(value)
    except (ValueError, RecursionError):  # a part within itself
        return rng.choice(_ODD_VALUES)
    return value


def _places(value: Any):
    """(container, key) of all that is in a value."""
    todo = [value]
    while todo:
        item = todo.pop()
        keys = list(item) if isinstance(item, dict) else range(len(item)) if isinstance(item, list) else ()
        for key in keys:
            yield item, key
            todo.append(item[key])


def cell_swapped(data: bytes, rng: Random) -> bytes:
    """A cell of a table, or several, with a value of any kind; sometimes the tables themselves."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        path = Path(folder) / "x.db"
        path.write_bytes(data)
        try:
            connection = sqlite3.connect(path, isolation_level=None)
            connection.text_factory = bytes
            connection.execute("PRAGMA writable_schema = ON")
            _swap_cells(connection, rng)
            connection.close()
        except (sqlite3.Error, UnicodeError, OverflowError):
            return flipped(data, rng)
        return path.read_bytes()


_TABLES = (
    "CREATE VIEW {0} AS SELECT * FROM sqlite_master",
    "DROP TABLE {0}",
    "ALTER TABLE {0} RENAME TO other",
    "PRAGMA user_version = {1}",
)


def _swap_cells(connection: sqlite3.Connection, rng: Random) -> None:
    tables = [
        row[0].decode(errors="replace")
        for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    ]
    if not tables:
        return
    table = rng.choice(tables)
    if rng.random() < 0.08:
        connection.execute(rng.choice(_TABLES).format(table, rng.choice((0, 1, 2, 3, -1))))
        return
    columns = [row[1].decode(errors="replace") for row in connection.execute(f'PRAGMA table_info("{table}")')]
    if not columns:  # its description is damaged already
        return
    column = rng.choice(columns)
    values = (
        *_ODD_NUMBERS[:-5],
        0.5,
        None,
        b"",
        b"\xff\xfe",
        rng.randbytes(9),
        bytes(1088),
        "",
        "x",
        "../../x",
        "{",
        "[" * 2000,
    )
    value = rng.choice(values)
    where = (
        ""
        if rng.random() < 0.3
        else f' WHERE "{columns[0]}" = (SELECT "{columns[0]}" FROM "{table}" ORDER BY random() LIMIT 1)'
    )
    if value == "x" and rng.random() < 0.5:  # a text that is none
        connection.execute(f'UPDATE "{table}" SET "{column}" = CAST(x\'fffe41\' AS TEXT){where}')
    else:
        connection.execute(
            f'UPDATE "{table}" SET "{column}" = ?{where}',
            (value if value is None or not isinstance(value, int) else max(-(2**63), min(value, 2**63 - 1)),),
        )


def page_swapped(data: bytes, rng: Random) -> bytes:
    """A page of a database in the place of another: trees that lead in circles."""
    size = int.from_bytes(data[16:18]) or 4096
    count = len(data) // size
    if count < 3 or size < 512:
        return flipped(data, rng)
    source, target = rng.randrange(1, count), rng.randrange(1, count)
    return data[: target * size] + data[source * size : (source + 1) * size] + data[(target + 1) * size :]
