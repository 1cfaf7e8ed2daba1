"""Computing about the faces of a side in a thread, one thing after another, with events that say how far it is."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from core.errors import Interrupted, PipelineError, from_os_error
from core.faceset.database import measured
from core.faceset.database.images import ALIGNED, PAK
from core.faceset.scores.persons import EMBEDDER
from core.jobs.faceset.scoring import scored_faces
from core.progress import Listener, Task, reporting_to
from core.workbench.events import Events
from core.workbench.faces import works
from core.workbench.faces.columns import Found, pictures_of
from core.workbench.sides.edits import writing
from core.workbench.sides.side_view import SideView

log = logging.getLogger(__name__)
_EVERY = 0.3  # seconds between two events


class Computing:
    """Of one side. Every method may be called from any thread."""

    def __init__(self, view: SideView, events: Events):
        self._view, self._events = view, events
        self._lock = threading.Lock()
        self._waiting: list[tuple[str, int]] = []
        self._now: dict[str, Any] = {}
        self._stop = threading.Event()
        self.found: dict[str, Found] = {}

    def state(self) -> dict[str, Any]:
        """What is being computed (as the events say it; empty for nothing), what waits, what is there (JSON values)."""
        with self._lock:
            return {"now": self._now, "waiting": [what for what, _ in self._waiting], "there": sorted(self.found)}

    def ask(self, what: str, count: int) -> bool:
        """Compute something, unless it is there already. Returns whether it is. count: as of ``Choices``."""
        there = self.found.get(what)
        if there is not None and what != works.BY + "best" and there.covers(self._view.table()[1]):
            return True
        with self._lock:
            if what not in [*(waiting for waiting, _ in self._waiting), self._now.get("what")]:
                self._waiting.append((what, count))
            if not self._now:
                self._begin()
        return False

    def stop(self) -> None:
        """Give up what is being computed; what is finished of it is kept and not computed again."""
        self._stop.set()

    def _begin(self) -> None:
        """Start with the next one; the lock is held."""
        if not self._waiting:
            self._now = {}
            return
        what, count = self._waiting.pop(0)
        self._now = {"side": self._view.side.name, "what": what, "state": "running"}
        self._stop.clear()
        threading.Thread(target=self._run, args=(what, count), name=f"computing {what}", daemon=True).start()

    def _run(self, what: str, count: int) -> None:
        end: dict[str, Any] = {"state": "done"}
        try:
            with reporting_to(_Told(self._tell, self._stop)):
                self._compute(what, count)
        except Interrupted:
            end = {"state": "stopped"}
        except PipelineError as error:
            end = {"state": "failed", "error": str(error)}
        except OSError as error:
            end = {"state": "failed", "error": str(from_os_error(error))}
        except Exception as error:
            # A thread that ends without a word would leave the page waiting for ever.
            log.exception("computing %s", what)
            end = {"state": "failed", "error": f"a fault of the program: {error!r}"}
        said = {"side": self._view.side.name, "what": what, **end}
        with self._lock:
            self._begin()
        self._events.add("computing", said)

    def _tell(self, said: dict[str, Any]) -> None:
        self._now = {**self._now, **said}
        self._events.add("computing", self._now)

    def _compute(self, what: str, count: int) -> None:
        with scored_faces(self._view.side, only_to_look=True) as features:
            table = self._view.table()[1]
            which = works.members(features, table, ALIGNED if features.gallery.pak is None else PAK)
            if what == works.CLEAN:
                found = works.cleaned(features, which)
            elif what == works.IDENTITY:
                found = Found(which.ids)
                with writing(self._view.side) as connection, connection:
                    measured.note_vectors(connection, EMBEDDER, works.vectors(features, which))
            else:
                found = works.sorted_by(features, which, what.removeprefix(works.BY), count)
            self._keep(what, replace(found, pictures=pictures_of(table)))

    def _keep(self, what: str, found: Found) -> None:
        self.found = {**self.found, what: found}
        self._view.show_also(self.found.values())


class _Told(Listener):
    """Tells of tasks now and then, and ends the work when it is asked to."""

    def __init__(self, tell: Callable[[dict[str, Any]], None], stop: threading.Event):
        self._tell, self._stop, self._next = tell, stop, 0.0

    def begin(self, task: Task) -> None:
        self._say(task)

    def update(self, task: Task) -> None:
        if self._stop.is_set():
            raise Interrupted("asked to stop")
        if time.monotonic() >= self._next:
            self._say(task)

    def end(self, task: Task) -> None:
        """The next one, or the end, is told."""

    def _say(self, task: Task) -> None:
        self._next = time.monotonic() + _EVERY
        self._tell({"description": task.description, "unit": task.unit, "done": task.done, "total": task.total})


def computed(views: Iterable[SideView], events: Events) -> dict[str, Computing]:
    """Side -> what computes about it."""
    return {view.side.name: Computing(view, events) for view in views}
