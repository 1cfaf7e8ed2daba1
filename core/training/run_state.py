"""Where a training run stands: what the loops and the hooks of every kind of training share."""

from dataclasses import dataclass, field


@dataclass(kw_only=True)
class RunState:
    """The numbers of a run; its session adds what is trained and where that is saved.

    iteration: done so far.
    begun: where this run began.
    target: the iteration to stop at, 0 for never.
    history: the losses of every iteration, [src, dst] or [loss].
    saved_iteration: of the newest save, -1 for none.
    waited: seconds that the last iteration waited for its batch.
    spent: seconds of the last iteration altogether.
    skipped: names of faces that could not be read.
    validation_losses: rows of [iteration, src, dst], of the faces that are never trained on.
    quality, quality_lines: how good the swaps are at the target, name -> mean, and in words; empty where nobody asked.
    """

    iteration: int = 0
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

    def save(self) -> None:
        """Write everything, all or nothing; then ``saved_iteration`` is this one."""
        raise NotImplementedError
