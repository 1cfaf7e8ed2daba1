"""What happens beside the steps of a training run; each hook does one thing."""

import json
import logging
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core import fsio
from core.checkpoints.backups import make_backup
from core.data.batches import TrainingBatch
from core.progress import Task
from core.training.loop import StopRequested
from core.training.session import Session

log = logging.getLogger(__name__)


class BaseHook:
    """Does nothing; hooks override what they need."""

    def after_step(self, session: Session, batch: TrainingBatch) -> None:
        """After every iteration."""

    def at_save(self, session: Session) -> None:
        """Before the files of a save are written."""

    def at_end(self, session: Session) -> None:
        """However the run ends."""


class Checkpoint(BaseHook):
    """Saves every so many minutes, and after the first iteration of a new model, so that a full disk shows at once."""

    def __init__(self, minutes: float, save: Callable[[Session], None]):
        self._seconds, self._save, self._last = minutes * 60, save, time.monotonic()

    def after_step(self, session: Session, batch: TrainingBatch) -> None:
        if session.iteration == 1 or time.monotonic() - self._last >= self._seconds:
            self._save(session)
            self._last = time.monotonic()


class AutoBackup(BaseHook):
    """A whole copy of the model every so many hours, with the preview; 24 are kept."""

    def __init__(self, hours: int, save: Callable[[Session], None], preview: Path):
        self._seconds, self._save, self._preview, self._last = hours * 3600, save, preview, time.monotonic()

    def after_step(self, session: Session, batch: TrainingBatch) -> None:
        if time.monotonic() - self._last < self._seconds:
            return
        self._last += self._seconds
        self._save(session)
        folder = make_backup(session.folder, extra=(self._preview,) if self._preview.exists() else ())
        log.info("backup of iteration %d in %s", session.iteration, folder)


class StopFile(BaseHook):
    """Stops when ``path`` exists; the file is taken away, so that the next run starts."""

    def __init__(self, path: Path):
        self._path = path

    def after_step(self, session: Session, batch: TrainingBatch) -> None:
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

    def after_step(self, session: Session, batch: TrainingBatch) -> None:
        if self._received:
            raise StopRequested(self._received)

    def at_end(self, session: Session) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


class ProgressLine(BaseHook):
    """Iteration, ms an iteration, share of time spent waiting for data, losses, time left."""

    def __init__(self, session: Session):
        self._task = Task("train", "it", total=session.target or None, done=session.iteration)
        self._task.begin()
        self._mean: list[float] | None = None

    def after_step(self, session: Session, batch: TrainingBatch) -> None:
        now = [session.spent, session.waited, *session.history[-1]]
        self._mean = (
            now if self._mean is None else [0.95 * old + 0.05 * new for old, new in zip(self._mean, now, strict=True)]
        )
        spent, waited, src, dst = self._mean
        held = f", held out {session.held[-1][1]:.4f}, {session.held[-1][2]:.4f}" if session.held else ""
        self._task.note = f"{spent * 1000:.0f} ms, data {waited / spent:.0%}, src {src:.4f}, dst {dst:.4f}{held}"
        self._task.update(session.iteration - self._task.done)

    def at_end(self, session: Session) -> None:
        self._task.end()


class Metrics(BaseHook):
    """One JSON line an iteration in ``metrics.jsonl``; of its own model, lines after the iteration that a resumed run starts from are taken back.

    The newest line waits until the next iteration, for the held-out losses of a save.
    """

    def __init__(self, path: Path, start: int, model: str = ""):
        self._path, self._flushed, self._done, self._model = path, time.monotonic(), start, model
        self._lines: list[dict[str, Any]] = []
        self._take_back(start)

    def after_step(self, session: Session, batch: TrainingBatch) -> None:
        if session.iteration <= self._done:  # rolled back
            self._flush()
            self._take_back(session.iteration - 1)
        self._done = session.iteration
        src, dst = session.history[-1]
        if time.monotonic() - self._flushed > 5:
            self._flush()
        self._lines.append(
            {
                "model": self._model,
                "iter": session.iteration,
                "src_loss": round(src, 6),
                "dst_loss": round(dst, 6),
                "ms": round(session.spent * 1000, 1),
                "wait_ms": round(session.waited * 1000, 1),
                **_held(session),
            }
        )

    def at_save(self, session: Session) -> None:
        if self._lines and self._lines[-1]["iter"] == session.iteration:
            self._lines[-1] |= _held(session)
        self._flush()

    def at_end(self, session: Session) -> None:
        self._flush()

    def _take_back(self, start: int) -> None:
        """Drop what was written after iteration ``start``."""
        self._done = start
        if self._path.exists():
            kept = [
                line
                for line in self._path.read_text(errors="replace").splitlines()
                if _iteration(line, self._model) <= start
            ]
            fsio.write_text(self._path, "".join(f"{line}\n" for line in kept))

    def _flush(self) -> None:
        if self._lines:
            with open(self._path, "a") as stream:
                stream.write("".join(f"{json.dumps(line)}\n" for line in self._lines))
        self._lines, self._flushed = [], time.monotonic()


class UnreadableFaces(BaseHook):
    """Names each face that could not be read once, and collects them for the report."""

    def after_step(self, session: Session, batch: TrainingBatch) -> None:
        for name in batch.skipped:
            if name not in session.skipped:
                session.skipped.append(name)
                log.warning("skipped: %s", name)


def _held(session: Session) -> dict[str, float]:
    """The losses of the held-out faces, if they were examined at this iteration."""
    if not session.held or session.held[-1][0] != session.iteration:
        return {}
    return {"held_src": session.held[-1][1], "held_dst": session.held[-1][2]}


def _iteration(line: str, model: str) -> float:
    """The iteration of a line of metrics; infinite for a line that was cut short, 0 for one of another model."""
    try:
        found = json.loads(line)
        return int(found["iter"]) if found.get("model", model) == model else 0
    except (ValueError, KeyError, TypeError, AttributeError):
        return float("inf")
