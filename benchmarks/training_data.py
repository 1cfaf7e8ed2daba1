"""How fast are training batches made, by our worker ring and by grain, from the same samples?

usage: python benchmarks/training_data.py SRC_ALIGNED DST_ALIGNED [--resolution 224] [--batch 8] [--batches 12] Prints
JSON and keeps it in benchmarks/results/training_data.json. samples_per_cpu_second counts the CPU time of all processes,
so it holds on a machine that others use too.
"""

import argparse
import json
import os
import platform
import resource
import time
from pathlib import Path

from core.data.batches import BatchMaker, BatchSettings
from core.data.workers import open_batches
from core.faceset.store import open_faceset
from core.geometry.align import FaceType


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("src", type=Path)
    parser.add_argument("dst", type=Path)
    for name, default in (("resolution", 224), ("batch", 8), ("batches", 12)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    result = {
        "machine": {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count()},
        "resolution": given.resolution,
        "batch": given.batch,
    }
    for cached in (False, True):
        settings = BatchSettings(
            open_faceset(given.src),
            open_faceset(given.dst),
            given.resolution,
            FaceType.WHOLE_FACE,
            given.batch,
            cache_bytes=2**31 if cached else 0,
        )
        label = "cached" if cached else "decoding"
        result[f"one_process_{label}"] = measure(lambda s=settings: in_process(s, given.batches), given)
        result[f"ring_{label}"] = measure(lambda s=settings: ring(s, given.batches), given)
        result[f"grain_{label}"] = measure(lambda s=settings: with_grain(s, given.batches), given)
    target = Path(__file__).parent / "results" / "training_data.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


def measure(run, given) -> dict:
    """Samples per second and per second of CPU, start of the processes included and apart."""
    wall, cpu = time.perf_counter(), cpu_seconds()
    started = run()
    samples = 2 * given.batch * given.batches
    end = time.perf_counter()
    return {
        "samples_per_s": round(samples / (end - started), 1),
        "start_s": round(started - wall, 2),
        "samples_per_cpu_s": round(samples / max(1e-6, cpu_seconds() - cpu), 1),
    }


def cpu_seconds() -> float:
    """Of this process and of children that ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def in_process(settings: BatchSettings, count: int) -> float:
    maker = BatchMaker(settings)
    maker.make(0)
    started = time.perf_counter()
    for number in range(count):
        maker.make(number)
    return started


def ring(settings: BatchSettings, count: int) -> float:
    with open_batches(settings, 0, 1) as batches:
        next(batches)
        started = time.perf_counter()
        for _ in range(count):
            next(batches)
    return started


class Source:
    """Batches as a random-access source, which is all that grain needs from a pure function of the number."""

    def __init__(self, settings: BatchSettings, length: int):
        self._settings, self._length, self._maker = settings, length, None

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int):
        self._maker = self._maker or BatchMaker(self._settings)
        batch = self._maker.make(index)
        return {name: getattr(batch, name) for name in ("warped", "target", "mask", "eyes_mouth")}


def with_grain(settings: BatchSettings, count: int) -> float:
    import grain

    dataset = grain.MapDataset.source(Source(settings, count + 1)).to_iter_dataset()
    batches = iter(dataset.mp_prefetch(grain.MultiprocessingOptions(num_workers=1, per_worker_buffer_size=2)))
    next(batches)
    started = time.perf_counter()
    for _ in range(count):
        next(batches)
    return started


if __name__ == "__main__":
    main()
