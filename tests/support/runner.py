"""How the tests run the scripts: as a person would, in this interpreter's environment, with stdin closed."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

from paths import ROOT


def flags(options: dict) -> list[str]:
    """The command-line flags of options by the names of their fields."""
    pairs = ((f"--{name.replace('_', '-')}", str(value)) for name, value in options.items())
    return [*itertools.chain.from_iterable(pairs)]


# A model that is trained in seconds, with the parts of a liae one.
SMALL = {
    "archi": "liae",
    "resolution": 64,
    "ae_dims": 32,
    "e_dims": 16,
    "d_dims": 16,
    "d_mask_dims": 16,
    "batch_size": 2,
}
TINY = flags({**SMALL, "workers": 1})


def environment(workspace: Path, **extra: str) -> dict[str, str]:
    """The environment of a person who has activated this interpreter's and set nothing else of the project."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("FORGE_", "WORKSPACE", "DISPLAY", "KERAS_BACKEND"))
    }
    return {
        **kept,
        "VIRTUAL_ENV": sys.prefix,
        "WORKSPACE": str(workspace),
        "FORGE_ASSETS": str(workspace.parent / "no assets"),
        "FORGE_KEYS": os.devnull,
        **extra,
    }


def start(script: str, *arguments: str, workspace: Path, cwd: Path | None = None, **extra: str) -> subprocess.Popen:
    """Start a script of the project in a process group of its own."""
    return subprocess.Popen(
        ["bash", str(ROOT / script), *arguments],
        env=environment(workspace, **extra),
        cwd=cwd or workspace.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(script: str, *arguments: str, workspace: Path, code: int | None = 0, **extra) -> subprocess.CompletedProcess:
    """Run a script to its end and check its exit code (None: any)."""
    process = start(script, *arguments, workspace=workspace, **extra)
    out, err = process.communicate(timeout=600)
    done = subprocess.CompletedProcess([script, *arguments], process.returncode, out, err)
    if code is not None and done.returncode != code:
        raise AssertionError(
            f"{script} {arguments} exited with {done.returncode}, expected {code}\n--- stdout\n{out}\n--- stderr\n{err}"
        )
    return done
