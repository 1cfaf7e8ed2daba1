"""What learns faster? The same small model from the same faces, several ways and seeds, scored on faces it never saw.

usage: python benchmarks/learning.py FOLDER [--model df-ud] [--variants 2e-4 ...] [--seeds 1 2 3] [--iterations 1000]

FOLDER has ``train/src``, ``train/dst`` (face files), ``heldout.npz`` and ``eval_dfm.py``, which scores a .dfm. Each run
is a process of its own, scored with its averaged weights and with its last ones; a run that is in the results is not
made again. The results are in benchmarks/results/learning.json (learning_rates.json beside it has earlier runs of one
seed); ``cpu_s`` is the CPU time of the training process and its workers, start and export included, which other
programs on the machine disturb less than they do the wall time.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "learning.json"
# Averages are kept in all: they change nothing in the training, and each run is scored with and without.
COMMON = {"workers": 1, "batch-size": 4, "lr-dropout": "n", "preview-every": 0, "save-minutes": 60, "ema": 0.99}
MODELS = {
    # That of the original's log beside the faces.
    "liae-udt": {
        "resolution": 64,
        "archi": "liae-udt",
        "ae-dims": 64,
        "e-dims": 32,
        "d-dims": 32,
        "d-mask-dims": 16,
        "gan-patch-size": 8,
    },
    # That of the preset quick.
    "df-ud": {"resolution": 64, "archi": "df-ud", "ae-dims": 96, "e-dims": 16, "d-dims": 16, "d-mask-dims": 16},
}
SWITCHES = ["--no-pretrained", "--no-uniform-yaw", "--no-blur-out-mask"]
# Parts of the iterations -> rate, and whether faces are warped.
VARIANTS = {
    "plain": [(1.0, 5e-5, True)],
    "warm-up, decay": [(0.1, 3e-5, True), (0.7, 1e-4, True), (0.9, 4e-5, True), (1.0, 1.2e-5, True)],
    "2e-4": [(1.0, 2e-4, False)],
    "2e-4, decay": [(0.7, 2e-4, False), (0.9, 7e-5, False), (1.0, 2e-5, False)],
    "warm-up, 4e-4, decay": [(0.1, 1e-4, False), (0.65, 4e-4, False), (0.85, 1.2e-4, False), (1.0, 3e-5, False)],
    "warm-up, 2e-4, decay": [(0.1, 5e-5, False), (0.7, 2e-4, False), (0.9, 7e-5, False), (1.0, 2e-5, False)],
    "warm-up, 1e-4, decay, warp first": [
        (0.1, 5e-5, True),
        (0.6, 1e-4, True),
        (0.85, 6e-5, False),
        (1.0, 1.5e-5, False),
    ],
    "2e-4, decay, warp first": [(0.7, 2e-4, True), (0.9, 7e-5, False), (1.0, 2e-5, False)],
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", choices=MODELS, default="df-ud")
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--iterations", type=int, default=1000)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--keep", type=Path, help="folder for the exported models")
    given = parser.parse_args()
    for seed in given.seeds:
        for name in given.variants:
            key = f"{given.model}: {name}, {given.precision}, {given.iterations} iterations, seed {seed}"
            rows = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
            if key in rows:
                continue
            made = run(given, name, seed)
            # Read again: another process may have added runs meanwhile.
            rows = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
            RESULTS.write_text(json.dumps(rows | {key: made}, indent=1, sort_keys=True) + "\n")
            print(key, json.dumps(made), flush=True)


def run(given: argparse.Namespace, name: str, seed: int) -> dict:
    folder, iterations, keep = given.folder, given.iterations, given.keep
    with tempfile.TemporaryDirectory(prefix="learning.") as workspace:
        for side in ("src", "dst"):
            shutil.copytree(folder / "train" / side, Path(workspace) / f"data_{side}" / "aligned")
        preset = Path(workspace) / "own.toml"
        preset.write_text(schedule(VARIANTS[name], iterations))
        before, started = cpu_seconds(), time.perf_counter()
        options = COMMON | MODELS[given.model] | {"precision": given.precision}
        flags = [text for name, value in options.items() for text in (f"--{name}", str(value))]
        core(
            "train",
            str(iterations),
            *flags,
            *SWITCHES,
            "--preset",
            str(preset),
            "--seed",
            str(seed),
            workspace=workspace,
        )
        wall, cpu = time.perf_counter() - started, cpu_seconds() - before
        core("export", "--no-averages", "--output", f"{workspace}/last.dfm", workspace=workspace)
        averaged = Path(workspace) / "model" / "swap_SAEHD_model.dfm"
        if keep:
            keep.mkdir(parents=True, exist_ok=True)
            shutil.copy(averaged, keep / f"{given.model} {name} {iterations} {seed}.dfm")
        lines = (Path(workspace) / "model" / "metrics.jsonl").read_text().splitlines()
        rows = [json.loads(line) for line in lines]
        recent = rows[-100:]
        return {
            "loss": [round(sum(row[f"{side}_loss"] for row in recent) / len(recent), 4) for side in ("src", "dst")],
            "averaged": score(folder, averaged),
            "last": score(folder, Path(workspace) / "last.dfm"),
            "ms": round(statistics.median(row["ms"] for row in rows)),
            "wall_s": round(wall, 1),
            "cpu_s": round(cpu, 1),
        }


def schedule(parts: list, iterations: int) -> str:
    phases = []
    for share, rate, warp in parts:
        until = round(share * iterations)
        phases.append(f"[[phase]]\nuntil = {until}\nlearning_rate = {rate}\nrandom_warp = {str(warp).lower()}\n")
    return "\n".join(phases)


def score(folder: Path, model: Path) -> dict:
    made = subprocess.run(
        [sys.executable, str(folder / "eval_dfm.py"), str(model)], check=True, capture_output=True, text=True
    )
    found = json.loads(made.stdout)
    return {
        "src_ssim": found["src"]["ssim"],
        "src_psnr": found["src"]["psnr"],
        "src_mask_iou": found["src"]["mask_iou"],
        "dst_mask_iou": found["dst"]["mask_iou"],
    }


def core(*arguments: str, workspace: str) -> None:
    subprocess.run(
        [sys.executable, "-P", "-m", "core", *arguments],
        check=True,
        env={**os.environ, "WORKSPACE": workspace, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
