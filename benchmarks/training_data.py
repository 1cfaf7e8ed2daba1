"""How fast are training batches made, and how long does a step wait for them?

usage: python benchmarks/training_data.py [--against FOLDER] [--resolution 224] [--batch 8] [--pairs 4]

Makes its own faces (512 px JPEG, see face_set.py), prints JSON and keeps it in benchmarks/results/training_data.json.
``--against`` is another checkout of the program: both are measured in turn, in processes of their own. What counts is
samples a second of CPU time, so it holds on a machine that others use too; a sample is the four arrays of one face.
Cached means that all faces lie in the cache before the clock starts. ``--warp`` measures something else and adds it to
the file: workers that leave warping to the device in turn with those that do not, and what it takes where the device
is this processor.
"""

import argparse
import importlib.util
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks/results/training_data.json"
FACES = 48  # of each side
STEP = 0.010  # seconds of the simulated device


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--against", type=Path)
    for name, default in (("resolution", 224), ("batch", 8), ("pairs", 4), ("workers", 16)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--warp", action="store_true")
    given = parser.parse_args()
    import face_set

    sys.path.insert(0, str(ROOT))
    from core.data.face_cache import shares
    from core.data.faces import face_bytes

    result: dict = {"machine": machine(), "resolution": given.resolution, "batch": given.batch}
    with tempfile.TemporaryDirectory() as name:
        for seed, side in enumerate(("src", "dst")):
            face_set.make(Path(name) / side, FACES, seed=seed)
        if given.warp:
            keep(json.loads(RESULT.read_text()) | {"warp_on_device": warp(Path(name), given)})
            return
        result["samples_per_cpu_s"] = in_pairs(Path(name), given)
        result["waiting"] = child(ROOT, "waiting", Path(name), given)
    room = 4 * 2**30 // (face_bytes(given.resolution, exact=False) + 1)
    result["faces_a_side_in_4_gib"] = shares((10**6, 10**6), room)[0]
    keep(result)


def keep(result: dict) -> None:
    text = json.dumps(result, indent=1)
    RESULT.write_text(text + "\n")
    sys.stdout.write(text + "\n")


def machine() -> dict:
    return {
        "cpu": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 1),
    }


def in_pairs(folder: Path, given: argparse.Namespace) -> dict:
    """Medians over pairs: before and after in turn, so that a noisy neighbour meets both."""
    checkouts = {"after": ROOT} | ({"before": given.against} if given.against else {})
    found: dict[str, list[dict]] = {name: [] for name in checkouts}
    for _ in range(given.pairs):
        for name, checkout in checkouts.items():
            found[name].append(child(checkout, "speed", folder, given))
    return {name: medians(many) for name, many in found.items()}


def medians(many: list[dict]) -> dict:
    return {kind: round(statistics.median(one[kind] for one in many), 1) for kind in many[0]}


def warp(folder: Path, given: argparse.Namespace) -> dict:
    """Samples a CPU-second of workers that move them and of those that do not; CPU ms a sample of the device."""
    found: dict[str, list[dict]] = {"speed": [], "speed_unmoved": []}
    for _ in range(given.pairs):
        for part, many in found.items():
            many.append(child(ROOT, part, folder, given))
    device = {
        backend: child(ROOT, "device", folder, given, KERAS_BACKEND=backend)["cpu_ms_a_sample"]
        for backend in ("jax", "tensorflow", "torch")
        if importlib.util.find_spec(backend)
    }
    return {
        "machine": machine(),
        "samples_per_cpu_s": {"off": medians(found["speed"]), "on": medians(found["speed_unmoved"])},
        "device_cpu_ms_a_sample": device,
    }


def child(checkout: Path, part: str, folder: Path, given: argparse.Namespace, **more: str) -> dict:
    arguments = [part, str(folder), *map(str, (given.resolution, given.batch, given.workers))]
    environment = {**os.environ, **more, "PYTHONPATH": str(checkout.resolve())}
    command = [sys.executable, __file__, "--child", *arguments]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, cwd=checkout)
    return json.loads(done.stdout)


def settings_of(folder: Path, resolution: int, batch: int, room: int):
    from core.data.batches import BatchSettings
    from core.faceset.store import open_faceset
    from core.geometry.align import FaceType

    sides = (open_faceset(folder / side) for side in ("src", "dst"))
    return BatchSettings(*sides, resolution, FaceType.WHOLE_FACE, batch, cache_bytes=room)


def speed_unmoved(folder: Path, resolution: int, batch: int, workers: int) -> dict:
    return speed(folder, resolution, batch, workers, moved=False)


def device(folder: Path, resolution: int, batch: int, workers: int) -> dict:
    """What moving takes on this processor, compiled where the backend can."""
    import keras

    from core.training.hardware.measure import noise
    from core.training.inputs import training_inputs
    from core.training.objective.moving import moved_input, moved_targets
    from core.training.recipe import Recipe

    class Mover(keras.Model):
        def call(self, x):
            return {"warped": moved_input(x), **moved_targets(x)}

    x = training_inputs(noise(batch, resolution, exact=False, moved=False), Recipe(), 0)
    model = Mover()
    model.compile(jit_compile=keras.backend.backend() == "jax")
    model.predict_on_batch(x)
    start, rounds = time.process_time(), 3
    for _ in range(rounds):
        model.predict_on_batch(x)
    return {"cpu_ms_a_sample": round(1000 * (time.process_time() - start) / (rounds * 2 * batch), 1)}


def speed(folder: Path, resolution: int, batch: int, workers: int, **more: object) -> dict:
    """Samples a CPU-second of one process, that writes into the same arrays again and again as a worker does."""
    import cv2

    from core.data.batches import BatchMaker, empty_batch

    cv2.setNumThreads(1)
    found = {}
    for label, room in (("uncached", 0), ("cached", 2**31)):
        settings = replace(settings_of(folder, resolution, batch, room), **more)
        maker, out = BatchMaker(settings), empty_batch(settings)
        epoch = -(-FACES // batch)  # batches until every face was shown
        for number in range(epoch if room else 1):
            maker.make(number, out)
        start = time.process_time()
        for number in range(epoch, 3 * epoch):
            maker.make(number, out)
        found[label] = 2 * batch * 2 * epoch / (time.process_time() - start)
    return found


def waiting(folder: Path, resolution: int, batch: int, workers: int) -> dict:
    """A device that takes 10 ms a step: how long it waits, beside what the cores allow at the best."""
    from core.data.workers import open_batches

    settings = settings_of(folder, resolution, batch, 2**31)
    steps, waited = 60, 0.0
    with open_batches(settings, 0, workers) as batches:
        for _ in range(12 + 2 * workers):  # until all are up and the cache is full
            next(batches)
        before, start = children(), time.perf_counter()
        for _ in range(steps):
            asked = time.perf_counter()
            next(batches)
            waited += time.perf_counter() - asked
            time.sleep(STEP)
        passed = time.perf_counter() - start
    # Children count when they have ended; what they did before the clock started is small beside it.
    used = children() - before
    cores = len(os.sched_getaffinity(0))
    return {
        "workers": workers,
        "step_ms": round(1000 * passed / steps, 1),
        "waited_share": round(waited / passed, 3),
        "cpu_ms_of_workers_a_step": round(1000 * used / (steps + 12 + 4 * workers), 1),
        "least_ms_that_the_cores_allow": round(max(1000 * STEP, 1000 * used / (steps + 12 + 4 * workers) / cores), 1),
    }


def children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        part, folder, *numbers = sys.argv[2:]
        parts = {"speed": speed, "speed_unmoved": speed_unmoved, "waiting": waiting, "device": device}
        print(json.dumps(parts[part](Path(folder), *map(int, numbers))))
    else:
        main()
