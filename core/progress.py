"""How far a job is, through one small interface: a terminal draws a bar, a server may listen, who listens may cancel.

A job iterates over ``progress(items, ...)`` or counts with a ``Task``. Who is told is set around the call of the job
with ``reporting_to``; nobody is by default, so a job called from a program or a test is silent.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Any, TypeVar

from tqdm import tqdm

T = TypeVar("T")
_ROWS = 24  # of a terminal; more bars than that are never drawn


class Listener:
    """Hears of tasks; this one ignores them. Any method may raise ``core.errors.Interrupted`` to cancel the job."""

    def begin(self, task: "Task") -> None:
        """A task starts."""

    def update(self, task: "Task") -> None:
        """Some of its items are done, or its note changed."""

    def end(self, task: "Task") -> None:
        """It is over, finished or not."""


class Task:
    """A stretch of work that is counted; a context manager.

    description: what is done, in a word or two. unit: of what is counted. total: how many there will be, or None.
    done: how many are. note: what else there is to say now.
    """

    def __init__(self, description: str, unit: str, total: int | None = None, done: int = 0):
        self.description, self.unit, self.total, self.done, self.note = description, unit, total, done, ""
        self._listener = _listener.get()

    def update(self, count: int = 1) -> None:
        """``count`` more items are done."""
        self.done += count
        self._listener.update(self)

    def begin(self) -> None:
        """The work starts; for those who cannot use ``with``."""
        self._listener.begin(self)

    def end(self) -> None:
        """The work is over."""
        self._listener.end(self)

    def __enter__(self) -> "Task":
        self.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end()


class TerminalBars(Listener):
    """Bars on stderr with the time that is left: redrawn on a terminal, a line now and then in a log file."""

    def __init__(self) -> None:
        self._bars: dict[int, Any] = {}

    def begin(self, task: Task) -> None:
        # As in a program without a console.
        if sys.stderr is None:
            return
        with self._forgotten_without_terminal(task):
            interval = 0.2 if sys.stderr.isatty() else 10.0
            self._bars[id(task)] = tqdm(
                desc=task.description,
                unit=task.unit,
                total=task.total,
                initial=task.done,
                file=sys.stderr,
                mininterval=interval,
                maxinterval=interval * 2,
                ncols=_columns(),
                nrows=_ROWS,
                dynamic_ncols=_columns() is None,
                smoothing=0.05,
            )

    def update(self, task: Task) -> None:
        bar = self._bars.get(id(task))
        if bar is None:
            return
        with self._forgotten_without_terminal(task):
            if task.note:
                bar.set_postfix_str(task.note, refresh=False)
            # The bar takes a difference; only the task knows how many are done.
            bar.update(task.done - bar.n)

    def end(self, task: Task) -> None:
        bar = self._bars.pop(id(task), None)
        if bar is not None:
            with self._forgotten_without_terminal(task):
                bar.close()

    @contextmanager
    def _forgotten_without_terminal(self, task: Task) -> Iterator[None]:
        """A bar whose terminal is gone is drawn no more; the work goes on."""
        try:
            yield
        except (OSError, ValueError):
            self._bars.pop(id(task), None)


def _columns() -> int | None:
    """How wide a bar may be; None where the terminal says. One that says 0, as in some containers, gets 80."""
    try:
        return None if os.get_terminal_size(sys.stderr.fileno()).columns else 80
    except (OSError, ValueError, AttributeError):
        return None


_listener: ContextVar[Listener] = ContextVar("listener", default=Listener())  # noqa: B039 - it has no state


@contextmanager
def reporting_to(listener: Listener) -> Iterator[None]:
    """Inside, ``listener`` hears of every task that begins in this thread."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def progress(items: Iterable[T], *, description: str, unit: str, total: int | None = None) -> Iterator[T]:
    """The items, each counted when the next one is asked for. total: how many, where ``items`` cannot tell."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    with Task(description, unit, total) as task:
        for item in items:
            yield item
            task.update()
