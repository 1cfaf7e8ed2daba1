"""The training loop: batch -> step -> hooks, until the target or a request to stop."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from core.data.batches import BatchSettings, TrainingBatch
from core.errors import DivergedError, OutOfMemoryFault, PipelineError
from core.training.ending import beside_the_step, saved_at_the_end
from core.training.hardware.machine import is_out_of_memory
from core.training.kinds import KINDS
from core.training.prefetch import open_ready_batches
from core.training.recipe import Recipe
from core.training.run_state import Pending, RunState
from core.training.session import Session

log = logging.getLogger(__name__)


class Hook(Protocol):
    """What happens beside the steps.

    after_step: after every iteration; its step may still run, and its losses be unknown: ``session.known`` tells.
    at_save: before the files of a save are written.
    at_end: however the run ends.
    """

    def after_step(self, session: Session, batch: TrainingBatch) -> None: ...

    def at_save(self, session: Session) -> None: ...

    def at_end(self, session: Session) -> None: ...


Boundary = Callable[[Session], BatchSettings]


def train(
    session: Session,
    settings: BatchSettings,
    hooks: Sequence[Hook],
    *,
    workers: tuple[int, int],
    boundary: Boundary | None = None,
) -> None:
    """Train until ``session.target`` and save.

    workers: processes that prepare batches, at first and at most; (0, 0) for none.
    boundary: called where the session pauses; takes it over and gives the batches to go on with.

    Whatever fails beside the step itself, the model is saved first.

    Raises:
        Interrupted: when asked to stop, after saving.
        DivergedError: when the loss explodes and a rollback does not help.
        OutOfMemoryFault: when the device's memory is used up.
    """
    with saved_at_the_end(session, lambda: save(session, hooks), session.save, hooks):
        _to_target(session, settings, hooks, workers, boundary)


def _to_target(
    session: Session,
    settings: BatchSettings,
    hooks: Sequence[Hook],
    workers: tuple[int, int],
    boundary: Boundary | None,
) -> None:
    """Train and save; after a first divergence go on from the last save with half the learning rate."""
    rolled_back: DivergedError | None = None
    while not session.done:
        try:
            _run(session, settings, hooks, workers)
            if boundary and not session.done:
                settings = boundary(session)
            if session.done:
                save(session, hooks)  # inside: weights that the last step has spoilt are seen here
        except DivergedError as error:
            if rolled_back or session.saved_iteration < 0:
                raise _gave_up(error, rolled_back, session) from None
            rolled_back = error
            log.warning("%s; back to iteration %d with half the learning rate", _named(error), session.roll_back())
    save(session, hooks)


def save(session: RunState, hooks: Sequence[Any]) -> None:
    """Save unless this iteration is saved already. Raises DivergedError where its step was a bad one."""
    if session.iteration == session.saved_iteration:
        return
    session.settle()
    for hook in hooks:
        hook.at_save(session)
    session.save()


def _run(session: Session, settings: BatchSettings, hooks: Sequence[Hook], workers: tuple[int, int]) -> None:
    with open_ready_batches(settings, session.iteration, workers, session.trainer.ready) as batches:
        while not session.paused:
            batch = _iterate(session, batches)
            with beside_the_step():
                for hook in hooks:
                    hook.after_step(session, batch)
        session.settle()


def _iterate(session: Session, batches: Iterator[TrainingBatch]) -> TrainingBatch:
    """Start the next step, and read the losses of the one before while it runs: the device never waits for us."""
    start = time.perf_counter()
    with beside_the_step():
        batch = next(batches)
    waited = time.perf_counter() - start
    with explained_memory(session.recipe, f"iteration {session.iteration + 1}"):
        reported = session.trainer.begin(batch)
        session.settle()
    session.iteration += 1
    session.pending = Pending(reported, waited, time.perf_counter() - start)
    return batch


def _gave_up(error: DivergedError, before: DivergedError | None, session: Session) -> DivergedError:
    history = "there is no save to go back to"
    if before:
        history = f"it had diverged before ({_named(before)}) and was rolled back once"
    loss = ""
    if session.history:
        loss = "; the last sound loss was {:.4g} (src), {:.4g} (dst)".format(*session.history[-1])
    first, last = max(0, session.saved_iteration) + 1, session.known + 1
    return DivergedError(
        _named(error),
        why=f"iterations {first} to {last} are given up{loss}; {history}",
        hint=error.hint,
    )


def _named(error: DivergedError) -> str:
    return f"{error.what}: {error.where}" if error.where else error.what


@contextmanager
def explained_memory(r: Recipe, where: str) -> Iterator[None]:
    """Where memory is used up inside, raises OutOfMemoryFault with what to change in recipe ``r``."""
    try:
        yield
    except Exception as error:
        if isinstance(error, PipelineError) or not is_out_of_memory(error):
            raise
        raise _out_of_memory(error, r, where) from error


def _out_of_memory(error: Exception, r: Recipe, where: str) -> OutOfMemoryFault:
    sizes = f"--resolution (now {r.resolution}) or --ae-dims / --d-dims (now {r.ae_dims} / {r.d_dims})"
    changes = {
        "batch_size": f"--batch-size {max(1, r.batch_size // 2)} (now {r.batch_size})",
        "adabelief": "--no-adabelief: RMSprop keeps one moment of each weight, not two",
        "resolution": f"a new model with a smaller {sizes}",
    }
    possible = [change for option, change in changes.items() if option in KINDS[r.kind].options]
    if r.batch_size > 1:
        possible.insert(0, "--batch-parts 2 or more: the same steps, a part of the batch after the other")
    return OutOfMemoryFault(
        "the device's memory is used up",
        where=where,
        why=f"{type(error).__name__} {error}"[:300],
        hint="one of: " + "; ".join(possible),
    )
