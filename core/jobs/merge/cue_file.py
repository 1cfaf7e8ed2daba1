"""Changes to a file of cues that somebody may also write by hand: cues come and go, every other line stays as it is."""

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core import fsio
from core.errors import CorruptFileError, InputError, UsageError
from core.jobs.merge.cues import WHERE, FaceSettings, cues_of
from core.safe_files import damaged, read_text

# What the file was before the last change.
BEFORE = ".before"
_HEADER = re.compile(r"[ \t]*\[\[[ \t]*cue[ \t]*\]\]")
_BY_HAND = "change the file by hand: it is written in a way that only you know how to keep"


def read(path: Path) -> str:
    """The text of a file of cues; empty where there is none."""
    return read_text(path) if path.exists() else ""


def revision_of(text: str) -> str:
    """Another one for every other text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def table_of(text: str, path: Path) -> dict[str, Any]:
    """What the text says. path: for errors.

    Raises:
        CorruptFileError: it is no TOML.
    """
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise damaged("damaged cues", path, error) from None


def with_cue(text: str, where: Mapping[str, Any], changes: Mapping[str, Any], path: Path) -> str:
    """The text with one more cue at its end.

    where: frames, scene, person, those that choose. changes: settings and their values.

    Raises:
        UsageError: the cue says nothing, or what no cue can say. CorruptFileError: the file is damaged.
    """
    if not changes:
        raise UsageError("this cue changes nothing", hint="change an option first")
    before = table_of(text, path)
    cue = {name: where[name] for name in WHERE if where.get(name) not in (None, "")} | dict(changes)
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    made = text + gap + "\n".join(["[[cue]]", *(f"{name} = {_value(value)}" for name, value in cue.items()), ""])
    _require_same(made, {**before, "cue": [*_cues(before, path), cue]}, path)
    cues_of(table_of(made, path), path, FaceSettings())
    return made


def without_cue(text: str, number: int, path: Path) -> str:
    """The text without one cue and what stands inside of it. number: from 1.

    Raises:
        InputError: there is no such cue, or it cannot be told apart from the rest of the text.
    """
    before = table_of(text, path)
    cues = _cues(before, path)
    if not 1 <= number <= len(cues):
        raise InputError("there is no such cue", where=f"cue {number}", why=f"there are {len(cues)}")
    lines = text.splitlines(keepends=True)
    starts = [place for place, line in enumerate(lines) if _HEADER.match(line)]
    if len(starts) != len(cues):
        raise InputError("this cue cannot be taken out", where=path, hint=_BY_HAND)
    first = starts[number - 1]
    last = starts[number] if number < len(cues) else len(lines)
    # Remarks above the next cue are about that one.
    while number < len(cues) and last - 1 > first and lines[last - 1].lstrip().startswith("#"):
        last -= 1
    made = "".join(lines[:first] + lines[last:])
    rest = [*cues[: number - 1], *cues[number:]]
    wanted = {name: value for name, value in before.items() if name != "cue"} | ({"cue": rest} if rest else {})
    _require_same(made, wanted, path)
    return made


def write(path: Path, text: str) -> None:
    """Write the file, and keep what it was beside it; an empty text leaves no file."""
    fsio.write_text(_before(path), read(path))
    if text.strip():
        fsio.write_text(path, text)
    else:
        path.unlink(missing_ok=True)


def can_swap_back(path: Path) -> bool:
    """Whether there is something that the file was before the last change."""
    return _before(path).is_file()


def swap_back(path: Path) -> None:
    """Make the file what it was before the last change; once more, and it is as it is now.

    Raises:
        InputError: nothing was changed yet.
    """
    if not can_swap_back(path):
        raise InputError("the cues were not changed yet", where=path)
    write(path, read_text(_before(path)))


def _before(path: Path) -> Path:
    return path.with_name(path.name + BEFORE)


def _cues(table: Mapping[str, Any], path: Path) -> list[Any]:
    cues = table.get("cue", [])
    if not isinstance(cues, list):
        raise UsageError("cues are written as [[cue]]", where=path)
    return cues


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False)


def _require_same(made: str, wanted: Mapping[str, Any], path: Path) -> None:
    """What was done to the text must be nothing but what was meant."""
    try:
        same = table_of(made, path) == wanted
    except CorruptFileError:
        same = False
    if not same:
        raise InputError("the file with cues cannot be changed", where=path, hint=_BY_HAND)
