"""The trash folder beside the faces: what sorting throws out goes there with its reason, and comes back from there."""

import os
from pathlib import Path

from core.faceset import journal
from core.faceset.journal import ALIGNED, TRASH, Move
from core.faceset.steps import read_trash_log


def to_trash(frames: Path, rejected: dict[str, str]) -> list[Move]:
    """Moves of the loose images (name -> reason) into the trash, where a name that is taken gets a number.

    frames: the folder of the side.
    """
    taken = names_taken(frames / TRASH)
    return [Move(f"{ALIGNED}/{name}", f"{TRASH}/{free_name(name, taken)}", reason) for name, reason in rejected.items()]


def names_taken(folder: Path) -> set[str]:
    """The names in a folder as ``free_name`` compares them: without regard to case, as some disks do."""
    return {name.lower() for name in os.listdir(folder)} if folder.is_dir() else set()


def free_name(name: str, taken: set[str]) -> str:
    """``name``, or ``stem~2.jpg`` and so on when it is taken.

    taken: the names in the folder and those given before; the answer is added.
    """
    candidate, number = name, 1
    while candidate.lower() in taken:
        number += 1
        candidate = f"{Path(name).stem}~{number}{Path(name).suffix}"
    taken.add(candidate.lower())
    return candidate


def restore(frames: Path, reason: str = "") -> journal.Step | None:
    """Bring images back from the trash under the names they had, or free ones; None when there are none.

    frames: the folder of the side.
    reason: only those whose reason contains it; "" brings all back.
    """
    # A name may have been in the trash before: its last entry counts.
    log = {entry["file"]: entry for entry in read_trash_log(frames)}
    planned, taken = [], names_taken(frames / ALIGNED)
    for name in _thrown(frames / TRASH):
        entry = log.get(name, {})
        if reason.lower() not in entry.get("reason", "").lower():
            continue
        old = Path(entry.get("from", name)).name
        target = free_name(old, taken)
        planned.append(Move(f"{TRASH}/{name}", f"{ALIGNED}/{target}", "restored"))
    return journal.begin(frames, f"restore {reason}".strip(), planned)


def _thrown(trash: Path) -> list[str]:
    """Names of the files in the trash but the log; also of what a person put there."""
    if not trash.is_dir():
        return []
    names = [path.name for path in sorted(trash.iterdir()) if path.is_file()]
    return [name for name in names if name != journal.TRASH_LOG and not name.startswith(".")]
