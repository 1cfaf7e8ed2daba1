"""Ways to stop a run from outside: a file, Ctrl-C, SIGTERM."""

import logging
import signal
from pathlib import Path
from typing import Any

from core.training.hooks.base import BaseHook
from core.training.loop import StopRequested
from core.training.run_state import RunState

log = logging.getLogger(__name__)


class StopFile(BaseHook):
    """Stops when ``path`` exists; the file is taken away, so that the next run starts."""

    def __init__(self, path: Path):
        self._path = path

    def after_step(self, session: RunState, batch: Any) -> None:
        if self._path.exists():
            self._path.unlink(missing_ok=True)
            raise StopRequested(f"{self._path.name} file")


class StopSignals(BaseHook):
    """Ctrl-C and SIGTERM let the step finish and stop then; a second one does not wait."""

    def __init__(self) -> None:
        self._received: str | None = None
        self._before = {number: signal.signal(number, self._receive) for number in (signal.SIGINT, signal.SIGTERM)}

    def _receive(self, number: int, frame: Any) -> None:
        if self._received:
            raise KeyboardInterrupt
        self._received = signal.Signals(number).name
        log.info("%s: finishing this iteration, then saving", self._received)

    def after_step(self, session: RunState, batch: Any) -> None:
        if self._received:
            raise StopRequested(self._received)

    def at_end(self, session: RunState) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
