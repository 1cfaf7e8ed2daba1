"""What training runs on: names of devices, whether XLA compiles for them, memory used and free.

And how frameworks say that memory is used up.
"""

import os
import re
import resource
from pathlib import Path

import keras

# What TensorFlow, XLA, JAX, PyTorch, cuDNN and cuBLAS say; none has an exception of its own that all versions raise.
_MEMORY_MARKS = re.compile(
    r"resource_?exhausted|out[ _]?of[ _]?memory|\bOOM\b|_ALLOC_FAILED|can't allocate memory|failed to allocate",
    re.IGNORECASE,
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception of a framework means that memory of the host or the device is used up."""
    text = f"{type(error).__name__} {error}"
    return isinstance(error, MemoryError) or bool(_MEMORY_MARKS.search(text))


def accelerators() -> list[str]:
    """Names of the GPUs that the backend can use, such as ``NVIDIA H100``; empty on a CPU.

    Takes none of their memory.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        details = tf.config.experimental.get_device_details
        return [details(gpu).get("device_name", gpu.name) for gpu in tf.config.list_physical_devices("GPU")]
    if backend == "jax":
        import jax

        return [device.device_kind for device in jax.devices() if device.platform != "cpu"]
    import torch

    return [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]


def compiled(several: bool = False) -> bool:
    """Whether XLA compiles the step: on an accelerator and under JAX.

    On a CPU under TensorFlow it takes long and gains nothing, and what runs on ``several`` devices side by side cannot
    be compiled as one.
    """
    backend = keras.backend.backend()
    return backend == "jax" or (backend == "tensorflow" and not several and bool(accelerators()))


def device_name() -> str:
    """The first GPU, else ``CPU`` with the number of its cores."""
    return next(iter(accelerators()), f"CPU, {os.cpu_count()} cores")


def peak_bytes() -> int:
    """The most memory that this process has used until now: of the first GPU if there is one, else of the host."""
    if not accelerators():
        return _resident_peak()
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return int(tf.config.experimental.get_memory_info("GPU:0")["peak"])
    if backend == "jax":
        import jax

        # memory_stats is None on devices that keep no count.
        return int((jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use", 0))
    import torch

    return int(torch.cuda.max_memory_allocated())


def free_memory() -> int:
    """Bytes that processes can still get without swapping."""
    try:
        return _kilobytes("/proc/meminfo", "MemAvailable:")
    except (OSError, LookupError):
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _resident_peak() -> int:
    """The kernel's high-water mark of this program alone: ``getrusage`` counts the process that started it as well."""
    try:
        return _kilobytes("/proc/self/status", "VmHWM:")
    except (OSError, LookupError):
        # Linux counts it in kilobytes.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _kilobytes(path: str, name: str) -> int:
    """Bytes of the line ``name`` of a table of the kernel. Raises OSError, LookupError."""
    for line in Path(path).read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise LookupError(name)
