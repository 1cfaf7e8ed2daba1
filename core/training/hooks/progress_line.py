"""The line that tells a person how far the run is."""

from typing import Any

from core.progress import Task
from core.training.hooks.base import BaseHook
from core.training.run_state import RunState

# Of an exponential mean over about the last twenty iterations.
_KEPT = 0.95
# From this share of the time on, waiting for data matters.
_WAITING = 0.1


class ProgressLine(BaseHook):
    """Iteration, time left, milliseconds an iteration, losses (of held-out faces in brackets).

    The share of the time that is spent waiting for data is shown where it matters.

    description: of the task. losses: the names of the values of a line of the session's history.
    """

    def __init__(self, session: RunState, description: str = "train", losses: tuple[str, ...] = ("src", "dst")):
        self._task = Task(description, "it", total=session.target or None, done=session.iteration)
        self._task.begin()
        self._losses = losses
        self._mean: list[float] | None = None

    def after_step(self, session: RunState, batch: Any) -> None:
        if session.known > session.begun:
            self._task.note = self._note(session)
        self._task.total = session.target or None  # it may have been changed
        self._task.update(session.iteration - self._task.done)

    def _note(self, session: RunState) -> str:
        spent, waited, *losses = self._smoothed([session.spent, session.waited, *session.history[-1]])
        # Short: the whole line has to fit into 80 columns.
        parts = [f"{spent * 1000:.0f}ms"]
        if waited > _WAITING * spent:
            parts.append(f"data {waited / spent:.0%}")
        held_out = session.validation_losses[-1][1:] if session.validation_losses else [None] * len(losses)
        for name, loss, other in zip(self._losses, losses, held_out, strict=True):
            parts.append(f"{name} {loss:.4f}" if other is None else f"{name} {loss:.3f} ({other:.3f})")
        return " ".join(parts)

    def _smoothed(self, now: list[float]) -> list[float]:
        if self._mean is None:
            self._mean = now
        else:
            self._mean = [_KEPT * old + (1 - _KEPT) * new for old, new in zip(self._mean, now, strict=True)]
        return self._mean

    def at_end(self, session: RunState) -> None:
        self._task.end()
