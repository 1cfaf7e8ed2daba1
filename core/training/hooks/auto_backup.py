"""Copies of the model by the hour."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from core.checkpoints.backups import make_backup
from core.data.batches import TrainingBatch
from core.training.hooks.base import BaseHook
from core.training.session import Session

log = logging.getLogger(__name__)


class AutoBackup(BaseHook):
    """A whole copy of the model every so many hours; 24 are kept.

    save: writes everything of a session. preview: an image that goes into the copy, if it exists.
    """

    def __init__(self, hours: int, save: Callable[[Session], None], preview: Path):
        self._seconds = hours * 3600
        self._save = save
        self._preview = preview
        self._last = time.monotonic()

    def after_step(self, session: Session, batch: TrainingBatch) -> None:
        if time.monotonic() - self._last < self._seconds:
            return
        self._last += self._seconds  # not the time now: the hours must not drift by what a backup takes
        self._save(session)
        folder = make_backup(session.folder, extra=(self._preview,) if self._preview.exists() else ())
        log.info("backup of iteration %d in %s", session.iteration, folder)
