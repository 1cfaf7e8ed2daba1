"""What was moved, and why: the records of the journal, one JSON file a step, and the log of the trash.

Paths are relative to the folder of the side (``data_src``).
"""

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.fsio import write_text
from core.safe_files import damaged, opened, read_object, read_text
from core.safe_paths import child, descendant, is_name, own_folder

HISTORY = "aligned_history"
ALIGNED, TRASH, GROUPS = "aligned", "aligned_trash", "aligned_groups"
TRASH_LOG = "trash.jsonl"
PARKED = ".moving-"
# Where faces travel to and from; a record that names another place was not written by us.
PLACES = frozenset({ALIGNED, TRASH, GROUPS, HISTORY})
_LARGEST = 1 << 28  # bytes of a record: of a million faces
_TAIL = 1 << 16  # bytes of the trash log that have a whole line
DIRECTIONS = ("forward", "back")
_DAMAGED = "damaged record of moved files"
_NUMBER = re.compile(r"^(?:undone-)?(\d+)")
PHASES = ("move", "away", "arrive", "note", "done")


@dataclass(frozen=True)
class Move:
    """One file: where it is, where it goes, why (for the trash)."""

    source: str
    target: str
    reason: str = ""


@dataclass(frozen=True)
class Step:
    """A journaled set of moves.

    number: from 1. what: in words.
    moves: which files.
    renames: names that changed inside a pak, (old, new).
    persons: faces that got another name of a person in the database, (id, old, new).
    direction: forward or back.
    phase: what is under way: move, or away and then arrive; note; done.
    time: when it began, local.
    """

    number: int
    what: str
    moves: tuple[Move, ...]
    renames: tuple[tuple[str, str], ...] = ()
    persons: tuple[tuple[str, str, str], ...] = ()
    direction: str = "forward"
    phase: str = "away"
    time: str = ""

    @property
    def name(self) -> str:
        """Of its file, and of parked files."""
        return f"{self.number:06d}"

    def pairs(self) -> list[tuple[str, str]]:
        """(from, to) in the direction of travel."""
        if self.direction == "forward":
            return [(move.source, move.target) for move in self.moves]
        return [(move.target, move.source) for move in self.moves]


def steps(folder: Path) -> list[Step]:
    """All steps, oldest first. Raises CorruptFileError for a damaged step file."""
    return [load(path) for path in sorted((folder / HISTORY).glob("[0-9]*.json"))]


def newest(folder: Path) -> Step | None:
    """The last step; None where there is none. Raises as ``steps``."""
    path = max((folder / HISTORY).glob("[0-9]*.json"), default=None)
    return None if path is None else load(path)


def original_names(folder: Path) -> dict[str, str]:
    """Relative path now -> relative path before the first step, for every file that was moved."""
    origin: dict[str, str] = {}
    for step in steps(folder):
        if step.direction == "back":
            continue
        pairs = step.pairs() + [(f"{ALIGNED}/{old}", f"{ALIGNED}/{new}") for old, new in step.renames]
        # All looked up before any is changed: files of a step may trade names.
        before = {target: origin.get(source, source) for source, target in pairs}
        for source, _ in pairs:
            origin.pop(source, None)
        origin |= before
    return origin


def next_number(folder: Path) -> int:
    """Numbers of undone steps are not used again."""
    numbers = [_NUMBER.search(path.stem) for path in (folder / HISTORY).glob("*.json")]
    return 1 + max((int(found[1]) for found in numbers if found), default=0)


def load(path: Path) -> Step:
    """The step in a file of the journal.

    Raises:
        CorruptFileError: it is damaged, or names a file outside the folders that faces travel between.
    """
    fields = read_object(path, _DAMAGED, _LARGEST)
    try:
        step = Step(
            number=_number(fields["number"], path),
            what=str(fields["what"]),
            moves=tuple(Move(*map(_text, move)) for move in fields["moves"]),
            renames=tuple((_text(old), _text(new)) for old, new in fields["renames"]),
            # Records of earlier versions have none.
            persons=tuple((_text(face), _text(old), _text(new)) for face, old, new in fields.get("persons", ())),
            direction=_one_of(DIRECTIONS, fields["direction"]),
            phase=_one_of(PHASES, fields["phase"]),
            time=str(fields["time"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise damaged(_DAMAGED, path, error, "put it back from a backup, or move it away to give up undoing") from None
    validate_paths(path.parent.parent, (name for move in step.moves for name in (move.source, move.target)), path)
    return step


def validate_paths(folder: Path, paths: Iterable[str], where: Path) -> None:
    """Refuse paths, relative to ``folder``, that lead anywhere else than to where faces travel. where: who says so.

    Raises:
        CorruptFileError: one does, by its names or by links.
    """
    sound: set[str] = set()
    for path in paths:
        parent, _, name = path.rpartition("/") if isinstance(path, str) else ("", "", "")
        # Of many files in few folders each folder is looked at once.
        if parent not in sound or not is_name(name):
            descendant(folder, path, where, PLACES, links=(ALIGNED,))
            sound.add(parent)


def _number(value: Any, path: Path) -> int:
    # The number is also in the names of parked files: a record under another name would look for the wrong ones.
    if type(value) is not int or f"{value:06d}" != path.stem:
        raise ValueError(f"the step calls itself {str(value)[:40]}")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{str(value)[:40]!r} is no text")
    return value


def _one_of(choices: tuple[str, ...], value: Any) -> str:
    if value not in choices:
        raise ValueError(f"{str(value)[:40]!r} is none of {', '.join(choices)}")
    return value


def save(folder: Path, step: Step) -> None:
    """Write the step into the journal of ``folder``, replacing its file."""
    path = own_folder(folder / HISTORY) / f"{step.name}.json"
    fields = {**vars(step), "moves": [(m.source, m.target, m.reason) for m in step.moves]}
    write_text(path, json.dumps(fields))


def last_logged_step(folder: Path) -> int | None:
    """Number of the step that the last line of the trash log tells of; None where no line tells of any."""
    path = folder / TRASH / TRASH_LOG
    if not path.exists():
        return None
    with opened(path, _LARGEST) as stream:
        stream.seek(max(0, path.stat().st_size - _TAIL))
        lines = stream.read().splitlines()
    for line in reversed(lines):
        # Cut short by a crash, or by where reading began.
        with suppress(ValueError, RecursionError):
            entry = json.loads(line)
            if isinstance(entry, dict) and type(entry.get("step")) is int:
                return int(entry["step"])
    return None


def read_trash_log(folder: Path) -> list[dict[str, Any]]:
    """The entries of the trash log, oldest first; a line cut short by a crash is passed over.

    Raises:
        CorruptFileError: an entry names a file outside the folders that faces travel between.
    """
    path = folder / TRASH / TRASH_LOG
    entries = []
    for line in read_text(path, _LARGEST).splitlines() if path.exists() else []:
        entry: Any = None
        with suppress(ValueError, RecursionError):
            entry = json.loads(line)
        if isinstance(entry, dict) and "file" in entry and isinstance(entry.get("reason", ""), str):
            entries.append(entry)
    for entry in entries:
        if not is_name(entry["file"]):
            child(folder / TRASH, entry["file"], path)
    validate_paths(folder, (entry["from"] for entry in entries if "from" in entry), path)
    return entries
