"""What the presets give when they are scaled down: the same phases in a small model, judged where each one ends.

usage: python benchmarks/presets.py FOLDER [--presets live likeness draft] [--iterations 800] [--rate 1e-4]

FOLDER has ``train/src`` and ``train/dst`` (face files). A preset keeps its architecture, its phases with what they
switch, and each phase's share of all iterations; the model is small and learns at RATE where the preset leaves the rate
to the model, for a thousand iterations at the rate for a million would teach it nothing. 16 faces of each side are held
out. The results are in benchmarks/results/presets.json: one seed, so small differences are chance.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "presets.json"
sys.path[:0] = [str(ROOT)]

from core.checkpoints.backups import list_backups  # noqa: E402
from core.checkpoints.selection import choose  # noqa: E402
from core.jobs.models.quality import judge  # noqa: E402
from core.training.schedule import presets  # noqa: E402
from core.workspace import Workspace  # noqa: E402

SMALL = {"resolution": 64, "ae_dims": 96, "e_dims": 16, "d_dims": 16, "d_mask_dims": 16, "batch_size": 4}
SMALL_GAN = {"gan_patch_size": 8, "gan_dims": 16}
FLAGS = ["--workers", "1", "--preview-every", "0", "--save-minutes", "60", "--held-out", "16", "--no-pretrained"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--presets", nargs="+", default=["live", "likeness", "draft"], choices=presets.NAMES)
    parser.add_argument("--iterations", type=int, default=800)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--precision", default="float32")
    given = parser.parse_args()
    for name in given.presets:
        rows = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
        rows[f"{name}, {given.iterations} iterations, rate {given.rate:g}, {given.precision}"] = run(given, name)
        RESULTS.write_text(json.dumps(rows, indent=1) + "\n")


def run(given: argparse.Namespace, name: str) -> list[dict]:
    """A row for each phase: what it switched, and the figures where it ended."""
    small = scaled(presets.find(name), given.iterations)
    with tempfile.TemporaryDirectory(prefix="presets.") as folder:
        workspace = Workspace(Path(folder) / "workspace")
        for side in ("src", "dst"):
            shutil.copytree(given.folder / "train" / side, workspace.side(side).aligned)
        file = Path(folder) / f"{name}.toml"
        file.write_text(toml(small))
        rate = [] if presets.RATE in small.scheduled else ["--learning-rate", str(given.rate)]
        train(workspace, [*FLAGS, *rate, "--precision", given.precision, "--preset", str(file)])
        # A backup is made where a phase begins, and where parts start anew within one, which is not judged.
        saves = {backup.iteration: f"swap:{backup.name}" for backup in list_backups(choose(workspace.model))[0]}
        judged = {phase.until: judge(workspace, saves.get(phase.until)) for phase in small.phases}
        return [row(phase, judged[phase.until]) for phase in small.phases]


def scaled(preset: presets.Preset, iterations: int) -> presets.Preset:
    """The preset with a small model, and so many iterations in all."""
    factor = iterations / preset.end
    phases = tuple(
        presets.Phase(round(phase.until * factor), phase.options, phase.reinit, round(phase.reinit_every * factor))
        for phase in preset.phases
    )
    gan = SMALL_GAN if any(phase.options.get("gan_power") for phase in phases) else {}
    return presets.Preset(preset.name, preset.description, preset.options | SMALL | gan, phases)


def toml(preset: presets.Preset) -> str:
    """As a file; JSON writes these values as TOML does."""
    tables = [("[options]", preset.options), *(("[[phase]]", phase.plain()) for phase in preset.phases)]
    lines = [f"description = {json.dumps(preset.description)}"]
    for head, values in tables:
        lines += [head, *(f"{name} = {json.dumps(value)}" for name, value in values.items())]
    return "\n".join(lines) + "\n"


def row(phase: presets.Phase, made) -> dict:
    figures = {key: round(figure.mean, 4) for key, figure in made.figures.items()}
    return {"until": phase.until, "options": phase.options, "reinit": list(phase.reinit), "figures": figures}


def train(workspace: Workspace, flags: list[str]) -> None:
    environment = {**os.environ, "WORKSPACE": str(workspace.root), "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run([sys.executable, "-m", "core", "train", *flags], check=True, env=environment, cwd=ROOT)


if __name__ == "__main__":
    main()
