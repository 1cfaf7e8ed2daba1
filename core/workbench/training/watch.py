"""The previews and numbers of training, and events when there are new ones."""

import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import InputError, PipelineError
from core.fsio import lock, write_bytes
from core.training.requests import FILE
from core.training.schedule.spans import spans_of
from core.training.schedule.timeline import from_saved
from core.workbench.answers import Conflict, Missing
from core.workbench.events import Events
from core.workbench.training.metrics import Metrics, curve, latest
from core.workspace import Workspace

_PICTURE = re.compile(r"(\d{7,})\.jpg")


class TrainingFiles:
    """What is in the model folder of a workspace. Every method may be called from any thread."""

    def __init__(self, workspace: Workspace, events: Events):
        self._model, self._locks, self._events = workspace.model, workspace.locks, events
        self.metrics = Metrics(workspace.model / "metrics.jsonl")
        self._told: Any = None

    def watch(self) -> None:
        """Tell of new lines and previews, once."""
        now = {"size": self.metrics.read_on(), "preview": self.preview_time(), "model": self.metrics.newest}
        if self._told is not None and now != self._told:
            self._events.add("training", now)
        self._told = now

    def preview_time(self) -> int:
        """When the newest preview was drawn, in milliseconds; 0 where there is none."""
        try:
            return (self._model / "preview" / "latest.jpg").stat().st_mtime_ns // 1_000_000
        except FileNotFoundError:
            return 0

    def summary(self, model: str, points: int) -> dict[str, Any]:
        """Curve and newest numbers of a model; of the one trained last where none is named."""
        self.metrics.read_on()
        name = model or self.metrics.newest
        rows = self.metrics.columns(name)
        return {
            "model": name,
            "models": self.metrics.models(),
            "latest": latest(rows),
            "curve": curve(rows, points),
            "preview": self.preview_time(),
            "history": self.history(name),
            "phases": self._phases(name),
            "age": self._age(),
        }

    def ask(self, asked: Mapping[str, Any]) -> None:
        """Ask something of the run that trains: names and values of ``core.training.requests``.

        Raises:
            Conflict: nothing trains.
        """
        if not self._trains():
            raise Conflict("nothing trains now", hint="start training first")
        write_bytes(self._model / FILE, json.dumps(dict(asked)).encode(), durable=False)

    def _trains(self) -> bool:
        for path in self._locks.glob("train.*.lock"):
            try:
                with lock(path, "the model"):
                    pass
            except InputError:
                return True
        return False

    def _age(self) -> float | None:
        """Seconds since the newest line; None where there is none."""
        try:
            return time.time() - self.metrics.path.stat().st_mtime
        except FileNotFoundError:
            return None

    def _phases(self, model: str) -> list[dict[str, Any]]:
        """The phases of the schedule of a model, as stretches of iterations; nothing where there is none."""
        path = next((path for path in self._model.glob("*_forge.json") if path.name == f"{model}_forge.json"), None)
        if path is None:
            return []
        try:
            saved = json.loads(path.read_bytes()).get("schedule")
            spans = spans_of(from_saved(saved, path.name).preset) if saved else []
        except (OSError, ValueError, AttributeError, RecursionError, PipelineError):
            return []  # training itself says what is wrong with it
        return [{"start": s.start, "end": s.end, "name": s.name, "options": s.options} for s in spans]

    def history(self, model: str) -> list[int]:
        """The iterations of which a preview is kept, in order."""
        folder = self._history(model)
        if folder is None:
            return []
        return sorted(int(found[1]) for path in folder.iterdir() if (found := _PICTURE.fullmatch(path.name)))

    def preview(self, model: str, iteration: int) -> bytes:
        """A preview. iteration: 0 for the newest. Raises Missing where there is none."""
        path = self._model / "preview" / "latest.jpg"
        if iteration:
            folder = self._history(model)
            path = path if folder is None else folder / f"{iteration:07d}.jpg"
        try:
            return path.read_bytes()
        except FileNotFoundError:
            raise Missing("there is no such preview", where=path.name) from None

    def _history(self, model: str) -> Path | None:
        """The folder of a model, by its name among those that there are."""
        root = self._model / "preview" / "history"
        if not root.is_dir():
            return None
        return next((path for path in root.iterdir() if path.name == model and path.is_dir()), None)
