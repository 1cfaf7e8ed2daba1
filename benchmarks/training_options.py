"""What options cost or save in a training step: GAN and true face, and a batch in parts.

usage: python benchmarks/training_options.py [--against FOLDER] [--pairs 2]

GAN: 96 px, df-ud 128/32/32/16, batch 4, GAN and true face on, against another checkout in turn. Parts: 128 px,
liae-udt 64/32/32/16, batch 8. CPU time and peak of the process, noise for data. The result is in
benchmarks/results/training_options.json.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WIDTHS = {"e_dims": 32, "d_dims": 32, "d_mask_dims": 16}
GAN = {
    "resolution": 96,
    "archi": "df-ud",
    "ae_dims": 128,
    "batch_size": 4,
    "gan_power": 0.1,
    "gan_patch_size": 12,
    "true_face_power": 0.1,
    **WIDTHS,
}
PARTED = {"resolution": 128, "ae_dims": 64, "batch_size": 8, **WIDTHS}
PARTS = (1, 2, 4)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--against", type=Path)
    parser.add_argument("--pairs", type=int, default=2)
    given = parser.parse_args()
    checkouts = {"after": ROOT} | ({"before": given.against} if given.against else {})
    work = {f"gan {name}": (checkout, GAN, {}) for name, checkout in checkouts.items()}
    work |= {f"parts {parts}": (ROOT, PARTED, {"parts": parts}) for parts in PARTS}
    found: dict[str, list[dict]] = {name: [] for name in work}
    for _ in range(given.pairs):
        for name, (checkout, recipe, settings) in work.items():
            found[name].append(child(checkout, {"recipe": recipe, "settings": settings}))
    result: dict = {"cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}
    for name, many in found.items():
        result[name] = {kind: round(statistics.median(one[kind] for one in many), 1) for kind in many[0]}
    text = json.dumps(result, indent=1)
    (ROOT / "benchmarks/results/training_options.json").write_text(text + "\n")
    print(text)


def child(checkout: Path, request: dict) -> dict:
    environment = {**os.environ, "PYTHONPATH": str(checkout.resolve()), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, __file__, "--child", json.dumps(request)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, cwd=checkout)
    return json.loads(done.stdout.strip().splitlines()[-1])


def measured(request: dict) -> dict:
    from train_step import cpu_ms

    from core.training.hardware.machine import peak_bytes
    from core.training.hardware.measure import noise
    from core.training.recipe import Recipe
    from core.training.trainer import Trainer, TrainerSettings

    recipe = Recipe(**request["recipe"])
    trainer = Trainer(recipe, TrainerSettings(**request["settings"]))
    batch = trainer.ready(noise(recipe.batch_size, recipe.resolution, exact=False))
    built = peak_bytes()
    step = cpu_ms(lambda: trainer.step(batch), 5)
    return {"step_cpu_ms": step, "built_mib": built / 2**20, "peak_mib": peak_bytes() / 2**20}


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        print(json.dumps(measured(json.loads(sys.argv[2]))))
    else:
        main()
