"""Whether a run goes on with the settings of the one before."""

import sqlite3
import time
from pathlib import Path
from typing import Any

from core.console import size_text
from core.errors import InputError
from core.faceset.database import extraction, frames
from core.jobs.extract.settings import FINDING


def agree(connection: sqlite3.Connection, settings: dict[str, Any], where: Path, *, retry: bool) -> None:
    """Record the settings of a new run; those of one that goes on have to be the recorded ones.

    retry: only frames without a face are looked at, so that what faces are found by may differ; it is not recorded.

    Raises:
        InputError: they differ, and there are faces already.
    """
    recorded = extraction.read_settings(connection)
    changed = [key for key in {**settings, **recorded} if recorded.get(key) != settings.get(key)]
    if not changed or (retry and recorded and FINDING.issuperset(changed)):
        return
    if any(frames.faces_by_frame(connection).values()):
        differences = (
            f"{key.replace('_', '-')}: {_in_words(recorded.get(key))} -> {_in_words(settings.get(key))}"
            for key in changed
        )
        raise InputError(
            "the faces there were extracted with other options",
            where=where,
            why=", ".join(differences),
            hint="give the same options to go on, or --overwrite to extract again "
            "(the old faces move to workspace/.trash)",
        )
    # No frame has a face, but the other settings might find some: all of them are looked at again.
    frames.forget(connection)
    extraction.write_settings(connection, settings)


def _in_words(value: Any) -> str:
    """A recorded setting for people; a film by what tells it from others."""
    if value is None:
        return "not set"
    if isinstance(value, dict) and isinstance(value.get("sources"), list):
        return " and ".join(map(_in_words, value["sources"]))
    film = value.get("video", value) if isinstance(value, dict) else value
    if not isinstance(film, dict):
        return str(film)
    try:
        changed = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(film["mtime_ns"] / 1e9))
        return f"{film['name']} ({size_text(film['size'])}, of {changed})"
    except (LookupError, TypeError, ValueError, OverflowError):  # of frames that a person put there, or damaged
        return "frames of unknown origin"
