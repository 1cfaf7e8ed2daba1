"""Ways to stop a run from outside: a file, Ctrl-C, SIGTERM, the end of the terminal."""

import logging
import signal
import threading
from pathlib import Path
from typing import Any

from core.training.ending import StopRequested
from core.training.hooks.base import BaseHook
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
    """Ctrl-C, SIGTERM and SIGHUP (the terminal is closed) let the step finish; the run then saves and stops.

    Who is impatient and asks again is told; only the third time the run ends without saving.
    """

    def __init__(self) -> None:
        self._received: str | None = None
        self._asked = 0
        self._before = {number: signal.signal(number, self._receive) for number in _heeded()}

    def _receive(self, number: int, frame: Any) -> None:
        self._asked += 1
        self._received = signal.Signals(number).name
        if self._asked == 1:
            log.info("%s: finishing this iteration, then saving", self._received)
        elif self._asked == 2:
            log.info("%s: still finishing; once more ends it without saving", self._received)
        else:
            raise KeyboardInterrupt

    def after_step(self, session: RunState, batch: Any) -> None:
        if self._received:
            raise StopRequested(self._received)

    def at_end(self, session: RunState) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _heeded() -> list[signal.Signals]:
    """SIGHUP only where it is not ignored: ``nohup`` asks for that. Threads of a server get no signals at all."""
    if threading.current_thread() is not threading.main_thread():
        return []
    hang_up = getattr(signal, "SIGHUP", None)
    if hang_up is None or signal.getsignal(hang_up) == signal.SIG_IGN:
        return [signal.SIGINT, signal.SIGTERM]
    return [signal.SIGINT, signal.SIGTERM, hang_up]
