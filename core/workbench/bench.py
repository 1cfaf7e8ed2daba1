"""What all routes of the workbench share, and the thread that looks after it."""

import logging
import threading
from dataclasses import dataclass, field

from core.errors import PipelineError
from core.workbench.events import Events
from core.workbench.jobs.forms import Stages
from core.workbench.jobs.queue import Queue
from core.workbench.machine import Cards
from core.workbench.sides.side_view import SideView
from core.workbench.training.watch import TrainingFiles
from core.workspace import Workspace

log = logging.getLogger(__name__)
_EVERY = 0.5  # seconds


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

    def __post_init__(self) -> None:
        self.jobs = Queue(self.workspace, self.stages, self.events, self.reserve)
        self.sides = {name: SideView(self.workspace.side(name)) for name in ("src", "dst")}
        self.training = TrainingFiles(self.workspace, self.events)
        self._end = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="workbench", daemon=True)

    def __enter__(self) -> "Bench":
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._watcher.join()

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
