"""Examine a machine and a workspace: versions, the device really used, ffmpeg, disk, and what there is to do next."""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from core import __version__, parallel
from core.inference.dfm import exported
from core.inference.user_weights import has_fan
from core.jobs import backend_probe
from core.video import program
from core.video.find import look_beside
from core.workspace import Side, Workspace, list_frames, list_images, other_frames

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
PATIENCE = 180.0


@dataclass(frozen=True)
class Machine:
    """The computer and its Python. memory: bytes, None where it is not known; cores: that this process may use."""

    system: str
    cores: int
    memory: int | None
    python: str
    executable: str


@dataclass(frozen=True)
class Gpu:
    """A GPU that the NVIDIA driver lists; everything as it says it. capability: of its code, such as ``8.6``."""

    name: str
    capability: str
    memory: str
    driver: str


@dataclass(frozen=True)
class Probe:
    """What the backend answered when it was asked to compute something.

    device: where it did. works: whether the result was right.
    gpus: names of those that it uses.
    architectures: that the build has GPU code for, such as ``sm_86``; empty where it does not tell. cuda: its version.
    bfloat16: the time of a convolution in it, in times of one in float32.
    """

    device: str
    gpus: tuple[str, ...]
    architectures: tuple[str, ...]
    cuda: str | None
    works: bool
    bfloat16: float


@dataclass(frozen=True)
class Backend:
    """The framework that trains.

    name: tensorflow, jax or torch. probe: None where it did not answer.
    problem: what it said last where it did not start, None where it just did not answer in time.
    visible_devices: the variable CUDA_VISIBLE_DEVICES, None where it is not set.
    """

    name: str
    probe: Probe | None
    problem: str | None
    visible_devices: str | None


@dataclass(frozen=True)
class Ffmpeg:
    """An ffmpeg program; the first without a fault is used where it knows a film.

    version: as it says it. fault: why it does not work, empty where it does.
    lacking: names of encoders and filters that it was built without, and that this program uses.
    """

    path: str
    version: str
    fault: str
    lacking: tuple[str, ...]


@dataclass(frozen=True)
class Disk:
    """The disk of the workspace. free: bytes; folder: of the workspace, or the one above that there is."""

    folder: Path
    free: int
    writable: bool


@dataclass(frozen=True)
class SideContents:
    """What a side has.

    videos: file names.
    beside: (name, what it is) of the other files that are called after the side.
    frames, loose_faces: how many.
    no_frames: how many files among the frames cannot be used.
    pak: bytes of faceset.pak, None without one.
    """

    name: str
    videos: tuple[str, ...]
    beside: tuple[tuple[str, str], ...]
    frames: int
    no_frames: int
    loose_faces: int
    pak: int | None


@dataclass(frozen=True)
class NextStep:
    """What a person should do now. side: where it matters; path: the video to bring, or the model to load."""

    action: Literal["bring a video", "extract frames", "extract faces", "train", "use the model"]
    side: str = ""
    path: Path | None = None


@dataclass(frozen=True)
class Diagnosis:
    """What was found.

    version: of this program. packages: name -> version, None for what is not installed.
    gpus: that the NVIDIA driver lists. onnx_providers: what onnxruntime can run on.
    ffmpegs: the programs that there are, in the order of their use.
    models, exported, assets: names of models, of .dfm files, of archives in the assets folder.
    fan: whether the points of hard faces are found by FAN, whose weights are in the assets folder.
    """

    version: str
    machine: Machine
    packages: dict[str, str | None]
    backend: Backend
    gpus: tuple[Gpu, ...]
    onnx_providers: tuple[str, ...]
    ffmpegs: tuple[Ffmpeg, ...]
    workspace: Path
    disk: Disk
    sides: tuple[SideContents, ...]
    models: tuple[str, ...]
    exported: tuple[str, ...]
    assets: tuple[str, ...]
    fan: bool
    next_step: NextStep


def examine(workspace: Workspace) -> Diagnosis:
    """Everything that a bug report needs. Changes nothing."""
    return Diagnosis(
        version=__version__,
        machine=machine(),
        packages=packages(),
        backend=backend(),
        gpus=nvidia_gpus(),
        onnx_providers=onnx_providers(),
        ffmpegs=ffmpegs(),
        workspace=workspace.root,
        disk=disk(workspace),
        sides=tuple(contents(workspace.side(name)) for name in ("src", "dst")),
        models=_names(workspace.model, "*_data.dat", "_data.dat"),
        exported=_names(workspace.model, "*.dfm"),
        assets=_names(workspace.assets, "*.zip"),
        fan=has_fan(workspace.assets),
        next_step=next_step(workspace),
    )


def machine() -> Machine:
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        memory = None
    return Machine(platform.platform(), parallel.cores(), memory, platform.python_version(), sys.executable)


def packages() -> dict[str, str | None]:
    return {name: _version(name) for name in PACKAGES}


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def backend(patience: float = PATIENCE) -> Backend:
    """The training backend, found out by computing something on it. patience: seconds to wait for its answer."""
    name = os.environ.get("KERAS_BACKEND", "tensorflow")
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    # -P: else the probe's own folder is the first place where Python looks for modules.
    command = [sys.executable, "-P", backend_probe.__file__]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=patience, check=False)
    except subprocess.TimeoutExpired:
        return Backend(name, None, None, visible)
    lines = [line for line in done.stdout.splitlines() if line.startswith(backend_probe.MARK)]
    if not lines:
        said = done.stderr.strip().splitlines() or ["no message"]
        return Backend(name, None, said[-1], visible)
    answer = json.loads(lines[0].removeprefix(backend_probe.MARK))
    return Backend(name, _probe(answer), None, visible)


def _probe(answer: dict) -> Probe:
    return Probe(**answer | {"gpus": tuple(answer["gpus"]), "architectures": tuple(answer["architectures"])})


def nvidia_gpus() -> tuple[Gpu, ...]:
    """What nvidia-smi lists; nothing where there is no driver."""
    if not shutil.which("nvidia-smi"):
        return ()
    query = ["nvidia-smi", "--query-gpu=name,compute_cap,memory.total,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    lines = done.stdout.splitlines() if done.returncode == 0 else []
    return tuple(Gpu(*line.split(", ")) for line in lines if line.count(", ") == 3)


def runs_on(capability: str, architectures: tuple[str, ...]) -> bool:
    """Whether a build has machine code for a GPU, by CUDA's rule: same major version, minor not above.

    PTX, which is compiled on the spot, does not count. Of a GPU whose capability is none (drivers say ``[N/A]`` where
    they do not know) nobody can tell, and so it is not denied.
    """
    version = re.fullmatch(r"(\d+)\.(\d+)", capability, re.ASCII)
    if not version:
        return True
    major, minor = int(version[1]), int(version[2])
    # The letters stand for code of one architecture, or of one family. The last digit is the minor version: sm_120 is
    # 12.0.
    codes = [code for name in architectures if (code := re.fullmatch(r"sm_(\d+)(\d)[af]*", name, re.ASCII))]
    return any(int(code[1]) == major and int(code[2]) <= minor for code in codes)


def onnx_providers() -> tuple[str, ...]:
    try:
        import onnxruntime
    except ImportError:  # absent, or a library that it needs is: the list of packages tells which
        return ()
    names = [name.removesuffix("ExecutionProvider") for name in onnxruntime.get_available_providers()]
    # Not a device: it sends what it is to compute to a cloud, and nothing here ever asks for it.
    return tuple(name for name in names if name != "Azure")


def ffmpegs() -> tuple[Ffmpeg, ...]:
    """The ffmpeg of the system and the one of the wheel, each tried."""
    return tuple(_tried(found) for found in program.installed())


def _tried(found: program.Program) -> Ffmpeg:
    if found.fault:
        return Ffmpeg(found.path, found.head, found.fault, ())
    return Ffmpeg(found.path, found.head, program.self_test(found.path), program.lacking(found.path))


def disk(workspace: Workspace) -> Disk:
    folder = next(path for path in (workspace.root, *workspace.root.parents) if path.exists())
    return Disk(folder, shutil.disk_usage(folder).free, os.access(folder, os.W_OK))


def contents(side: Side) -> SideContents:
    beside = look_beside(side)
    return SideContents(
        name=side.name,
        videos=tuple(path.name for path in beside.films),
        beside=beside.others,
        frames=len(list_frames(side.frames)),
        no_frames=len(other_frames(side.frames)),
        loose_faces=len(list_images(side.aligned)),
        pak=side.pak.stat().st_size if side.pak.exists() else None,
    )


def _names(folder: Path, pattern: str, suffix: str = "") -> tuple[str, ...]:
    return tuple(sorted(path.name.removesuffix(suffix) for path in folder.glob(pattern)))


def next_step(workspace: Workspace) -> NextStep:
    """The first step of the pipeline that is not done."""
    for side in (workspace.side("src"), workspace.side("dst")):
        missing = _missing(side)
        can_be_filled = side.name == "dst" and (workspace.assets / "random_dst_face_set.zip").exists()
        if missing and not (missing.action == "bring a video" and can_be_filled):
            return missing
    models = exported(workspace.model)
    return NextStep("use the model", path=models[-1]) if models else NextStep("train")


def _missing(side: Side) -> NextStep | None:
    """What a side lacks; None once it has faces."""
    if side.has_faces():
        return None
    if list_frames(side.frames):
        return NextStep("extract faces", side.name)
    if look_beside(side).films:
        return NextStep("extract frames", side.name)
    return NextStep("bring a video", side.name, side.frames.with_suffix(".mp4"))
