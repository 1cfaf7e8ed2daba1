"""Which way to blur is fastest, forward and backward: dense or separable convolution, banded matrices, or shifted sums?

usage: python benchmarks/losses.py [--resolution 128] [--batch 8] [--taps 11] Prints JSON and keeps it in
benchmarks/results/losses.json. Trust the ratios, not the milliseconds: they come from one run.
"""

import argparse
import json
import os
import platform
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from core.training.objective import filters


def main() -> None:
    parser = argparse.ArgumentParser()
    for name, default in (("resolution", 128), ("batch", 8), ("taps", 11)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    x = tf.constant(
        np.random.RandomState(0).rand(given.batch, given.resolution, given.resolution, 3).astype(np.float32)
    )
    taps = filters.dssim_taps(given.taps)
    ways = {
        "dense": dense,
        "separable": lambda x, t: filters.separable_convolution(filters.planes(x), t, 0),
        "matrices": matrices,
        "matrices on planes": lambda x, t: filters.separable(filters.planes(x), t),
        "shifts": shifts,
    }
    result = {
        "machine": {
            "cpu": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "devices": keras.distribution.list_devices(),
        },
        **vars(given),
        "milliseconds": {name: round(fastest(way, x, taps) * 1000, 1) for name, way in ways.items()},
    }
    target = Path(__file__).parent / "results" / "losses.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


def dense(x, taps):
    return ops.depthwise_conv(x, np.tile(np.outer(taps, taps).astype(np.float32)[:, :, None, None], (1, 1, 3, 1)))


def matrices(x, taps):
    band = filters._band(x.shape[1], taps.tobytes(), 0)
    return ops.einsum("ow,bhwc->bhoc", band, ops.einsum("oh,bhwc->bowc", band, x))


def shifts(x, taps):
    length = x.shape[1] - len(taps) + 1
    rows = sum(float(t) * x[:, i : i + length] for i, t in enumerate(taps))
    return sum(float(t) * rows[:, :, i : i + length] for i, t in enumerate(taps))


def fastest(way, x, taps, repeats: int = 8) -> float:
    """Seconds of the quickest of some forward and backward passes."""

    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = tf.reduce_sum(way(x, taps) ** 2)
        return tape.gradient(value, x)

    step(x)
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        step(x)
        times.append(time.perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    main()
