"""Where a training run stands: what the loops and the hooks of every kind of training share."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Pending:
    """A step whose losses nobody has read yet: it may still run on the device.

    reported: what ``Trainer.read`` makes its losses of. waited, spent: as in ``RunState``.
    """

    reported: Any
    waited: float
    spent: float


@dataclass(kw_only=True)
class RunState:
    """The numbers of a run; its session adds what is trained and where that is saved.

    iteration: done so far.
    pending: the newest of them, until its losses are read, else None.
    begun: where this run began.
    target: the iteration to stop at, 0 for never.
    history: the losses of every iteration but a pending one, [src, dst] or [loss].
    saved_iteration: of the newest save, -1 for none.
    waited: seconds that the newest iteration whose losses are known waited for its batch.
    spent: its seconds altogether.
    skipped: names of faces that could not be read.
    validation_losses: rows of [iteration, src, dst], of the faces that are never trained on.
    quality, quality_lines: how good the swaps are at the target, name -> mean, and in words; empty where nobody asked.
    """

    iteration: int = 0
    pending: Pending | None = None
    begun: int = 0
    target: int = 0
    history: list[list[float]] = field(default_factory=list)
    saved_iteration: int = -1
    waited: float = 0.0
    spent: float = 0.0
    skipped: list[str] = field(default_factory=list)
    validation_losses: list[list[float]] = field(default_factory=list)
    quality: dict[str, float] = field(default_factory=dict)
    quality_lines: list[str] = field(default_factory=list)

    @property
    def done(self) -> bool:
        """Whether the target is reached."""
        return 0 < self.target <= self.iteration

    @property
    def known(self) -> int:
        """The newest iteration whose losses are in the history: this one, or the one before."""
        return self.iteration - (self.pending is not None)

    def settle(self) -> None:
        """Wait for the pending step and read its losses; nothing, where none is pending."""

    def save(self) -> None:
        """Write everything, all or nothing; then ``saved_iteration`` is this one."""
        raise NotImplementedError
