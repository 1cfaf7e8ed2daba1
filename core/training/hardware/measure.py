"""Time and memory of a training step, measured in a process of its own: its memory is free again afterwards, and a crash of a compiler or
a kill for memory ends only that process.

``python -m core.training.hardware.measure FOLDER`` is that process: it reads ``FOLDER/request.json`` and writes ``FOLDER/result.json``.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from core.data.batches import TrainingBatch
from core.errors import InputError
from core.training.hardware.machine import device_name, is_out_of_memory, peak_bytes
from core.training.recipe import Recipe
from core.training.trainer import Trainer, TrainerSettings

REQUEST, RESULT = "request.json", "result.json"
_ROOT = Path(__file__).resolve().parents[3]
_WARM_UP = 2
_TAIL = 400


@dataclass(frozen=True)
class Measured:
    """ms: the median of an iteration; first_ms: of the first one, tracing and compiling included; peak_bytes: the most memory used, on a GPU
    of the GPU, else of the whole process; device: its name."""

    ms: float
    first_ms: float
    peak_bytes: int
    device: str


@dataclass(frozen=True)
class Failed:
    """kind: ``memory`` was used up (or the kernel ended the process for it), the process ``crashed`` (a framework or a compiler), took
    longer than its ``timeout``, or an ``error`` was raised; why: what it said."""

    kind: Literal["memory", "crashed", "timeout", "error"]
    why: str


def measure(
    recipe: Recipe,
    settings: TrainerSettings,
    batch_size: int,
    *,
    xla: bool | None = None,
    steps: int = 3,
    timeout: float = 900,
) -> Measured | Failed:
    """Train ``steps`` iterations on noise with first values, after a warm-up, in a child process.

    xla: compile the step or not, None decides as training does; timeout: seconds for everything. A GPU must not be in use by this
    process yet: some backends take all of its memory. Raises what the recipe cannot be as ``Failed`` of kind ``error``.
    """
    request = {
        "recipe": recipe.model_dump(mode="json") | {"batch_size": batch_size},
        "settings": asdict(settings),
        "xla": xla,
        "steps": steps,
    }
    with tempfile.TemporaryDirectory(prefix="forge-measure-") as name:
        folder = Path(name)
        (folder / REQUEST).write_text(json.dumps(request))
        return _outcome(folder, timeout)


def _outcome(folder: Path, timeout: float) -> Measured | Failed:
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    }
    try:
        done = subprocess.run(
            [sys.executable, "-m", __spec__.name, str(folder)],
            env=environment,
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Failed("timeout", f"no answer within {timeout:.0f} s")
    result = folder / RESULT
    if result.is_file():
        answer = json.loads(result.read_text())
        return Failed(**answer["failed"]) if "failed" in answer else Measured(**answer)
    if done.returncode == -signal.SIGKILL:
        return Failed("memory", "the kernel killed the process, as it does when the host's memory is used up")
    return Failed("crashed", f"exit status {done.returncode}: {done.stderr.strip()[-_TAIL:]}")


def measure_here(request: dict[str, Any]) -> Measured:
    """The same in this process. ``request``: as ``measure`` writes it."""
    recipe = Recipe(**request["recipe"])
    trainer = Trainer(recipe, TrainerSettings(**request["settings"]), xla=request["xla"])
    batch = noise(recipe.batch_size, recipe.resolution)
    times = list(_timed(trainer, batch, _WARM_UP + request["steps"]))
    return Measured(statistics.median(times[_WARM_UP:]), times[0], peak_bytes(), device_name())


def _timed(trainer: Trainer, batch: TrainingBatch, steps: int) -> Iterator[float]:
    for _ in range(steps):
        start = time.perf_counter()
        trainer.step(batch)
        yield 1000 * (time.perf_counter() - start)


def noise(batch_size: int, resolution: int) -> TrainingBatch:
    """A batch of random pictures and masks."""
    random = np.random.default_rng(0)
    warped, target, mask, eyes_mouth = (
        random.random((2, batch_size, resolution, resolution, c), np.float32) for c in (3, 3, 1, 1)
    )
    return TrainingBatch(0, warped, target, mask, eyes_mouth)


def _first_to_be_killed() -> None:
    """When memory runs out the kernel ends this process, not the one that asked nor another of the person's."""
    score = Path("/proc/self/oom_score_adj")
    if score.is_file():
        score.write_text("1000")


def child(folder: Path) -> None:
    """Answer the request in ``folder``."""
    _first_to_be_killed()
    if not (folder / REQUEST).is_file():
        raise InputError("no request to measure", where=folder / REQUEST)
    answer: dict[str, Any]
    try:
        answer = asdict(measure_here(json.loads((folder / REQUEST).read_text())))
    except Exception as error:  # whatever a framework raises is the answer
        answer = {
            "failed": asdict(
                Failed("memory" if is_out_of_memory(error) else "error", f"{type(error).__name__}: {error}"[:_TAIL])
            )
        }
    temporary = folder / f".{RESULT}"
    temporary.write_text(json.dumps(answer))
    temporary.replace(folder / RESULT)


if __name__ == "__main__":
    child(Path(sys.argv[1]))
