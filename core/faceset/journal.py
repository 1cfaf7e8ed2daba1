"""Moving many files so that nothing is lost: each step is written down first, finished after a crash, and can be undone.

A step is a file ``aligned_history/000001.json`` beside the faceset. Files travel in two sweeps, away to a parking name and then to
their targets, so that names may be exchanged freely; the phase in the step file tells what a killed run had left to do. Paths are
relative to the folder of the side (``data_src``).
"""

import errno
import json
import os
import shutil
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from core.errors import CorruptFileError, InputError
from core.fsio import fsync_dir, write_text

HISTORY = "aligned_history"
ALIGNED, TRASH = "aligned", "aligned_trash"
TRASH_LOG = "trash.jsonl"
PARKED = ".moving-"


@dataclass(frozen=True)
class Move:
    """One file: where it is, where it goes, why (for the trash)."""

    source: str
    target: str
    reason: str = ""


@dataclass(frozen=True)
class Step:
    """A journaled set of moves. renames: names that changed inside a pak, (old, new); direction: forward or back; phase: away, arrive, note or done."""

    number: int
    what: str
    moves: tuple[Move, ...]
    renames: tuple[tuple[str, str], ...] = ()
    direction: str = "forward"
    phase: str = "away"
    time: str = ""

    @property
    def name(self) -> str:
        return f"{self.number:06d}"

    def pairs(self) -> list[tuple[str, str]]:
        """(from, to) in the direction of travel."""
        return [(m.source, m.target) if self.direction == "forward" else (m.target, m.source) for m in self.moves]


def begin(folder: Path, what: str, moves: Iterable[Move], renames: Iterable[tuple[str, str]] = ()) -> Step | None:
    """Carry out ``moves`` in ``folder`` as one step that can be undone. Moves to the same place are left out; None when nothing moves.

    An earlier step that was cut short is finished first. Raises InputError when a target is taken by a file that stays.
    """
    finish(folder)
    useful = tuple(m for m in moves if m.source != m.target)
    if not useful:
        return None
    step = Step(_next_number(folder), what, useful, tuple(renames), time=time.strftime("%Y-%m-%d %H:%M:%S"))
    _check(folder, step.pairs())
    _save(folder, step)
    return _carry_on(folder, step)


def finish(folder: Path) -> Step | None:
    """Complete the step that a killed run left half done, if there is one."""
    pending = [s for s in steps(folder) if s.phase != "done"]
    return _carry_on(folder, pending[-1]) if pending else None


def undo(folder: Path) -> tuple[Step, list[str]]:
    """Take the last step back; returns it and the files that were no longer there. Raises InputError when there is nothing to undo."""
    finish(folder)
    done = [s for s in steps(folder) if s.direction == "forward"]
    if not done:
        raise InputError("nothing to undo", where=folder / HISTORY)
    back = replace(done[-1], direction="back", phase="away")
    missing = [source for source, _ in back.pairs() if not (folder / source).exists()]
    _check(folder, [pair for pair in back.pairs() if pair[0] not in set(missing)])
    _save(folder, back)
    return _carry_on(folder, back), missing


def steps(folder: Path) -> list[Step]:
    """All steps, oldest first. Raises CorruptFileError for a damaged step file."""
    return [_load(path) for path in sorted((folder / HISTORY).glob("[0-9]*.json"))]


def original_names(folder: Path) -> dict[str, str]:
    """Relative path now -> relative path before the first step, for every file that was moved."""
    origin: dict[str, str] = {}
    for step in steps(folder):
        if step.direction == "back":
            continue
        pairs = step.pairs() + [(f"{ALIGNED}/{old}", f"{ALIGNED}/{new}") for old, new in step.renames]
        before = {target: origin.get(source, source) for source, target in pairs}
        for source, _ in pairs:
            origin.pop(source, None)
        origin |= before
    return origin


def _next_number(folder: Path) -> int:
    """Numbers of undone steps are not used again."""
    return 1 + max(
        (
            int(path.stem.split("-")[1 if path.stem.startswith("undone") else 0])
            for path in (folder / HISTORY).glob("*.json")
        ),
        default=0,
    )


def _load(path: Path) -> Step:
    try:
        fields = json.loads(path.read_text())
        return Step(
            **{
                **fields,
                "moves": tuple(Move(*m) for m in fields["moves"]),
                "renames": tuple((old, new) for old, new in fields["renames"]),
            }
        )
    except (ValueError, TypeError, KeyError) as error:
        raise CorruptFileError(
            "damaged record of moved files",
            where=path,
            why=str(error),
            hint="put it back from a backup, or move it away to give up undoing",
        ) from None


def _save(folder: Path, step: Step) -> None:
    path = folder / HISTORY / f"{step.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    fields = {**asdict(step), "moves": [(m.source, m.target, m.reason) for m in step.moves]}
    write_text(path, json.dumps(fields))


def _check(folder: Path, pairs: list[tuple[str, str]]) -> None:
    """No two files to one place, and no target that is taken by a file that stays."""
    leaving, targets = {source for source, _ in pairs}, {target for _, target in pairs}
    if len(leaving) != len(pairs) or len(targets) != len(pairs):
        raise InputError("two files would get one name", where=folder)
    for target in targets - leaving:
        if (folder / target).exists():
            raise InputError(
                "a name is taken by another file", where=folder / target, hint="move that file away and run it again"
            )


def _parked(folder: Path, step: Step, index: int, source: str) -> Path:
    place = folder / source
    return place.with_name(f"{PARKED}{step.name}-{index:06d}{place.suffix}")


def _carry_on(folder: Path, step: Step) -> Step:
    """Do what the phase says is left."""
    pairs = step.pairs()
    if step.phase == "away":
        for index, (source, _) in enumerate(pairs):
            if (folder / source).exists():
                _rename(folder / source, _parked(folder, step, index, source))
        step = _next(folder, step, "arrive", {source for source, _ in pairs})
    if step.phase == "arrive":
        for index, (source, target) in enumerate(pairs):
            _arrive(_parked(folder, step, index, source), folder / target)
        step = _next(folder, step, "note", {name for pair in pairs for name in pair})
    if step.phase == "note":
        _write_trash_log(folder, step)
        _remove_empty(folder, step)
        step = _next(folder, step, "done", set())
    if step.direction == "back":
        (folder / HISTORY / f"{step.name}.json").rename(folder / HISTORY / f"undone-{step.name}-{time.time_ns()}.json")
    return step


def _next(folder: Path, step: Step, phase: str, touched: set[str]) -> Step:
    for parent in {(folder / name).parent for name in touched}:
        if parent.is_dir():
            fsync_dir(parent)
    step = replace(step, phase=phase)
    _save(folder, step)
    return step


def _arrive(parked: Path, target: Path) -> None:
    if not parked.exists():
        return
    if target.exists():
        raise InputError(
            "a name was taken while files were moving",
            where=target,
            why=f"the file for it waits as {parked}",
            hint="move that file away and run any sort again: it finishes the move",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    _rename(parked, target)


def _rename(source: Path, target: Path) -> None:
    try:
        os.rename(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        half = target.with_name(f".{target.name}.{os.getpid()}.tmp")  # another file system: copy, then let go
        shutil.copy2(source, half)
        with open(half, "rb") as stream:
            os.fsync(stream.fileno())
        os.replace(half, target)
        source.unlink()


def _remove_empty(folder: Path, step: Step) -> None:
    """Bins that undoing has emptied; a folder with anything in it stays."""
    keep = {folder, folder / ALIGNED, folder / TRASH}
    for parent in {(folder / source).parent for source, _ in step.pairs()} - keep:
        if parent.is_dir() and not any(parent.iterdir()):
            parent.rmdir()


def _write_trash_log(folder: Path, step: Step) -> None:
    """One line for each file that went to the trash: what, from where, why."""
    thrown = [m for m in step.moves if m.target.startswith(f"{TRASH}/")]
    if step.direction == "back" or not thrown:
        return
    path = folder / TRASH / TRASH_LOG
    if any(entry.get("step") == step.number for entry in read_trash_log(folder)):
        return
    lines = [
        json.dumps(
            {"file": Path(m.target).name, "from": m.source, "reason": m.reason, "step": step.number, "time": step.time}
        )
        for m in thrown
    ]
    with open(path, "a") as stream:
        stream.write("\n".join(lines) + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def read_trash_log(folder: Path) -> list[dict]:
    """The entries of the trash log, oldest first; a line cut short by a crash is passed over."""
    path = folder / TRASH / TRASH_LOG
    entries = []
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            entries.append(json.loads(line))
        except ValueError:
            continue
    return entries
