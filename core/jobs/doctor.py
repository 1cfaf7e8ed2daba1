"""The table to paste in a bug report: machine, versions, the device really used, and what the workspace lacks."""

import json
import os
import platform
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from core import __version__
from core.errors import PipelineError
from core.networks.keras_backend import requirements
from core.workspace import Side, Workspace, list_images

Row = tuple[str, object]
PACKAGES = (
    "numpy",
    "opencv-python-headless",
    "tensorflow",
    "keras",
    "jax",
    "torch",
    "h5py",
    "onnx",
    "onnxruntime",
    "ffmpeg-python",
    "imageio-ffmpeg",
    "av",
)
SMALL_DISK = 10 * 2**30

# Runs in a process of its own: loading a framework may crash, hang or print, and the table must come out all the same.
_PROBE = """
import json, os
out = {}
backend = os.environ.get("KERAS_BACKEND", "tensorflow")
if backend == "tensorflow":
    import tensorflow as tf
    build = tf.sysconfig.get_build_info()
    gpus = tf.config.list_physical_devices("GPU")
    out["arch"] = list(build.get("cuda_compute_capabilities", []))
    out["cuda"] = build.get("cuda_version")
    out["gpus"] = [tf.config.experimental.get_device_details(g).get("device_name", g.name) for g in gpus]
    with tf.device("GPU:0" if gpus else "CPU:0"):
        product = tf.linalg.matmul(tf.ones((64, 64)), tf.ones((64, 64)))
    out["device"] = product.device.rsplit("/", 1)[-1]
    ok = float(product[0, 0]) == 64.0
elif backend == "jax":
    import jax, jax.numpy as jnp
    product = jnp.ones((64, 64)) @ jnp.ones((64, 64))
    out["gpus"] = [d.device_kind for d in jax.devices() if d.platform == "gpu"]
    out["device"] = str(next(iter(product.devices())))
    ok = float(product[0, 0]) == 64.0
else:
    import torch
    device = "cuda" if torch.cuda.is_available() else "cpu"
    product = torch.ones((64, 64), device=device) @ torch.ones((64, 64), device=device)
    out["gpus"] = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    out["arch"] = torch.cuda.get_arch_list() if torch.cuda.is_available() else []
    out["device"] = str(product.device)
    ok = float(product[0, 0]) == 64.0
out["works"] = ok
print("PROBE" + json.dumps(out))
"""


def examine(workspace: Workspace) -> tuple[list[Row], list[str]]:
    """Rows of the table, and warnings that say what to do."""
    warnings: list[str] = []
    rows = [*machine(), *versions(), *backend(warnings), *onnx_runtime(), *ffmpeg(warnings), *disk(workspace, warnings)]
    rows += [*contents(workspace), ("next step", next_step(workspace))]
    return rows, warnings


def machine() -> list[Row]:
    try:
        memory = f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB"
    except (ValueError, OSError):
        memory = "unknown"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    python = f"{platform.python_version()} ({sys.executable})"
    return [
        ("DFM Forge", __version__),
        ("system", platform.platform()),
        ("cores, memory", f"{cores}, {memory}"),
        ("python", python),
    ]


def versions() -> list[Row]:
    found: list[Row] = []
    for name in PACKAGES:
        try:
            found.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            found.append((name, "not installed"))
    return found


def backend(warnings: list[str], timeout: float = 180) -> list[Row]:
    """Which device the training backend computes on, found by computing something on it."""
    name = os.environ.get("KERAS_BACKEND", "tensorflow")
    gpus = nvidia_gpus()
    driver = (
        "; ".join(
            f"{g['name']}, compute capability {g['capability']}, {g['memory']}, driver {g['driver']}" for g in gpus
        )
        or "none found"
    )
    rows: list[Row] = [
        ("backend", name),
        ("NVIDIA driver", driver),
        ("CUDA_VISIBLE_DEVICES", os.environ.get("CUDA_VISIBLE_DEVICES", "not set")),
    ]
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE], capture_output=True, text=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        warnings.append(f"the {name} backend did not answer within {timeout:.0f} s")
        return [*rows, ("device used", "unknown: no answer")]
    line = next((line for line in done.stdout.splitlines() if line.startswith("PROBE")), "")
    if not line:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        warnings.append(
            f"the {name} backend does not start: {last}; pip install -r {requirements(name)}, "
            "or choose another with KERAS_BACKEND"
        )
        return [*rows, ("device used", "none: the backend does not start")]
    probe = json.loads(line.removeprefix("PROBE"))
    verdict = "computes correctly" if probe["works"] else "COMPUTES WRONGLY"
    rows.append(("device used", f"{probe['device']} ({', '.join(probe['gpus']) or 'no GPU in use'}), {verdict}"))
    if probe.get("arch"):
        rows.append(
            (
                "GPU code in the build",
                ", ".join(probe["arch"]) + (f", CUDA {probe['cuda']}" if probe.get("cuda") else ""),
            )
        )
    warnings += gpu_warnings(name, gpus, probe)
    return rows


def gpu_requirements(name: str) -> str:
    """What brings the CUDA libraries of a backend."""
    return {"tensorflow": "requirements-gpu.txt", "jax": "requirements-jax-gpu.txt"}.get(name, requirements(name))


def nvidia_gpus() -> list[dict[str, str]]:
    """What nvidia-smi lists; empty where there is no driver."""
    if not shutil.which("nvidia-smi"):
        return []
    query = ["nvidia-smi", "--query-gpu=name,compute_cap,memory.total,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=30, check=False)
    except subprocess.TimeoutExpired:
        return []
    lines = (
        [line.split(", ") for line in done.stdout.splitlines() if line.count(", ") == 3] if done.returncode == 0 else []
    )
    return [dict(zip(("name", "capability", "memory", "driver"), fields, strict=True)) for fields in lines]


def gpu_warnings(name: str, gpus: list[dict[str, str]], probe: dict) -> list[str]:
    """What a person should do where driver, build and use do not agree."""
    found = []
    if gpus and not probe["gpus"]:
        found.append(
            f"there is an NVIDIA GPU but {name} does not use it: pip install -r {gpu_requirements(name)} (CUDA libraries), "
            "or look at CUDA_VISIBLE_DEVICES"
        )
    for gpu in gpus:
        if probe.get("arch") and not runs_on(gpu["capability"], probe["arch"]):
            found.append(
                f"{gpu['name']} (compute capability {gpu['capability']}) is newer or older than the GPU code of this {name} build: "
                "the first start compiles for minutes, or fails; KERAS_BACKEND=jax or torch with a newer CUDA is the way out"
            )
    return found


def runs_on(capability: str, architectures: list[str]) -> bool:
    """Whether a build has machine code for a GPU (same major version, minor not above), by CUDA's compatibility rule;
    PTX does not count.
    """
    major, minor = (int(part) for part in capability.split("."))
    codes = [a.removeprefix("sm_").rstrip("af") for a in architectures if a.startswith("sm_")]
    return any(int(code[:-1]) == major and int(code[-1]) <= minor for code in codes)


def onnx_runtime() -> list[Row]:
    import onnxruntime

    return [
        (
            "onnxruntime runs on",
            ", ".join(p.removesuffix("ExecutionProvider") for p in onnxruntime.get_available_providers()),
        )
    ]


def ffmpeg(warnings: list[str]) -> list[Row]:
    from core.video.program import find_ffmpeg

    try:
        path = find_ffmpeg()
    except PipelineError as error:
        warnings.append(str(error))
        return [("ffmpeg", "not found")]
    head = subprocess.run([path, "-hide_banner", "-version"], capture_output=True, text=True, check=False).stdout.split(
        " Copyright"
    )[0]
    return [("ffmpeg", f"{head} ({path})")]


def disk(workspace: Workspace, warnings: list[str]) -> list[Row]:
    folder = next(p for p in (workspace.root, *workspace.root.parents) if p.exists())
    free = shutil.disk_usage(folder).free
    if free < SMALL_DISK:
        warnings.append(f"only {free / 2**30:.1f} GiB free at {folder}: PNG frames of a few minutes of film take more")
    writable = "" if os.access(folder, os.W_OK) else ", NOT WRITABLE"
    return [("workspace", f"{workspace.root}, {free / 2**30:.1f} GiB free{writable}")]


def contents(workspace: Workspace) -> list[Row]:
    rows: list[Row] = []
    for name in ("src", "dst"):
        side = workspace.side(name)
        videos = ", ".join(p.name for p in side.videos()) or "no video"
        rows.append((f"data_{name}", f"{videos}; {len(list_images(side.frames))} frames; {faces(side)}"))
    models = ", ".join(sorted(p.name.removesuffix("_data.dat") for p in workspace.model.glob("*_data.dat"))) or "none"
    exports = ", ".join(sorted(p.name for p in workspace.model.glob("*.dfm"))) or "none"
    assets = ", ".join(sorted(p.name for p in workspace.assets.glob("*.zip"))) or "none"
    return [*rows, ("models", models), ("exported", exports), ("assets", assets)]


def faces(side: Side) -> str:
    loose = len(list_images(side.aligned))
    if side.pak.exists():
        return f"faceset.pak ({side.pak.stat().st_size / 2**20:.1f} MiB)" + (
            f" and {loose} loose faces" if loose else ""
        )
    return f"{loose} faces"


def next_step(workspace: Workspace) -> str:
    """The script that a person should run now."""
    for number, name in ((1, "src"), (2, "dst")):
        side = workspace.side(name)
        has_faces = bool(list_images(side.aligned)) or side.pak.exists()
        if has_faces:
            continue
        if list_images(side.frames):
            return f"scripts/{number + 2}_extract_{name}_faces.sh"
        if side.videos():
            return f"scripts/{number}_extract_{name}_video.sh"
        if name == "dst" and (workspace.assets / "random_dst_face_set.zip").exists():
            continue
        return f"copy a video to {side.frames.with_suffix('.mp4')}"
    if not list(workspace.model.glob("*.dfm")):
        return "scripts/5_train.sh TARGET_ITER"
    return f"load {Path(sorted(workspace.model.glob('*.dfm'))[0]).name} in a live program, or train on with scripts/5_train.sh"
