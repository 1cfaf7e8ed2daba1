"""The losses and timings of every iteration in a file, for tools that draw them."""

import json
import time
from pathlib import Path
from typing import Any

from core import fsio
from core.data.batches import TrainingBatch
from core.training.hooks.base import BaseHook
from core.training.session import Session

# A small model makes a hundred iterations a second: each of them should not cost a write.
_FLUSH_SECONDS = 5.0


class Metrics(BaseHook):
    """One JSON line an iteration in ``metrics.jsonl``.

    Of its own model, lines after the iteration that a resumed run starts from are taken back. A line is made when its
    losses are known. The newest waits until the next iteration, for the validation losses of a save.

    start: the iteration that the run starts from. model: its name in the lines.
    """

    def __init__(self, path: Path, start: int, model: str = ""):
        self._path = path
        self._model = model
        self._done = start
        self._flushed = time.monotonic()
        self._lines: list[dict[str, Any]] = []
        self._take_back(start)

    def after_step(self, session: Session, batch: TrainingBatch) -> None:
        if session.known < self._done:  # rolled back
            self._flush()
            self._take_back(session.known)
        if time.monotonic() - self._flushed > _FLUSH_SECONDS:
            self._flush()
        self._note(session)

    def _note(self, session: Session) -> None:
        if session.known > self._done:
            self._done = session.known
            self._lines.append(self._line(session))

    def _line(self, session: Session) -> dict[str, Any]:
        src, dst = session.history[-1]
        return {
            "model": self._model,
            "iter": session.known,
            "src_loss": round(src, 6),
            "dst_loss": round(dst, 6),
            "ms": round(session.spent * 1000, 1),
            "wait_ms": round(session.waited * 1000, 1),
            **_examined(session),
        }

    def at_save(self, session: Session) -> None:
        self._note(session)
        if self._lines and self._lines[-1]["iter"] == session.iteration:
            self._lines[-1] |= _examined(session)
        self._flush()

    def at_end(self, session: Session) -> None:
        self._flush()

    def _take_back(self, start: int) -> None:
        """Drop what was written after iteration ``start``."""
        self._done = start
        if self._path.is_file():
            lines = self._path.read_text(errors="replace").splitlines()
            kept = [line for line in lines if _iteration(line, self._model) <= start]
            fsio.write_text(self._path, "".join(f"{line}\n" for line in kept))

    def _flush(self) -> None:
        if self._lines:
            fsio.append_text(self._path, "".join(f"{json.dumps(line)}\n" for line in self._lines))
        self._lines = []
        self._flushed = time.monotonic()


def _examined(session: Session) -> dict[str, Any]:
    """The losses of the validation faces, and how good the swaps are, if that was asked at the known iteration."""
    found: dict[str, Any] = {}
    for iteration, src, dst in session.validation_losses[-2:]:
        if iteration == session.known:
            found |= {"held_src": src, "held_dst": dst}
    if session.quality and session.done:
        found["quality"] = session.quality
    return found


def _iteration(line: str, model: str) -> float:
    """The iteration of a line of metrics; infinite for a line that was cut short, 0 for one of another model."""
    try:
        found = json.loads(line)
        return int(found["iter"]) if found.get("model", model) == model else 0
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return float("inf")
