"""Time and memory of a training step, measured in a process of its own.

Its memory is free again afterwards, and a crash of a compiler or a kill for memory ends only that process.

``python -m core.training.hardware.measure FOLDER`` is that process: it reads ``request.json`` in the folder and writes
``result.json``.
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
from numpy.typing import NDArray

from core.data.augment import Ranges, as_numbers, draw_motion
from core.data.batches import CHANNELS, TrainingBatch
from core.errors import InputError
from core.imaging.codec import to_uint8
from core.training.hardware.machine import device_name, is_out_of_memory, peak_bytes
from core.training.recipe import Recipe
from core.training.settings import TrainerSettings
from core.training.trainer import Trainer

REQUEST, RESULT = "request.json", "result.json"
_ROOT = Path(__file__).resolve().parents[3]
# The first iterations trace, compile and choose kernels.
_WARM_UP = 2
# Characters of what a process said; what matters is at its end.
_TAIL = 400


@dataclass(frozen=True)
class Measured:
    """What a training step takes.

    ms: milliseconds of an iteration, the median.
    first_ms: milliseconds of the first one, tracing and compiling included.
    peak_bytes: the most memory used, on a GPU of the GPU, else of the whole process.
    device: its name.
    """

    ms: float
    first_ms: float
    peak_bytes: int
    device: str


@dataclass(frozen=True)
class Failed:
    """A measurement that gave no numbers.

    kind: ``memory`` was used up (or the kernel ended the process for it), the process ``crashed`` (a framework or a
    compiler), took longer than its ``timeout``, or an ``error`` was raised.
    why: what it said.
    """

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

    A GPU must not be in use by this process yet: some backends take all of its memory. What the recipe cannot be is
    ``Failed`` of kind ``error``.

    xla: compile the step or not; None decides as training does.
    timeout: seconds for everything.
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
    try:
        done = subprocess.run(
            [sys.executable, "-m", __spec__.name, str(folder)],
            env=_environment(),
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
    # Nobody else knows of this process: it was the kernel.
    if done.returncode == -signal.SIGKILL:
        return Failed("memory", "the kernel killed the process, as it does when the host's memory is used up")
    return Failed("crashed", f"exit status {done.returncode}: {done.stderr.strip()[-_TAIL:]}")


def _environment() -> dict[str, str]:
    """The child finds ``core`` wherever this process was started."""
    path = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{_ROOT}{os.pathsep}{path}" if path else str(_ROOT)}


def measure_here(request: dict[str, Any]) -> Measured:
    """The same in this process. request: as ``measure`` writes it."""
    recipe = Recipe(**request["recipe"])
    trainer = Trainer(recipe, TrainerSettings(**request["settings"]), xla=request["xla"])
    settings = trainer.settings
    batch = noise(recipe.batch_size, recipe.resolution, exact=settings.exact, moved=not settings.warp_on_device)
    times = list(_timed(trainer, batch, _WARM_UP + request["steps"]))
    return Measured(statistics.median(times[_WARM_UP:]), times[0], peak_bytes(), device_name())


def _timed(trainer: Trainer, batch: TrainingBatch, steps: int) -> Iterator[float]:
    """The milliseconds of each step."""
    for _ in range(steps):
        start = time.perf_counter()
        trainer.step(batch)
        yield 1000 * (time.perf_counter() - start)


def noise(batch_size: int, resolution: int, *, exact: bool = True, moved: bool = True) -> TrainingBatch:
    """A batch of random images and masks: float32 or, where not ``exact``, uint8, as training has them.

    moved: False for samples that the device is to move, all alike.
    """
    random = np.random.default_rng(0)
    shape = (2, batch_size, resolution, resolution)
    images = [random.random((*shape, depth), np.float32) for depth in CHANNELS.values()]
    warped, target, mask, eyes_mouth = images if exact else map(to_uint8, images)
    return TrainingBatch(0, warped, target, mask, eyes_mouth, None if moved else _motion(batch_size, resolution))


def _motion(batch_size: int, resolution: int) -> NDArray[np.float32]:
    random = np.random.RandomState(0)
    numbers = as_numbers(draw_motion(resolution, Ranges(), random, random), warped=True)
    return np.broadcast_to(numbers, (2, batch_size, len(numbers)))


def _first_to_be_killed() -> None:
    """When memory runs out the kernel ends this process, neither the one that asked nor another of the person's."""
    score = Path("/proc/self/oom_score_adj")
    if score.is_file():
        # The highest score there is.
        score.write_text("1000")


def child(folder: Path) -> None:
    """Answer the request in ``folder``.

    Raises:
        InputError: there is none.
    """
    _first_to_be_killed()
    if not (folder / REQUEST).is_file():
        raise InputError("no request to measure", where=folder / REQUEST)
    answer: dict[str, Any]
    try:
        answer = asdict(measure_here(json.loads((folder / REQUEST).read_text())))
    except Exception as error:  # whatever a framework raises is the answer
        why = f"{type(error).__name__}: {str(error)[-_TAIL:]}"
        answer = {"failed": asdict(Failed("memory" if is_out_of_memory(error) else "error", why))}
    # Complete or not there: the parent takes a file that exists for an answer.
    temporary = folder / f".{RESULT}"
    temporary.write_text(json.dumps(answer))
    temporary.replace(folder / RESULT)


if __name__ == "__main__":
    child(Path(sys.argv[1]))
