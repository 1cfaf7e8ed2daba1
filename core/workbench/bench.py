"""What all routes of the workbench share, and the thread that looks after it."""

import logging
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from core.errors import PipelineError
from core.workbench.events import Events
from core.workbench.jobs.forms import Stages
from core.workbench.jobs.queue import Queue
from core.workbench.machine import Cards
from core.workbench.merging.previewer import Previewer
from core.workbench.sides.side_view import SideView
from core.workbench.training.watch import TrainingFiles
from core.workbench.vision.vision import Vision
from core.workspace import Workspace

log = logging.getLogger(__name__)
_EVERY = 0.5  # seconds
_PAUSE = 0.02
_PATIENT = 15  # nice


@dataclass
class Bench:
    """One workspace with its jobs, sides and training, and the events that tell pages of them.

    stages: those that a page may start. reserve: bytes of disk that have to stay free.
    """

    workspace: Workspace
    stages: Stages
    reserve: int = 5 * 10**9
    events: Events = field(default_factory=Events)
    cards: Cards = field(default_factory=Cards)
    vision: Vision = field(default_factory=Vision)

    def __post_init__(self) -> None:
        self.jobs = Queue(self.workspace, self.stages, self.events, self.reserve)
        self.sides = {name: SideView(self.workspace.side(name)) for name in ("src", "dst")}
        self.previewer = Previewer(self.workspace)
        self.training = TrainingFiles(self.workspace, self.events)
        self._end = threading.Event()
        self._makers: dict[str, threading.Thread] = {}
        self._watcher = threading.Thread(target=self._watch, name="workbench", daemon=True)

    def make_thumbs(self, name: str) -> None:
        """Have the thumbs of a side made, behind everything else; once in the life of the server."""
        self._behind(f"thumbs of {name}", self.sides[name].make_thumbs)

    def make_small_film(self, name: str) -> None:
        """The same for small pictures of the film of a side."""
        self._behind(f"small film of {name}", self.sides[name].make_small_film)

    def _behind(self, title: str, work: Callable[[Callable[[], bool]], int]) -> None:
        if self._watcher.is_alive() and title not in self._makers:
            maker = threading.Thread(target=self._make, args=(title, work), name=title, daemon=True)
            self._makers[title] = maker
            maker.start()

    def _make(self, title: str, work: Callable[[Callable[[], bool]], int]) -> None:
        with suppress(OSError, AttributeError):
            # Of this thread alone, on Linux: what is asked for now, and training, come first.
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _PATIENT)
        try:
            work(lambda: self._end.wait(_PAUSE))
        except (PipelineError, OSError) as error:
            log.warning("%s: %s", title, error)

    def __enter__(self) -> "Bench":
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in (self._watcher, *self._makers.values()):
            thread.join()
        self.vision.close()
        self.previewer.close()

    def _watch(self) -> None:
        said = ""
        while not self._end.wait(_EVERY):
            try:
                self.jobs.watch()
                self.training.watch()
                said = ""
            # A disk that is full for a moment, a folder that is gone: the page has to stay.
            except (PipelineError, OSError) as error:
                if str(error) != said:
                    said = str(error)
                    log.warning("%s", said)
