"""A run saves before it ends, whatever ends it beside the step itself."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from core.errors import DivergedError, Interrupted, OutOfMemoryFault, PipelineError, from_os_error
from core.training.hardware.machine import is_out_of_memory
from core.training.run_state import RunState

log = logging.getLogger(__name__)


class StopRequested(Exception):
    """Raised by a hook after a finished step; the message says who asked."""


class _Failed(Exception):
    """Something beside the step failed: the weights are those of the last whole iteration."""

    def __init__(self, error: Exception):
        super().__init__(str(error))
        self.error = error


@contextmanager
def beside_the_step() -> Iterator[None]:
    """Inside are preparing data, previews, saves: what fails there leaves the weights as they are, and worth saving."""
    try:
        yield
    # These are answers, not faults: each has a way of its own further out, and none calls for the emergency save.
    except (StopRequested, Interrupted, DivergedError):
        raise
    except Exception as error:
        raise _Failed(error) from error


@contextmanager
def saved_at_the_end(
    session: RunState, save: Callable[[], None], write: Callable[[], None], hooks: Sequence[Any]
) -> Iterator[None]:
    """Inside is a run.

    It ends with everything saved when it was asked to stop, and when something beside the step failed.

    save: saves as always, hooks included. write: writes the model and nothing else, when something has failed.
    hooks: each hears of the end, however the run ends.

    Raises:
        Interrupted: the run was asked to stop.
        PipelineError: what failed, with the iteration that is saved.
    """
    try:
        yield
    except StopRequested as stop:
        save()
        raise Interrupted(
            f"stopped at iteration {session.iteration} ({stop})",
            hint=f"iteration {session.iteration} is saved; the same command goes on from here",
        ) from None
    except _Failed as failure:
        said = _save_after(session, write)
        fault = _typed(failure.error)
        if fault is None:
            log.error("%s", said)
            raise failure.error from None
        raise _with_hint(fault, said) from failure.error
    finally:
        for hook in hooks:
            hook.at_end(session)


def _save_after(session: RunState, write: Callable[[], None]) -> str:
    """Save if that is still possible; says which iteration is saved."""
    try:
        if session.iteration != session.saved_iteration:
            write()
    # What failed first is what a person must hear of; that saving failed as well is said beside it.
    except (PipelineError, OSError) as second:
        log.error("the model could not be saved: %s", second)
    if session.saved_iteration < 0:
        return "nothing was saved: there was no save yet"
    return f"the model is saved at iteration {session.saved_iteration}; the same command goes on from there"


def _typed(error: Exception) -> PipelineError | None:
    if isinstance(error, PipelineError):
        return error
    if isinstance(error, OSError):
        return from_os_error(error)
    if is_out_of_memory(error):
        hint = "close other programs, use fewer --workers, or a smaller --batch-size"
        return OutOfMemoryFault("out of memory", why=str(error)[:300], hint=hint)
    return None


def _with_hint(fault: PipelineError, said: str) -> PipelineError:
    hint = "; ".join(filter(None, [fault.hint or fault.usual_hint, said]))
    # Of the same class, because the class decides the exit code.
    return type(fault)(fault.what, where=fault.where, why=fault.why, hint=hint)
