"""Where the faces come from: sources, and the frames of each that were looked at."""

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.faceset.database.cells import (
    BLOB,
    NAME,
    NUMBER,
    TEXT,
    WHOLE,
    checked,
    checked_rows,
    insert,
    json_object,
    restored,
    stored,
)

# The one source of a side until somebody names others: its folder of frames, or the film that these come from.
DEFAULT_SOURCE = "."
_MOST_DIGITS = 18  # that SQLite takes as a number
LOOK_BYTES = 8 * 8 * 3


@dataclass(frozen=True)
class FrameRow:
    """A frame that was looked at.

    name: its file name.
    status: ``done`` or ``corrupt``.
    error: why it could not be read, or empty.
    time: seconds, when it is shown; None where that is not known.
    width, height: pixels; 0 where that is not known.
    look: mean colours of 8 x 8 parts of it, uint8 BGR, row by row: 192 bytes, or empty where nobody has looked.
    extra: what other programs say of it and we have no column for (JSON values).
    """

    name: str
    status: str = "done"
    error: str = ""
    time: float | None = None
    width: int = 0
    height: int = 0
    look: bytes = b""
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """A folder of frames, or a film.

    path: relative to the side. kind: ``frames`` or ``film``. fps: frames a second; None where that is not known.
    """

    path: str = DEFAULT_SOURCE
    kind: str = "frames"
    fps: float | None = None


OWN_SOURCE = Source()


def add_source(
    connection: sqlite3.Connection, path: str = DEFAULT_SOURCE, kind: str = "frames", fps: float | None = None
) -> int:
    """The number of a source, a new one if need be; see ``Source``."""
    connection.execute("INSERT OR IGNORE INTO sources (path, kind) VALUES (?, ?)", (path, kind))
    if fps is not None:
        connection.execute("UPDATE sources SET fps = ? WHERE path = ?", (fps, path))
    return connection.execute("SELECT source FROM sources WHERE path = ?", (path,)).fetchone()[0]


def add_frame(connection: sqlite3.Connection, source: int, frame: FrameRow) -> int:
    """Insert a frame; returns its number in the table."""
    values = {
        "source": source,
        "name": stored(frame.name),
        "number": frame_number(frame.name),
        "status": frame.status,
        "error": frame.error,
        "time": frame.time,
        "width": frame.width or None,
        "height": frame.height or None,
        "look": frame.look or None,
        "extra": json.dumps(dict(frame.extra)) if frame.extra else "",
    }
    insert(connection, "frames", values)
    return connection.execute("SELECT last_insert_rowid()").fetchone()[0]


def note_more(connection: sqlite3.Connection, frame: int, more: FrameRow) -> None:
    """Add to the frame with this number what is not known of it yet: its size, its time; ``extra`` by its keys."""
    row = connection.execute("SELECT extra FROM frames WHERE frame = ?", (frame,)).fetchone()
    extra = json_object(row[0], "frames") | dict(more.extra)
    query = """
    UPDATE frames SET time = COALESCE(time, ?), width = COALESCE(width, ?), height = COALESCE(height, ?), extra = ?
    WHERE frame = ?
    """
    values = (more.time, more.width or None, more.height or None, json.dumps(extra) if extra else "", frame)
    connection.execute(query, values)


def frame_number(name: str) -> int | None:
    """The number at the end of the name of a frame, such as ``00012.png`` or ``holiday_00012.png``."""
    digits = os.path.splitext(name)[0].rpartition("_")[2]
    # isdigit alone accepts superscripts and digits of other scripts, which int refuses or reads otherwise.
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS else None


def remove_frame(connection: sqlite3.Connection, source: int, name: str) -> None:
    """Forget a frame, its faces and what was measured of them: the foreign keys cascade."""
    connection.execute("DELETE FROM frames WHERE source = ? AND name = ?", (source, stored(name)))


def forget(connection: sqlite3.Connection) -> None:
    """Drop every frame, and with it its faces and all that is known of them; files are not touched."""
    with connection:
        connection.execute("DELETE FROM frames")


_FRAME_KINDS = (NAME, TEXT, TEXT, NUMBER, NUMBER, NUMBER, BLOB, TEXT)


def frames(connection: sqlite3.Connection) -> Iterator[FrameRow]:
    """All frames that were looked at, by name."""
    query = "SELECT name, status, error, time, width, height, look, extra FROM frames ORDER BY name"
    for values in connection.execute(query):
        name, status, error, time, width, height, look, extra = checked(values, _FRAME_KINDS, "frames")
        yield FrameRow(
            restored(name),
            status,
            error,
            time,
            int(width or 0),
            int(height or 0),
            look or b"",
            json_object(extra, "frames"),
        )


def looks(connection: sqlite3.Connection) -> dict[str, bytes]:
    """The readable frames and what they look like (``FrameRow.look``), by name: of many far quicker than whole rows."""
    rows = connection.execute("SELECT name, look FROM frames WHERE status = 'done' ORDER BY name")
    return {restored(name): look or b"" for name, look in checked_rows(rows, (NAME, BLOB), "frames")}


def frame_ids(connection: sqlite3.Connection) -> dict[str, int]:
    """Name of a frame -> its number in the table."""
    query = connection.execute("SELECT name, frame FROM frames")
    return {restored(name): frame for name, frame in checked_rows(query, (NAME, WHOLE), "frames")}


def faces_by_frame(connection: sqlite3.Connection) -> dict[str, int]:
    """How many faces each frame that was looked at gave, by name of the frame."""
    query = """
    SELECT frames.name, COUNT(faces.face) FROM frames
    LEFT JOIN faces ON faces.frame = frames.frame AND faces.status = 'kept'
    GROUP BY frames.name ORDER BY frames.name
    """
    return {restored(name): count for name, count in checked_rows(connection.execute(query), (NAME, WHOLE), "frames")}
