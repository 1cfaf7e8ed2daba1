"""What the options do that the original does not have: one model goes on with each of them, and without any.

usage: python benchmarks/terms.py FOLDER [--begin 500] [--more 200] [--seeds 1 2] [--options "" "frequency 0.3" ...]

FOLDER is that of learning.py. The small model of the preset quick learns BEGIN iterations as that preset would have it,
once, and is kept beside the results of this process (--base). From there it goes on MORE iterations at 7e-5 without
warp, with other batches for each seed, and is scored: ``unseen`` by eval_dfm.py on source faces that it never saw,
``eyes and mouth`` on these alone of those faces, ``swaps`` as ``python -m core quality`` does on 24 faces, ``loss`` as
reported, without these terms. ``dlib`` is the likeness for another face network, where that is installed
(dlib_network.py): to the source less that to the target. A run that is in benchmarks/results/terms.json is not made
again.
"""

import argparse
import itertools
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "terms.json"
sys.path[:0] = [str(ROOT)]

import cv2  # noqa: E402
import dlib_network  # noqa: E402
import numpy as np  # noqa: E402
from learning import score  # noqa: E402

from core.imaging.masks import eyes_mouth_levels  # noqa: E402
from core.inference.dfm import open_dfm  # noqa: E402
from core.inference.sessions import CPU_ONLY  # noqa: E402
from core.jobs.models.quality import judge  # noqa: E402
from core.stages.models import train  # noqa: E402
from core.workspace import Workspace  # noqa: E402

RUN = {"workers": 1, "preview_every": 0, "save_minutes": 60, "random_warp": False, "pretrained": False}
SMALL = {"resolution": 64, "archi": "df-ud", "ae_dims": 96, "e_dims": 16, "d_dims": 16, "d_mask_dims": 16}
PLAIN = {"batch_size": 4, "uniform_yaw": False, "blur_out_mask": False, "ema": 0.99}
OPTIONS = {
    "": {},
    "frequency 0.3": {"frequency_power": 0.3},
    "frequency 1": {"frequency_power": 1.0},
    "swap mask 0.3": {"swap_mask_power": 0.3},
    "swap mask 1": {"swap_mask_power": 1.0},
    "perceptual 1": {"perceptual_power": 1.0},
    "perceptual 3": {"perceptual_power": 3.0},
    "matched colors": {"match_colors": True},
    "ct-mode rct": {"ct_mode": "rct"},
}
FIGURES = ("identity", "identity_src", "eyes", "mouth", "mask_iou", "mask_area", "sharpness", "edge", "edge_merged")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--begin", type=int, default=500)
    parser.add_argument("--more", type=int, default=200)
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--options", nargs="+", default=list(OPTIONS), choices=OPTIONS)
    parser.add_argument("--precision", default="bfloat16")
    parser.add_argument("--base", type=Path, help="workspace of the model at BEGIN; made where there is none")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="terms.") as folder:
        base = given.base or Path(folder) / "base"
        if not (base / "model").is_dir():
            begin(given, base)
        for seed, name in itertools.product(given.seeds, given.options):
            key = f"{name or 'without'}, {given.begin} + {given.more} iterations, {given.precision}, seed {seed}"
            if key not in kept():
                made = go_on(given, base, Path(folder) / "run", OPTIONS[name], seed)
                RESULTS.write_text(json.dumps(kept() | {key: made}, indent=1, sort_keys=True) + "\n")
                print(key, json.dumps(made), flush=True)


def kept() -> dict:
    return json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}


def begin(given: argparse.Namespace, base: Path) -> None:
    for side in ("src", "dst"):
        shutil.copytree(given.folder / "train" / side, base / f"data_{side}" / "aligned")
    file = base / "begin.toml"
    shares = ((0.7, 2e-4), (0.9, 7e-5), (1.0, 2e-5))
    phases = [f"[[phase]]\nuntil = {round(share * given.begin)}\nlearning_rate = {rate}\n" for share, rate in shares]
    file.write_text("".join(phases))
    options = RUN | SMALL | PLAIN | {"precision": given.precision, "seed": 1, "preset": str(file)}
    train.run(train.Options(target_iter=given.begin, **options), Workspace(base))


def go_on(given: argparse.Namespace, base: Path, root: Path, options: dict, seed: int) -> dict:
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(base, root)
    workspace, before = Workspace(root), time.process_time()
    options = RUN | options | {"preset": "none", "learning_rate": 7e-5, "seed": seed}
    train.run(train.Options(target_iter=given.begin + given.more, **options), workspace)
    spent = time.process_time() - before
    recent = [json.loads(line) for line in (root / "model" / "metrics.jsonl").read_text().splitlines()][-100:]
    figures = judge(workspace).figures
    other = (
        {"dlib": round(dlib_network.judged(workspace).figures["identity"].mean, 4)} if dlib_network.installed() else {}
    )
    return other | {
        "loss": [round(sum(row[f"{side}_loss"] for row in recent) / len(recent), 4) for side in ("src", "dst")],
        "unseen": score(given.folder, root / "model" / "swap_SAEHD_model.dfm"),
        "eyes and mouth": eyes_and_mouth(given.folder, root / "model" / "swap_SAEHD_model.dfm"),
        "swaps": {name: round(figures[name].mean, 4) for name in FIGURES},
        "cpu_s": round(spent, 1),
    }


def eyes_and_mouth(folder: Path, model: Path) -> dict:
    """Within the eyes and the mouth of source faces that it never saw: PSNR, and how much of the edges is there."""
    unseen, dfm = np.load(folder / "heldout.npz"), open_dfm(model, CPU_ONLY)
    scale = dfm.resolution / unseen["src_images"].shape[1]
    errors, edges = [], []
    for image, landmarks in zip(unseen["src_images"], unseen["src_landmarks"], strict=True):
        wanted = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        share = eyes_mouth_levels(wanted.shape, landmarks * scale)[..., None] / 255
        made = dfm.swap(wanted[None]).face[0]
        errors.append(float((share * (wanted - made) ** 2).sum() / share.sum() / 3))
        made, wanted = (float((share * np.abs(cv2.Laplacian(x, cv2.CV_32F))).sum()) for x in (made, wanted))
        edges.append(made / wanted)
    return {"psnr": round(float(np.mean(-10 * np.log10(errors))), 2), "edges": round(float(np.mean(edges)), 4)}


if __name__ == "__main__":
    main()
