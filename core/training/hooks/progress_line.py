"""The line that tells a person how far the run is."""

from typing import Any

from core.progress import Task
from core.training.hooks.base import BaseHook
from core.training.run_state import RunState

# Of an exponential mean over about the last twenty iterations.
_KEPT = 0.95


class ProgressLine(BaseHook):
    """Iteration, milliseconds an iteration, share of time spent waiting for data, losses, time left.

    description: of the task. losses: the names of the values of a line of the session's history.
    """

    def __init__(self, session: RunState, description: str = "train", losses: tuple[str, ...] = ("src", "dst")):
        self._task = Task(description, "it", total=session.target or None, done=session.iteration)
        self._task.begin()
        self._losses = losses
        self._mean: list[float] | None = None

    def after_step(self, session: RunState, batch: Any) -> None:
        spent, waited, *losses = self._smoothed([session.spent, session.waited, *session.history[-1]])
        named = [f"{name} {loss:.4f}" for name, loss in zip(self._losses, losses, strict=True)]
        self._task.note = ", ".join([f"{spent * 1000:.0f} ms, data {waited / spent:.0%}", *named, *self._more(session)])
        self._task.update(session.iteration - self._task.done)

    def _smoothed(self, now: list[float]) -> list[float]:
        if self._mean is None:
            self._mean = now
        else:
            self._mean = [_KEPT * old + (1 - _KEPT) * new for old, new in zip(self._mean, now, strict=True)]
        return self._mean

    def _more(self, session: RunState) -> list[str]:
        """The newest validation losses."""
        if not session.validation_losses:
            return []
        _, src, dst = session.validation_losses[-1]
        return [f"held out {src:.4f}, {dst:.4f}"]

    def at_end(self, session: RunState) -> None:
        self._task.end()
