"""How far a job is, through one small interface: a terminal draws a bar, a server may listen, who listens may cancel.

A job iterates over ``progress(items, ...)`` or counts with a ``Task``. Who is told is set around the call of the job
with ``reporting_to``; nobody is by default, so a job called from a program or a test is silent.
"""

import json
import logging
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from tqdm import tqdm

from core.console import say
from core.fsio import write_bytes

T = TypeVar("T")
_ROWS = 24  # of a terminal; more bars than that are never drawn
_LINE_SECONDS = 30.0
_FILE_SECONDS = 0.5
# As short as it can be: with a note of training it has to fit into 80 columns.
_WITH_NOTE = "{n_fmt}/{total_fmt} {remaining}{postfix}"
_WITH_NOTE_ENDLESS = "{n_fmt} {elapsed}{postfix}"


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
    """Tells a person on stderr how far it is: a line that is redrawn on a terminal, else a line now and then."""

    def __init__(self) -> None:
        self._shown: dict[int, _Bar | _Lines] = {}

    def begin(self, task: Task) -> None:
        # As in a program without a console.
        if sys.stderr is None:
            return
        with self._forgotten_without_terminal(task):
            self._shown[id(task)] = _Bar(task) if sys.stderr.isatty() else _Lines(task)

    def update(self, task: Task) -> None:
        shown = self._shown.get(id(task))
        if shown is not None:
            with self._forgotten_without_terminal(task):
                shown.update(task)

    def end(self, task: Task) -> None:
        shown = self._shown.pop(id(task), None)
        if shown is not None:
            with self._forgotten_without_terminal(task):
                shown.end(task)

    @contextmanager
    def _forgotten_without_terminal(self, task: Task) -> Iterator[None]:
        """What cannot be shown because the terminal is gone is shown no more; the work goes on."""
        try:
            yield
        except (OSError, ValueError):
            self._shown.pop(id(task), None)


class _Bar:
    """A bar; where the task has a note, numbers and the note in its place."""

    def __init__(self, task: Task) -> None:
        self._bar = tqdm(
            desc=task.description,
            unit=task.unit,
            total=task.total,
            initial=task.done,
            file=sys.stderr,
            mininterval=0.2,
            maxinterval=0.4,
            ncols=_columns(),
            nrows=_ROWS,
            dynamic_ncols=_columns() is None,
            smoothing=0.05,
        )

    def update(self, task: Task) -> None:
        if task.note:
            self._bar.bar_format = _WITH_NOTE if task.total else _WITH_NOTE_ENDLESS
            self._bar.set_postfix_str(task.note, refresh=False)
        # The bar takes a difference; only the task knows how many are done.
        self._bar.update(task.done - self._bar.n)

    def end(self, task: Task) -> None:
        self._bar.close()


class _Lines:
    """A plain line every half a minute and at the end, for log files."""

    def __init__(self, task: Task) -> None:
        self._first, self._start = task.done, time.monotonic()
        self._next = self._start + _LINE_SECONDS

    def update(self, task: Task) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _LINE_SECONDS
            self._say(task, self._left(task))

    def end(self, task: Task) -> None:
        self._say(task, f"{_clock(time.monotonic() - self._start)} taken")

    def _say(self, task: Task, when: str) -> None:
        total = "" if task.total is None else f" of {task.total}"
        parts = [f"{task.description}: {task.done}{total}", when, task.note]
        say(", ".join(filter(None, parts)), sys.stderr)

    def _left(self, task: Task) -> str:
        done = task.done - self._first
        if task.total is None or not done:
            return ""
        return f"{_clock((time.monotonic() - self._start) / done * (task.total - task.done))} left"


def _clock(seconds: float) -> str:
    """``2:05``, ``1:02:05``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class ProgressFile(Listener):
    """Tells another listener, and a file that other programs read: one JSON object, the newest task.

    description, unit, total, done, note: of the task. first: how many were done when it began. begun, now: seconds
    since 1970. ended: whether it is over.
    """

    def __init__(self, path: Path, beside: Listener):
        self._path, self._beside = path, beside
        self._first, self._begun, self._next = 0, 0.0, 0.0

    def begin(self, task: Task) -> None:
        self._first, self._begun = task.done, time.time()
        self._write(task)
        self._beside.begin(task)

    def update(self, task: Task) -> None:
        if time.monotonic() >= self._next:
            self._write(task)
        self._beside.update(task)

    def end(self, task: Task) -> None:
        self._write(task, ended=True)
        self._beside.end(task)

    def _write(self, task: Task, ended: bool = False) -> None:
        self._next = time.monotonic() + _FILE_SECONDS
        said = {name: getattr(task, name) for name in ("description", "unit", "total", "done", "note")}
        said |= {"first": self._first, "begun": self._begun, "now": time.time(), "ended": ended}
        # Whoever does not hear how far it is must not end it.
        with suppress(OSError):
            write_bytes(self._path, json.dumps(said).encode(), durable=False)


class BesideBars(logging.StreamHandler):
    """Lines of the log on stderr, never on one line with a bar."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            with tqdm.external_write_mode(file=self.stream):
                super().emit(record)
        except (OSError, ValueError):  # the terminal is gone
            return


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
