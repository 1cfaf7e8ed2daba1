"""Is anything lost when a training run is killed? A tiny model is trained by ``python -m core train``, saving all the
time, and killed by SIGKILL at random moments; each round goes on from what the one before has left.

usage: python benchmarks/kill_training.py [--kills 50] [--seed 0] [--folder /tmp/somewhere] [--forked]
--forked saves most of the time of starting: the processes that are killed are forks of one that has imported the
framework and done nothing with it, and their steps run without a graph. Prints JSON and keeps it in
benchmarks/results/kill_training.json. After every kill the model folder is read without a training framework: it must
hold at least the last save that was complete before the kill, with every file sound. At the end the run is finished,
and its files are compared byte for byte with those of a run of the same seed that nothing interrupted.
"""

import argparse
import filecmp
import json
import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests/support")]

from training_cases import make_workspace  # noqa: E402

from core.checkpoints import saves  # noqa: E402
from core.checkpoints.flat_files import FlatState, flat_files, reason_unreadable  # noqa: E402
from core.checkpoints.model_folder import ModelFolder  # noqa: E402
from core.formats import dfl_weights  # noqa: E402

RECIPE = {
    "resolution": 64,
    "archi": "df-u",
    "ae_dims": 32,
    "e_dims": 16,
    "d_dims": 16,
    "d_mask_dims": 16,
    "batch_size": 2,
    "seed": 5,
}
# Seconds from the first new save of a round to the kill, at most; and from the start of the process, in every fifth
# round.
AFTER_SAVE, AFTER_START = 5.0, 10.0
PATIENCE = 300.0
# Reads commands as JSON lines, forks a process for each that runs the stage, and writes its number.
PARENT = """
import json, os, signal, sys
import tensorflow as tf
import core.training.run, core.training.start, core.stages.models.train, core.stages.models.export
from core.__main__ import main
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    given = json.loads(line)
    child = os.fork()
    if child == 0:
        os.setsid()
        os.environ.update(given["environment"])
        log = os.open(given["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1), os.dup2(log, 2)
        tf.config.run_functions_eagerly(True)
        os._exit(main(given["arguments"]))
    print(child, flush=True)
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--forked", action="store_true")
    given = parser.parse_args()
    root = given.folder or Path(tempfile.mkdtemp(prefix="kill_training."))
    processes = Forks() if given.forked else Starts()
    machine = {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    with processes:
        result = {"machine": machine, **measure(root, given.kills, given.seed, processes)}
    if given.folder is None:
        shutil.rmtree(root)
    target = Path(__file__).parent / "results" / "kill_training.json"
    target.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


class Starts:
    """Training processes, each started anew."""

    def __init__(self) -> None:
        self.last: subprocess.Popen

    def __enter__(self) -> "Starts":
        return self

    def __exit__(self, *error: object) -> None:
        self.last.wait()

    def start(self, arguments: list[str], workspace: Path) -> int:
        environment = {**os.environ, "WORKSPACE": str(workspace), "PYTHONPATH": str(ROOT)}
        with open(workspace / "log.txt", "ab") as log:
            self.last = subprocess.Popen(
                [sys.executable, "-P", "-m", "core", *arguments],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self.last.pid

    def alive(self, number: int) -> bool:
        return self.last.poll() is None


class Forks:
    """Training processes, each a fork of one that has only imported what it needs."""

    def __init__(self) -> None:
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "KERAS_BACKEND": "tensorflow",
            "TF_CPP_MIN_LOG_LEVEL": "2",
        }
        self.parent = subprocess.Popen(
            [sys.executable, "-P", "-c", PARENT],
            cwd=ROOT,
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __enter__(self) -> "Forks":
        return self

    def __exit__(self, *error: object) -> None:
        self.parent.stdin.close()
        self.parent.wait()

    def start(self, arguments: list[str], workspace: Path) -> int:
        request = {
            "environment": {"WORKSPACE": str(workspace)},
            "log": str(workspace / "log.txt"),
            "arguments": arguments,
        }
        self.parent.stdin.write(json.dumps(request) + "\n")
        self.parent.stdin.flush()
        return int(self.parent.stdout.readline())

    def alive(self, number: int) -> bool:
        return Path(f"/proc/{number}").exists()


def measure(root: Path, kills: int, seed: int, processes: Starts | Forks) -> dict:
    """Kill, check and go on ``kills`` times in ``root``/killed, then compare with ``root``/whole."""
    draw = random.Random(seed)
    killed, whole = make_workspace(root / "killed"), make_workspace(root / "whole")
    rounds = []
    for number in range(kills):
        rounds.append(kill_once(processes, killed, draw, at_start=number % 5 == 4))
        print(f"{number + 1}/{kills} {json.dumps(rounds[-1])}", file=sys.stderr, flush=True)
    until = rounds[-1]["found"] + 3
    for workspace in (killed, whole):
        number = train(processes, workspace, until)
        while processes.alive(number):
            time.sleep(0.1)
    different = compare(killed / "model", whole / "model")
    return {
        "kills": kills,
        "seed": seed,
        "processes": type(processes).__name__.lower(),
        "iterations": until,
        "kills_during_start": sum(r["moment"] == "start" for r in rounds),
        "kills_during_a_save": sum(r["save_under_way"] for r in rounds),
        "kills_before_the_flat_files_followed": sum(r["unpublished"] for r in rounds),
        "rounds_that_lost_a_complete_save": sum(r["found"] < r["saved"] for r in rounds),
        "rounds_with_damage": sum(bool(r["damage"]) for r in rounds),
        "files_that_differ_from_an_uninterrupted_run": different,
        "frameworks_loaded_by_the_checks": frameworks(),
        "rounds": rounds,
    }


def train(processes: Starts | Forks, workspace: Path, until: int | None = None) -> int:
    """The number of a training process that saves after nearly every iteration, or only at its end when it has one."""
    flags = (
        [word for name, value in RECIPE.items() for word in (f"--{name.replace('_', '-')}", str(value))]
        if not folder(workspace).exists()
        else []
    )
    flags += [
        "--no-pretrained",
        "--workers",
        "0",
        "--preview-every",
        "0",
        "--save-minutes",
        "0.004" if until is None else "60",
    ]
    return processes.start(["train", *([str(until)] if until else []), *flags], workspace)


def kill_once(processes: Starts | Forks, workspace: Path, draw: random.Random, *, at_start: bool) -> dict:
    """One round. saved: iteration of the newest save just before the kill; found: what a reader finds after it."""
    before, number, began = newest(workspace), train(processes, workspace), time.monotonic()
    while (
        not at_start and newest(workspace) == before and processes.alive(number) and time.monotonic() - began < PATIENCE
    ):
        time.sleep(0.02)
    time.sleep(draw.uniform(0, AFTER_START if at_start else AFTER_SAVE))
    saved = newest(workspace)
    if not processes.alive(number):
        raise SystemExit(f"the run ended by itself: {workspace / 'log.txt'}")
    os.killpg(number, signal.SIGKILL)
    while processes.alive(number):
        time.sleep(0.01)
    return {
        "moment": "start" if at_start else "training",
        "seconds": round(time.monotonic() - began, 2),
        "saved": saved[1],
        **look(folder(workspace)),
    }


def look(model: ModelFolder) -> dict:
    """What is on the disk after a kill, read as any program would, changing nothing."""
    under_way = any(model.saves.glob(f"{saves.INCOMING}*"))
    known = saves.complete(model.saves)
    unpublished = bool(known) and known[0].folder.name != saves.read_published(model.saves)
    if not model.exists():
        return {"found": 0, "save_under_way": under_way, "unpublished": unpublished, "damage": []}
    loaded = model.load(repair=False)
    flat = FlatState(flat_files(model.folder, model.prefix), known)
    damage = [
        *map(str, loaded.remarks),
        *flat.damaged,
        *flat.foreign,
        *(f"{name}: {why}" for name, path in loaded.files.items() if (why := reason_unreadable(path))),
    ]
    counted = {
        "manifest": loaded.iteration,
        "data.dat": dfl_weights.read_data(loaded.files["data.dat"]).iteration,
        "forge.json": json.loads(loaded.files["forge.json"].read_text())["iteration"],
        "optimizer": dfl_weights.read_optimizer(loaded.files["src_dst_opt.npy"]).iterations,
    }
    if len(set(counted.values())) > 1:
        damage.append(f"the iterations do not agree: {counted}")
    return {"found": loaded.iteration, "save_under_way": under_way, "unpublished": unpublished, "damage": damage}


def compare(ours: Path, theirs: Path) -> list[str]:
    """Names of the model's flat files that are not the same, byte for byte."""
    names = sorted(
        {
            path.name
            for side in (ours, theirs)
            for path in side.glob("*_SAEHD_*")
            if path.suffix in (".npy", ".dat", ".json")
        }
    )
    if not names:
        raise SystemExit(f"there is no model in {ours}")
    return [
        name
        for name in names
        if not (
            (ours / name).is_file()
            and (theirs / name).is_file()
            and filecmp.cmp(ours / name, theirs / name, shallow=False)
        )
    ]


def folder(workspace: Path) -> ModelFolder:
    return ModelFolder(workspace / "model", "swap")


def newest(workspace: Path) -> tuple[str, int]:
    """Name and iteration of the newest complete save."""
    known = saves.complete(folder(workspace).saves)
    return (known[0].folder.name, known[0].iteration) if known else ("", 0)


def frameworks() -> list[str]:
    return sorted({"tensorflow", "keras", "jax", "torch"} & set(sys.modules))


if __name__ == "__main__":
    main()
