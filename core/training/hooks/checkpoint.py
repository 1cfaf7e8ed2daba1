"""Saves now and then."""

import logging
import time
from collections.abc import Callable
from typing import Any

from core.training.hooks.base import BaseHook
from core.training.run_state import RunState

log = logging.getLogger(__name__)
# Minutes between saves where nobody says it: often, unless a save holds training up.
OFTEN, SELDOM = 5.0, 25.0
_QUICK_SAVE = 2.0  # seconds


class Checkpoint(BaseHook):
    """Saves every so many minutes, and after the first iteration of a new model, so that a full disk shows at once.

    minutes: between saves; None for 5, or 25 where a save takes longer than 2 seconds.
    save: writes everything of a session.
    """

    def __init__(self, minutes: float | None, save: Callable[[Any], None]):
        self._given = minutes
        self._minutes = OFTEN if minutes is None else minutes
        self._save = save
        self._last = time.monotonic()
        slower = "" if minutes else f" (every {SELDOM:g} where a save takes longer than {_QUICK_SAVE:g} seconds)"
        log.info("the model is saved every %g minutes%s, and when the run is stopped (Ctrl-C)", self._minutes, slower)

    def every(self, minutes: float) -> None:
        """Save every so many minutes from now on."""
        self._given = self._minutes = minutes

    def after_step(self, session: RunState, batch: Any) -> None:
        start = time.monotonic()
        if session.iteration != 1 and start - self._last < self._minutes * 60:
            return
        self._save(session)
        self._last = time.monotonic()
        if self._given is None:
            self._minutes = OFTEN if self._last - start < _QUICK_SAVE else SELDOM
