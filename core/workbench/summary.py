"""A text about this computer and this project, for a report of a fault: no paths, no names of films or people."""

import time
from typing import Any

from core import __version__
from core.jobs import doctor
from core.workbench import machine
from core.workbench.bench import Bench
from core.workbench.state import state

_JOBS = 20
_GIB = 2**30


def summary(bench: Bench) -> str:
    """Lines of text."""
    about = doctor.machine()
    memory = "?" if about.memory is None else f"{about.memory / _GIB:.1f}"
    disk = machine.disk(bench.workspace, bench.reserve)
    lines = [
        f"DFM Forge {__version__}",
        f"{about.system}, Python {about.python}",
        f"{about.cores} cores, {memory} GiB of memory, {disk['free'] / _GIB:.1f} GiB of disk free",
        *(f"{gpu.name}, {gpu.memory}, driver {gpu.driver}" for gpu in doctor.nvidia_gpus()),
        f"onnxruntime on {', '.join(doctor.onnx_providers()) or 'nothing'}",
        ", ".join(f"{name} {version}" for name, version in doctor.packages().items() if version),
        "",
        *_project(state(bench.workspace)),
        "",
        "Jobs, the newest first:",
        *([_job(job) for job in bench.jobs.jobs()[:_JOBS]] or ["none"]),
    ]
    return "\n".join(lines) + "\n"


def _project(said: dict[str, Any]) -> list[str]:
    steps = ", ".join(f"{step['key']} {'done' if step['done'] else 'not yet'}" for step in said["steps"])
    return [f"Steps: {steps}", f"{len(said['models'])} models, {len(said['exported'])} exported"]


def _job(job: dict[str, Any]) -> str:
    """The stage and its flags, without what was given to them."""
    flags = sorted(name for name, value in job["values"].items() if value not in (None, "", []))
    code = "" if job["code"] is None else f", exit code {job['code']}"
    took = f", {(job['ended'] or time.time()) - job['started']:.0f} s" if job["started"] else ""
    given = f" with {', '.join(flags)}" if flags else ""
    return f"{job['stage']}{given}: {job['state']}{code}{took}"
