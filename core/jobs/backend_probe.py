"""Computes something with the training backend and tells on what; run as a file, in a process of its own.

Loading a framework may crash, hang or print: whoever asks goes on all the same. The last line of the output is JSON
behind ``MARK``; its keys are those of ``core.jobs.doctor.Probe``.
"""

import json
import os
import sys
from typing import Any

MARK = "PROBE"
_SIDE = 64


def probe(backend: str) -> dict[str, Any]:
    """device, gpus, architectures, cuda, works: see ``core.jobs.doctor.Probe``."""
    return {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[backend]()


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


if __name__ == "__main__":
    answer = probe(os.environ.get("KERAS_BACKEND", "tensorflow"))
    sys.stdout.write(MARK + json.dumps(answer) + "\n")
