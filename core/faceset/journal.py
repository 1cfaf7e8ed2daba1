"""Moving many files so that nothing is lost: each step is written down first, finished after a crash, and can be
undone.

A step is a file ``aligned_history/000001.json`` beside the faceset. Files travel in two sweeps, away to a parking name
and then to their targets, so that names may be exchanged freely; those that go from some folders to others go straight
there. The phase in the step file tells what a killed run had left to do. Paths are relative to the folder of the side
(``data_src``).
"""

import errno
import json
import os
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from core.errors import InputError
from core.faceset.database import faces, images
from core.faceset.database.connection import is_old, open_database
from core.faceset.steps import (
    ALIGNED,
    HISTORY,
    PARKED,
    TRASH,
    TRASH_LOG,
    Move,
    Step,
    last_logged_step,
    newest,
    next_number,
    save,
    steps,
    validate_paths,
)
from core.fsio import append_text, fsync_dir, temporary_path


def begin(
    folder: Path,
    what: str,
    moves: Iterable[Move],
    renames: Iterable[tuple[str, str]] = (),
    persons: Iterable[tuple[str, str, str]] = (),
) -> Step | None:
    """Carry out ``moves`` in ``folder`` as one step that can be undone, with what the database is to say of it.

    Moves to the same place are left out; None when nothing moves.

    An earlier step that was cut short is finished first. Raises InputError when a target is taken by a file that stays.
    """
    finish(folder)
    useful = tuple(m for m in moves if m.source != m.target)
    if not useful:
        return None
    now = time.strftime("%Y-%m-%d %H:%M:%S")
    step = Step(next_number(folder), what, useful, tuple(renames), tuple(persons), time=now)
    _check(folder, step.pairs())
    step = replace(step, phase=_first_phase(step.pairs()))
    # Written down before the first file moves.
    save(folder, step)
    return _carry_on(folder, step)


def finish(folder: Path) -> Step | None:
    """Complete the step that a killed run left half done, if there is one."""
    # Only the last one can be: no step begins before it is.
    last = newest(folder)
    return _carry_on(folder, last) if last is not None and last.phase != "done" else None


def undo(folder: Path) -> tuple[Step, list[str]]:
    """Take the last step back; returns it and the files that were no longer there.

    Raises InputError when there is nothing to undo.
    """
    finish(folder)
    done = [s for s in steps(folder) if s.direction == "forward"]
    if not done:
        raise InputError("nothing to undo", where=folder / HISTORY)
    back = replace(done[-1], direction="back")
    back = replace(back, phase=_first_phase(back.pairs()))
    missing = [source for source, _ in back.pairs() if not (folder / source).exists()]
    _check(folder, [pair for pair in back.pairs() if pair[0] not in set(missing)])
    save(folder, back)
    return _carry_on(folder, back), missing


def _check(folder: Path, pairs: list[tuple[str, str]]) -> None:
    """No two files to one place, and no target that is taken by a file that stays."""
    leaving, targets = {source for source, _ in pairs}, {target for _, target in pairs}
    if len(leaving) != len(pairs) or len(targets) != len(pairs):
        raise InputError("two files would get one name", where=folder)
    validate_paths(folder, leaving | targets, folder / HISTORY)
    for target in targets - leaving:
        if os.path.exists(f"{folder}/{target}"):
            raise InputError(
                "a name is taken by another file", where=folder / target, hint="move that file away and run it again"
            )


def _first_phase(pairs: list[tuple[str, str]]) -> str:
    # Where no file comes to a folder that one leaves, no two can be after one name.
    apart = _parents(source for source, _ in pairs).isdisjoint(_parents(target for _, target in pairs))
    return "move" if apart else "away"


def _parked(folder: Path, step: Step, index: int, source: str) -> str:
    parent, _, name = source.rpartition("/")
    return f"{folder}/{parent}/{PARKED}{step.name}-{index:06d}{os.path.splitext(name)[1]}"


def _carry_on(folder: Path, step: Step) -> Step:
    """Do what the phase says is left."""
    pairs = step.pairs()
    if step.phase == "move":
        _arrive((f"{folder}/{source}", f"{folder}/{target}") for source, target in pairs)
        step = _next(folder, step, "note", {name for pair in pairs for name in pair})
    if step.phase == "away":
        for index, (source, _) in enumerate(pairs):
            # Else it is parked already, by the run that was killed, or somebody has deleted it.
            if os.path.exists(f"{folder}/{source}"):
                _rename(f"{folder}/{source}", _parked(folder, step, index, source))
        step = _next(folder, step, "arrive", {source for source, _ in pairs})
    if step.phase == "arrive":
        _arrive(
            (_parked(folder, step, index, source), f"{folder}/{target}") for index, (source, target) in enumerate(pairs)
        )
        step = _next(folder, step, "note", {name for pair in pairs for name in pair})
    if step.phase == "note":
        _write_trash_log(folder, step)
        _note_in_database(folder, step)
        _remove_empty(folder, step)
        step = _next(folder, step, "done", set())
    if step.direction == "back":
        (folder / HISTORY / f"{step.name}.json").rename(folder / HISTORY / f"undone-{step.name}-{time.time_ns()}.json")
    return step


def _next(folder: Path, step: Step, phase: str, touched: set[str]) -> Step:
    # The renames must be on the disk before the journal says that they are done.
    for parent in _parents(touched):
        if (folder / parent).is_dir():
            fsync_dir(folder / parent)
    step = replace(step, phase=phase)
    save(folder, step)
    return step


def _parents(paths: Iterable[str]) -> set[str]:
    """The folders that files are in, relative to the side."""
    return {path.rpartition("/")[0] for path in paths}


def _arrive(pairs: Iterable[tuple[str, str]]) -> None:
    """Move files (from, to). What is not there has arrived already, before the run was killed, or was deleted."""
    made: set[str] = set()
    for source, target in pairs:
        if os.path.exists(target):
            if not os.path.exists(source):
                continue
            raise InputError(
                "a name was taken while files were moving",
                where=target,
                why=f"the file for it waits as {source}",
                hint="move that file away and run any sort again: it finishes the move",
            )
        parent = os.path.dirname(target)
        if parent not in made:
            os.makedirs(parent, exist_ok=True)
            made.add(parent)
        with suppress(FileNotFoundError):
            _rename(source, target)


def _rename(source: str, target: str) -> None:
    try:
        os.rename(source, target)
    except OSError as error:
        # EXDEV: a folder of the side may be a mount of its own.
        if error.errno != errno.EXDEV:
            raise
        half = temporary_path(Path(target).parent)  # another file system: copy, then let go
        shutil.copy2(source, half)
        with open(half, "rb") as stream:
            os.fsync(stream.fileno())
        os.replace(half, target)
        os.unlink(source)


def _remove_empty(folder: Path, step: Step) -> None:
    """Bins that undoing has emptied; a folder with anything in it stays."""
    for name in _parents(source for source, _ in step.pairs()) - {"", ALIGNED, TRASH}:
        parent = folder / name
        if parent.is_dir() and not any(parent.iterdir()):
            parent.rmdir()


def _note_in_database(folder: Path, step: Step) -> None:
    """The database says where each face is, and who; the same step again changes nothing."""
    database = folder / "faces.db"
    if not database.is_file():
        return
    inside = [(f"{images.PAK}/{old}", f"{images.PAK}/{new}") for old, new in step.renames]
    if step.direction == "back":
        inside = [(new, old) for old, new in inside]
    # An upgrade reads the journal: a database that is upgraded only now knows of this step already.
    pairs = [] if is_old(database) else [*step.pairs(), *inside]
    with open_database(database) as connection:
        faces.name_persons(connection, {f: old if step.direction == "back" else new for f, old, new in step.persons})
        images.move_images(connection, pairs, f"{step.name} {step.direction} {step.time}")


def _write_trash_log(folder: Path, step: Step) -> None:
    """One line for each file that went to the trash: what, from where, why."""
    thrown = [m for m in step.moves if m.target.startswith(f"{TRASH}/")]
    if step.direction == "back" or not thrown:
        return
    path = folder / TRASH / TRASH_LOG
    # Written already, by a run that was killed after it.
    if last_logged_step(folder) == step.number:
        return
    lines = []
    for move in thrown:
        name = move.target.rpartition("/")[2]
        entry = {"file": name, "from": move.source, "reason": move.reason, "step": step.number, "time": step.time}
        lines.append(json.dumps(entry))
    append_text(path, "\n".join(lines) + "\n", durable=True)
