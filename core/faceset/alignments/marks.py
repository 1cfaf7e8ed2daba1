"""What a person has marked faces with and not carried out yet: kept under ``extra``, so that undoing knows it."""

import json
from collections.abc import Mapping
from typing import Any, Literal

from core.faceset.database.changes import Change
from core.types import Face

KEY = "mark"
Mark = Literal["", "keep", "trash", "unsure"]
MARKS: tuple[Mark, ...] = ("", "keep", "trash", "unsure")
TRASHED = "trashed in the workbench"


def mark_of(extra: str) -> str:
    """The mark in a cell of the column ``extra``; empty where there is none."""
    # Few faces have anything there, and reading JSON takes a while.
    if f'"{KEY}"' not in extra:
        return ""
    try:
        mark = json.loads(extra).get(KEY, "")
    except (ValueError, AttributeError, RecursionError):
        return ""
    return mark if mark in MARKS else ""


def with_mark(extra: Mapping[str, Any], mark: Mark) -> dict[str, Any]:
    """The same with another mark; an empty one takes it off."""
    rest = {name: value for name, value in extra.items() if name != KEY}
    return {**rest, KEY: mark} if mark else rest


def set_mark(change: Change, face: Face, mark: Mark) -> None:
    """Mark a face."""
    change.update(face, extra=with_mark(face.extra, mark))


def carry_out(change: Change, face: Face) -> None:
    """Do what the mark says: what is marked as trash is dropped, what is marked as kept is kept. The mark goes."""
    mark = face.extra.get(KEY, "")
    fields: dict[str, Any] = {"extra": with_mark(face.extra, "")}
    if mark == "trash" and face.status == "kept":
        fields |= {"status": "dropped", "reason": TRASHED}
    if mark == "keep" and face.status != "kept":
        fields |= {"status": "kept", "reason": ""}
    change.update(face, **fields)
