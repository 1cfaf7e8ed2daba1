"""Computes something with the training backend and tells on what; run as a file, in a process of its own.

Loading a framework may crash, hang or print: whoever asks goes on all the same. The last line of the output is JSON
behind ``MARK``; its keys are those of ``core.jobs.doctor.Probe``.
"""

import json
import os
import sys
import time
from typing import Any

MARK = "PROBE"
_SIDE = 64
_ROUNDS = 6


def probe(backend: str) -> dict[str, Any]:
    """device, gpus, architectures, cuda, works, bfloat16: see ``core.jobs.doctor.Probe``."""
    found = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[backend]()
    return found | {"bfloat16": _bfloat16()}


def _tensorflow() -> dict[str, Any]:
    import tensorflow as tf

    build = tf.sysconfig.get_build_info()
    gpus = tf.config.list_physical_devices("GPU")
    with tf.device("GPU:0" if gpus else "CPU:0"):
        product = tf.linalg.matmul(tf.ones((_SIDE, _SIDE)), tf.ones((_SIDE, _SIDE)))
    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    return {
        "device": product.device.rsplit("/", 1)[-1],
        "gpus": [found.get("device_name", gpu.name) for gpu, found in zip(gpus, details, strict=True)],
        "architectures": list(build.get("cuda_compute_capabilities", [])),
        "cuda": build.get("cuda_version"),
        # A sum of 64 ones is exact also where the device multiplies in reduced precision.
        "works": float(product[0, 0]) == _SIDE,
    }


def _jax() -> dict[str, Any]:
    import jax
    import jax.numpy as jnp

    product = jnp.ones((_SIDE, _SIDE)) @ jnp.ones((_SIDE, _SIDE))
    return {
        "device": str(next(iter(product.devices()))),
        "gpus": [device.device_kind for device in jax.devices() if device.platform == "gpu"],
        "architectures": [],
        "cuda": None,
        "works": float(product[0, 0]) == _SIDE,
    }


def _torch() -> dict[str, Any]:
    import torch

    on_gpu = torch.cuda.is_available()
    device = "cuda" if on_gpu else "cpu"
    product = torch.ones((_SIDE, _SIDE), device=device) @ torch.ones((_SIDE, _SIDE), device=device)
    return {
        "device": str(product.device),
        "gpus": [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())],
        "architectures": torch.cuda.get_arch_list() if on_gpu else [],
        "cuda": torch.version.cuda,
        "works": float(product[0, 0]) == _SIDE,
    }


def _bfloat16() -> float:
    """The time of a convolution in bfloat16, in times of one in float32."""
    import numpy as np
    from keras import ops

    random = np.random.default_rng(0)
    images, kernel = (random.standard_normal(shape, np.float32) for shape in ((4, _SIDE, _SIDE, 64), (3, 3, 64, 64)))
    best = {"float32": float("inf"), "bfloat16": float("inf")}
    # In turn, so that what else goes on meets both; the first round also chooses kernels.
    for _ in range(_ROUNDS):
        for dtype in best:
            x, weights = ops.cast(images, dtype), ops.cast(kernel, dtype)
            start = time.perf_counter()
            made = ops.conv(x, weights, padding="same", data_format="channels_last")
            ops.convert_to_numpy(ops.cast(ops.max(made), "float32"))  # waits for it
            best[dtype] = min(best[dtype], time.perf_counter() - start)
    return best["bfloat16"] / best["float32"]


if __name__ == "__main__":
    answer = probe(os.environ.get("KERAS_BACKEND", "tensorflow"))
    sys.stdout.write(MARK + json.dumps(answer) + "\n")
