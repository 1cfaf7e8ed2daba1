"""What a graphics card makes of the default recipe: steps, data, memory, export and inference, as JSON.

usage: bash benchmarks/gpu.sh OUT [WHEELS]; for a look on any machine: python benchmarks/gpu.py OUT --tiny

Every part is a process of its own with a limit, and the file is written after each, so that a run that is cut off
loses one part. Whole run below eight minutes: what does not fit any more is left out by name.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Of one iteration of the default recipe at batch 12, forward and backward.
TERAFLOP = 4.46
TINY = {"resolution": 64, "ae_dims": 32, "e_dims": 16, "d_dims": 16, "d_mask_dims": 16, "batch_size": 2}
# What each kind of arithmetic means for the backends that know it; on other machines it changes nothing.
ARITHMETIC = {
    "float32": {"JAX_DEFAULT_MATMUL_PRECISION": "highest", "NVIDIA_TF32_OVERRIDE": "0"},
    "tf32": {"JAX_DEFAULT_MATMUL_PRECISION": "tensorfloat32", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "1"},
    "bfloat16": {},
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--tiny", action="store_true", help="a tiny model and few steps")
    parser.add_argument("--backends", default="jax,torch")
    parser.add_argument("--seconds", type=float, default=460.0, help="for everything")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]
    if given.child:
        print(json.dumps(CHILDREN[given.child](given)))
        return
    run(given, time.monotonic() + given.seconds)


def run(given: argparse.Namespace, end: float) -> None:
    first = given.backends.split(",")[0]
    result: dict = {"machine": machine(), "tiny": given.tiny}
    with tempfile.TemporaryDirectory() as name:
        os.environ["WORKSPACE"] = name
        for label, part, environment in parts(given.backends.split(","), first):
            left = end - time.monotonic()
            result[label] = (
                in_process(given, part, environment, min(left, given.seconds / 3)) if left > 15 else "no time was left"
            )
            given.out.parent.mkdir(parents=True, exist_ok=True)
            given.out.write_text(json.dumps(result, indent=1) + "\n")
            print(label, json.dumps(result[label]), flush=True)


def parts(backends: list[str], first: str) -> list[tuple[str, str, dict[str, str]]]:
    """(label, name of the part, its environment), the most wanted first."""
    steps = [
        (f"step {backend} {kind}", "step", {"KERAS_BACKEND": backend, "PRECISION": kind, **ARITHMETIC[kind]})
        for kind in ("bfloat16", "tf32", "float32")
        for backend in backends
    ]
    here = {"KERAS_BACKEND": first, "PRECISION": "bfloat16"}
    rest = [
        ("train with data and export", "train"),
        ("train, warp on device", "train_warped"),
        ("step, warp on device", "step_warped"),
        ("inference", "inference"),
        ("gan", "gan"),
        ("fit", "fit"),
    ]
    return [
        steps[0],
        *((label, part, here) for label, part in rest[:4]),
        *steps[1:],
        *((*row, here) for row in rest[4:]),
    ]


def in_process(given: argparse.Namespace, part: str, environment: dict[str, str], limit: float) -> object:
    command = [sys.executable, __file__, str(given.out), "--child", part, *(["--tiny"] if given.tiny else [])]
    try:
        done = subprocess.run(
            command, env={**os.environ, **environment}, cwd=ROOT, capture_output=True, text=True, timeout=limit
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {limit:.0f} s"
    if done.returncode:
        return {"failed": done.stderr.strip()[-600:]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def machine() -> dict:
    query = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    try:
        card = subprocess.run(query, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        card = "none"
    return {"card": card, "cores": len(os.sched_getaffinity(0)), "python": platform.python_version()}


def options(given: argparse.Namespace, **more: object) -> dict:
    return {**(TINY if given.tiny else {}), **more}


def step(given: argparse.Namespace, warp_on_device: bool = False, **more: object) -> dict:
    """An iteration on noise that is on the device: what the card alone can do."""
    from core.training.hardware.measure import measure_here
    from core.training.recipe import Recipe
    from core.training.settings import TrainerSettings

    precision = {"tf32": "float32"}.get(os.environ["PRECISION"], os.environ["PRECISION"])
    recipe = Recipe(**options(given, **more))
    settings = vars(TrainerSettings(precision=precision, warp_on_device=warp_on_device))
    request = {"recipe": recipe.model_dump(mode="json"), "settings": settings, "xla": None, "steps": 30}
    found = measure_here(request | ({"steps": 3} if given.tiny else {}))
    work = {} if given.tiny or more or warp_on_device else {"teraflops": round(1000 * TERAFLOP / found.ms, 1)}
    return {**vars(found), **work}


def gan(given: argparse.Namespace) -> dict:
    return step(given, gan_power=0.1, gan_patch_size=8 if given.tiny else 28)


def step_warped(given: argparse.Namespace) -> dict:
    return step(given, warp_on_device=True)


def train(given: argparse.Namespace, *more: str) -> dict:
    """A run with faces from files, by the command that people use: time of an iteration, and of waiting for data."""
    import face_set

    workspace = Path(os.environ["WORKSPACE"])
    for seed, side in enumerate(("data_src", "data_dst")):
        if not (workspace / side).exists():
            face_set.make(workspace / side / "aligned", 8 if given.tiny else 200, seed=seed)
    count = 6 if given.tiny else 400
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in options(given).items()]
    command = [sys.executable, "-m", "core", "train", str(count), "--precision", os.environ["PRECISION"], *flags]
    done = subprocess.run([*command, *more, "--preview-every", "0"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        return {"failed": (done.stdout + done.stderr).strip()[-600:]}
    lines = [json.loads(line) for line in (workspace / "model/metrics.jsonl").read_text().splitlines()][-count:]
    late = lines[len(lines) // 2 :]
    ms, wait = (statistics.median(line[name] for line in late) for name in ("ms", "wait_ms"))
    return {"iterations": len(lines), "ms": ms, "wait_ms": wait, "first_s": round(lines[0]["ms"] / 1000, 1)}


def train_warped(given: argparse.Namespace) -> dict:
    """The same of a second model, whose samples are warped on the card."""
    return train(given, "--model", "warped", "--warp-on-device")


def inference(given: argparse.Namespace) -> dict:
    """The exported model on the card by onnxruntime: milliseconds a face."""
    import numpy as np
    import onnxruntime

    path = next(Path(os.environ["WORKSPACE"]).glob("model/*.dfm"))
    wanted = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    providers = [name for name in wanted if name in onnxruntime.get_available_providers()]
    session = onnxruntime.InferenceSession(str(path), providers=providers)
    feed = {
        one.name: np.zeros([d if isinstance(d, int) else 1 for d in one.shape], np.float32)
        for one in session.get_inputs()
    }
    times = []
    for _ in range(10 if given.tiny else 200):
        start = time.perf_counter()
        session.run(None, feed)
        times.append(1000 * (time.perf_counter() - start))
    return {"providers": session.get_providers(), "ms": round(statistics.median(times), 2)}


def fit(given: argparse.Namespace) -> dict:
    """Which batch sizes fit, as ``--fit`` finds it."""
    from core.training.hardware import batch_size_finder
    from core.training.recipe import Recipe
    from core.training.settings import TrainerSettings

    if given.tiny:
        batch_size_finder.LARGEST = 2
    settings = TrainerSettings(precision=os.environ["PRECISION"])
    found = batch_size_finder.find_batch_sizes(Recipe(**options(given)), settings)
    return {"rows": [[row.batch_size, vars(row.measured)] for row in found.rows], "end": str(found.end)}


CHILDREN: dict[str, Callable[[argparse.Namespace], dict]] = {
    "step": step,
    "step_warped": step_warped,
    "train_warped": train_warped,
    "gan": gan,
    "train": train,
    "inference": inference,
    "fit": fit,
}

if __name__ == "__main__":
    main()
