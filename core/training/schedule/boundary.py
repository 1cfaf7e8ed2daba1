"""What happens where a phase ends: save, back up, open the model again with the options of what begins."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.checkpoints.backups import backups_folder, make_backup, remove_backup
from core.checkpoints.model_folder import DATA, ModelFolder
from core.data.batches import BatchSettings
from core.formats.names import safe_component
from core.training.kinds import KINDS
from core.training.recipe import to_saved
from core.training.schedule.presets import RATE
from core.training.schedule.timeline import position
from core.training.session import Session

log = logging.getLogger(__name__)
KEPT = 24
_MARK = " - before phase "


@dataclass(frozen=True)
class Boundary:
    """Takes a session over a boundary.

    reopen: opens the model of a session again from its newest save; the session gives its networks away.
    batches: of a session.
    save: everything of a session.
    preview: an image for the backup.
    """

    reopen: Callable[[Session], Session]
    batches: Callable[[Session], BatchSettings]
    save: Callable[[Session], None]
    preview: Path

    def __call__(self, session: Session) -> BatchSettings:
        """Go on with the options of what begins, exactly as a run that was stopped and resumed here.

        Returns what the batches are made of from now on.
        """
        self.save(session)
        before = _options(session)
        session.become(self.reopen(session))
        now = _options(session)
        changed = [name for name in now if name in before and now[name] != before[name]]
        changes = ", ".join(f"{name} {before[name]} -> {now[name]}" for name in changed)
        log.info("iteration %d: %s", session.iteration, changes or "no option changes")
        self.begin(session)
        return self.batches(session)

    def begin(self, session: Session) -> None:
        """Back up a model for which a phase begins, and save what started anew, so that a rollback may return to it."""
        if session.entered and session.iteration:
            backup(session, self.preview)
            self.save(session)
        session.entered = False


def _options(session: Session) -> dict[str, Any]:
    """What a phase can change, for people."""
    rate = KINDS[session.recipe.kind].rate * session.trainer.settings.rate
    return to_saved(session.recipe) | {RATE: f"{rate:g}"}


def backup(session: Session, preview: Path) -> None:
    """A copy of the newest save under the name of the boundary, unless there is one; the oldest of more than 24 go.

    preview: goes into the copy, if it exists.
    """
    schedule = session.schedule
    if schedule is None:
        return
    number = position(schedule.preset, session.iteration).number
    title = safe_component(schedule.preset.name, "own")
    name = _free_name(session.folder, f"{session.iteration}{_MARK}{number + 1} of {title}")
    if name is None:
        return
    made = make_backup(session.folder, name, (preview,) if preview.exists() else ())
    log.info("backup in %s", made)
    _make_room(made.parent)


def _free_name(folder: ModelFolder, name: str) -> str | None:
    """``name``, or ``name (2)`` and so on; None when a backup of that name is one of the newest save."""
    backups = backups_folder(folder)
    attempt, tried = 1, name
    while (backups / tried).exists():
        if _is_of_newest_save(folder, backups / tried):
            return None
        attempt += 1
        tried = f"{name} ({attempt})"
    return tried


def _is_of_newest_save(folder: ModelFolder, made: Path) -> bool:
    """As after a run that was killed right after its backup."""
    copy = made / f"{folder.prefix}_{DATA}"
    # data.dat holds the iteration and every loss, so the same bytes are the same save.
    return copy.is_file() and copy.read_bytes() == folder.load().files[DATA].read_bytes()


def _make_room(backups: Path) -> None:
    """Of the backups that boundaries made only the newest are kept; others are not touched."""
    made = [path for path in backups.iterdir() if _MARK in path.name]
    made.sort(key=lambda path: path.stat().st_mtime_ns)
    for path in made[:-KEPT]:
        log.info("the backup %s is removed to make room", path.name)
        remove_backup(path)
