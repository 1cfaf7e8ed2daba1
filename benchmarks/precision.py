"""Does bfloat16 train as well as float32? The same small model from the same faces and seed, in both.

usage: python benchmarks/precision.py [--iterations 2000]

64 px, 64/32/32/16, batch 4; the loss is the mean of the last tenth of the iterations. CPU time is that of the training
process and its worker. The result is in benchmarks/results/precision.json.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
import face_set  # noqa: E402  # needs the folder of ``core``

FACES = 64
MODEL = {"resolution": 64, "ae-dims": 64, "e-dims": 32, "d-dims": 32, "d-mask-dims": 16, "batch-size": 4}
RUN = {"workers": 1, "preview-every": 0, "save-minutes": 60, "seed": 1}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--iterations", type=int, default=2000)
    given = parser.parse_args()
    result: dict = {"iterations": given.iterations}
    result |= {precision: trained(precision, given.iterations) for precision in ("float32", "bfloat16")}
    for name in ("src", "dst"):
        result[f"{name} bfloat16 : float32"] = round(result["bfloat16"][name] / result["float32"][name], 4)
    text = json.dumps(result, indent=1)
    (ROOT / "benchmarks/results/precision.json").write_text(text + "\n")
    print(text)


def trained(precision: str, iterations: int) -> dict:
    with tempfile.TemporaryDirectory(prefix="precision.") as name:
        workspace = Path(name)
        for seed, side in enumerate(("data_src", "data_dst")):
            face_set.make(workspace / side / "aligned", FACES, seed=seed)
        flags = [f"--{option}={value}" for option, value in {**MODEL, **RUN, "precision": precision}.items()]
        before = cpu_seconds()
        subprocess.run(
            [sys.executable, "-m", "core", "train", str(iterations), *flags],
            env={**os.environ, "WORKSPACE": name, "TF_CPP_MIN_LOG_LEVEL": "3"},
            cwd=ROOT,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        spent = cpu_seconds() - before
        lines = [json.loads(line) for line in (workspace / "model/metrics.jsonl").read_text().splitlines()]
    late = lines[-iterations // 10 :]
    losses = {name: round(statistics.mean(line[f"{name}_loss"] for line in late), 5) for name in ("src", "dst")}
    return losses | {"first": lines[0]["src_loss"], "cpu_s": round(spent, 1)}


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
