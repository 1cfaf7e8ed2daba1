"""How the extraction was asked for, and what it learned of the film."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from core.faceset.database.cells import TEXT, WHOLE, checked, damaged, json_value

_MOST_FRAMES = 10**8  # of a film: it would last five weeks


def read_settings(connection: sqlite3.Connection) -> dict[str, Any]:
    """How the extraction was asked for; empty in a new file."""
    rows = connection.execute("SELECT key, value FROM settings ORDER BY key")
    return {key: json_value(value, "settings") for key, value in rows}


def write_settings(connection: sqlite3.Connection, settings: Mapping[str, Any]) -> None:
    """Replace the recorded settings (JSON values)."""
    rows = [(key, json.dumps(value)) for key, value in settings.items()]
    with connection:
        connection.execute("DELETE FROM settings")
        connection.executemany("INSERT INTO settings VALUES (?, ?)", rows)


def write_sources(connection: sqlite3.Connection, paths: Sequence[str]) -> None:
    """Remember which films and folders the frames come from; none where they are the side's own."""
    with connection:
        connection.execute("INSERT OR REPLACE INTO state VALUES ('sources', ?)", (json.dumps(list(paths)),))


def read_sources(connection: sqlite3.Connection) -> tuple[str, ...]:
    """What ``write_sources`` left."""
    row = connection.execute("SELECT value FROM state WHERE key = 'sources'").fetchone()
    (paths,) = checked([json_value(row[0], "state") if row else []], [(list,)], "state")
    return tuple(checked(paths, [TEXT] * len(paths), "state"))


def write_film_length(connection: sqlite3.Connection, film: Mapping[str, Any], frames: int) -> None:
    """Remember how many frames a film gave, read to its end. film: what tells it from others (JSON values)."""
    value = json.dumps({"film": dict(film), "frames": frames})
    with connection:
        connection.execute("INSERT OR REPLACE INTO state VALUES ('film', ?)", (value,))


def film_length(connection: sqlite3.Connection) -> tuple[dict[str, Any], int] | None:
    """What ``write_film_length`` left: the film and how many frames it has; None where there is nothing."""
    row = connection.execute("SELECT value FROM state WHERE key = 'film'").fetchone()
    if row is None:
        return None
    (value,) = checked([json_value(row[0], "state")], [(dict,)], "state")
    film, frames = checked([value.get("film"), value.get("frames")], [(dict,), WHOLE], "state")
    if not 0 <= frames <= _MOST_FRAMES:
        raise damaged("state", f"no film has {frames} frames")
    return film, frames
