"""Print a table for a bug report: versions, device really used, ffmpeg, disk, and what the workspace lacks."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.console import size_text
from core.options import Options as BaseOptions
from core.types import StageReport
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.jobs.doctor import Backend, Diagnosis, Ffmpeg, Gpu, Machine, NextStep, SideContents

Rows = list[tuple[str, object]]


class Options(BaseOptions):
    pass


def run(options: Options, workspace: Workspace) -> StageReport:
    """Examine machine and workspace; changes nothing."""
    from core.jobs.doctor import examine

    found = examine(workspace)
    rows: Rows = [
        ("DFM Forge", found.version),
        *_machine(found.machine),
        *((name, version or "not installed") for name, version in found.packages.items()),
        *_backend(found.backend, found.gpus),
        ("onnxruntime runs on", ", ".join(found.onnx_providers) or "nothing: it is not installed"),
        *_ffmpegs(found.ffmpegs),
        ("workspace", _disk(found)),
        *((f"data_{side.name}", _side(side)) for side in found.sides),
        ("models", _listed(found.models)),
        ("exported", _listed(found.exported)),
        ("assets", _listed(found.assets)),
        ("points of hard faces", "FAN" if found.fan else "a mean face; 2DFAN.npy and S3FD.npy in assets/ do better"),
        ("next step", next_step(found.next_step)),
    ]
    return StageReport("doctor", tuple(rows), tuple(_warnings(found)))


def _machine(machine: "Machine") -> Rows:
    memory = "unknown" if machine.memory is None else size_text(machine.memory)
    return [
        ("system", machine.system),
        ("cores, memory", f"{machine.cores}, {memory}"),
        ("python", f"{machine.python} ({machine.executable})"),
    ]


def _backend(backend: "Backend", gpus: "Sequence[Gpu]") -> Rows:
    visible = backend.visible_devices
    rows: Rows = [
        ("backend", backend.name),
        ("NVIDIA driver", "; ".join(map(_gpu, gpus)) or "none found"),
        ("CUDA_VISIBLE_DEVICES", "not set" if visible is None else visible),
        ("device used", _device(backend)),
    ]
    if backend.probe:
        rows.append(("--precision auto", _precision(backend.probe.bfloat16)))
    if backend.probe and backend.probe.architectures:
        cuda = f", CUDA {backend.probe.cuda}" if backend.probe.cuda else ""
        rows.append(("GPU code in the build", ", ".join(backend.probe.architectures) + cuda))
    return rows


def _precision(bfloat16: float) -> str:
    from core.training.choices import WORTH_BFLOAT16

    name = "bfloat16" if bfloat16 < WORTH_BFLOAT16 else "float32"
    return f"{name} is likely: a convolution takes {bfloat16:.2f} of its time in bfloat16; training asks its own model"


def _gpu(gpu: "Gpu") -> str:
    return f"{gpu.name}, compute capability {gpu.capability}, {gpu.memory}, driver {gpu.driver}"


def _device(backend: "Backend") -> str:
    probe = backend.probe
    if probe is None:
        return "none: the backend does not start" if backend.problem else "unknown: no answer"
    verdict = "computes correctly" if probe.works else "COMPUTES WRONGLY"
    return f"{probe.device} ({', '.join(probe.gpus) or 'no GPU in use'}), {verdict}"


def _ffmpegs(programs: "Sequence[Ffmpeg]") -> Rows:
    return [("ffmpeg", _ffmpeg(program)) for program in programs] or [("ffmpeg", "not found")]


def _ffmpeg(program: "Ffmpeg") -> str:
    text = f"{program.version or 'no version'} ({program.path})"
    if program.fault:
        return f"{text}, DOES NOT WORK: {program.fault}"
    return f"{text}, works" + (f" without {', '.join(program.lacking)}" if program.lacking else "")


def _disk(found: "Diagnosis") -> str:
    writable = "" if found.disk.writable else ", NOT WRITABLE"
    return f"{found.workspace}, {size_text(found.disk.free)} free{writable}"


def _side(side: "SideContents") -> str:
    beside = ", ".join(f"{name} ({kind})" for name, kind in side.beside)
    videos = (", ".join(side.videos) or "no video") + (f" (not {beside})" if beside else "")
    unusable = f" and {side.no_frames} other files" if side.no_frames else ""
    return f"{videos}; {side.frames} frames{unusable}; {_faces(side)}"


def _faces(side: "SideContents") -> str:
    if side.pak is None:
        return f"{side.loose_faces} faces"
    loose = f" and {side.loose_faces} loose faces" if side.loose_faces else ""
    return f"faceset.pak ({size_text(side.pak)}){loose}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def next_step(step: "NextStep") -> str:
    """The script that a person should run now, or what else to do."""
    number = 1 if step.side == "src" else 2
    name = step.path.name if step.path else ""
    return {
        "bring a video": f"copy a video to {step.path}",
        "extract frames": f"bash scripts/{number}_extract_{step.side}_video.sh",
        "extract faces": f"bash scripts/{number + 2}_extract_{step.side}_faces.sh",
        "train": "leave out other people and bad faces (3.1_sort_src.sh --group persons, --by clean), then take a "
        "quick look: bash scripts/5_train.sh --model look --preset quick",
        "use the model": f"load {name} in a live program, or train on with bash scripts/5_train.sh",
    }[step.action]


def _warnings(found: "Diagnosis") -> list[str]:
    """Lines that say what to do."""
    from core.jobs.doctor import SMALL_DISK

    warnings = backend_warnings(found.backend, found.gpus)
    warnings += ffmpeg_warnings(found.ffmpegs)
    if found.disk.free < SMALL_DISK:
        free = f"only {size_text(found.disk.free)} free at {found.disk.folder}"
        warnings.append(f"{free}: PNG frames of a few minutes of film take more")
    return warnings


def ffmpeg_warnings(programs: "Sequence[Ffmpeg]") -> list[str]:
    """What to do where a program does not work, or where none does."""
    broken = [program for program in programs if program.fault]
    if len(broken) == len(programs):
        return ["no ffmpeg that works: pip install imageio-ffmpeg, or install ffmpeg and put it on the PATH"]
    return [
        f"the ffmpeg at {program.path} does not work: {program.fault}; repair it or take it off the PATH; "
        "until then another one is used"
        for program in broken
    ]


def backend_warnings(backend: "Backend", gpus: "Sequence[Gpu]") -> list[str]:
    """What to do where the backend does not start, or where driver, build and use do not agree."""
    from core.jobs.doctor import PATIENCE, runs_on
    from core.networks.keras_backend import requirements

    name, probe = backend.name, backend.probe
    if probe is None and backend.problem is None:
        return [f"the {name} backend did not answer within {PATIENCE:.0f} s"]
    if probe is None:
        remedy = f"pip install -r {requirements(name)}, or choose another with KERAS_BACKEND"
        return [f"the {name} backend does not start: {backend.problem}; {remedy}"]
    found = []
    if gpus and not probe.gpus:
        remedy = f"pip install -r {_gpu_requirements(name)} (CUDA libraries), or look at CUDA_VISIBLE_DEVICES"
        found.append(f"there is an NVIDIA GPU but {name} does not use it: {remedy}")
    for gpu in gpus:
        if probe.architectures and not runs_on(gpu.capability, probe.architectures):
            found.append(
                f"{gpu.name} (compute capability {gpu.capability}) does not match the GPU code of this {name} "
                "build: the first start compiles for minutes, or fails; KERAS_BACKEND=jax or torch with a newer CUDA "
                "may help"
            )
    return found


def _gpu_requirements(backend: str) -> str:
    """What brings the CUDA libraries of a backend."""
    from core.networks.keras_backend import requirements

    own = {"tensorflow": "requirements-gpu.txt", "jax": "requirements-jax-gpu.txt"}
    return own.get(backend, requirements(backend))
