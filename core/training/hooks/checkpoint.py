"""Saves now and then."""

import time
from collections.abc import Callable
from typing import Any

from core.training.hooks.base import BaseHook
from core.training.run_state import RunState


class Checkpoint(BaseHook):
    """Saves every so many minutes, and after the first iteration of a new model, so that a full disk shows at once.

    save: writes everything of a session.
    """

    def __init__(self, minutes: float, save: Callable[[Any], None]):
        self._seconds = minutes * 60
        self._save = save
        self._last = time.monotonic()

    def after_step(self, session: RunState, batch: Any) -> None:
        if session.iteration == 1 or time.monotonic() - self._last >= self._seconds:
            self._save(session)
            self._last = time.monotonic()
