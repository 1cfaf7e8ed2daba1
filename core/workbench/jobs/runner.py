"""Runs one job and writes down how it ended: a process of its own, which outlives the server.

``python -m core.workbench.jobs.runner FOLDER``
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from core.fsio import lock
from core.own_place import PROJECT
from core.workbench.jobs.files import JobFolder


def run(folder: JobFolder) -> None:
    """Run the job of a folder to its end."""
    job = folder.read()
    if job is None:
        return
    asked: list[int] = []
    _on_signals(lambda number, frame: asked.append(number))
    with lock(folder.held, "this job"), open(folder.log, "ab") as log:
        command = [sys.executable, "-P", "-m", "core", *job.arguments]
        stage = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=_environment(folder))
        # For the stage alone, which saves and ends: its own processes are its to end.
        _on_signals(lambda number, frame: stage.send_signal(number))
        for number in asked:
            stage.send_signal(number)
        folder.note_end(stage.wait())


def _on_signals(handler: Callable[[int, FrameType | None], Any]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handler)


def _environment(folder: JobFolder) -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH", "")]))
    # Words of its help would name the script that started the server.
    kept = {name: value for name, value in os.environ.items() if name != "FORGE_SCRIPT"}
    return kept | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1", "FORGE_PROGRESS": str(folder.progress)}


if __name__ == "__main__":
    run(JobFolder(Path(sys.argv[1])))
