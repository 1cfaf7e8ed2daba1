"""Masks: does a mask network trained by our own stage for a bounded time on a CPU know occluders better than the
landmark hull? And how fast are masks applied? Prints JSON; keeps it in benchmarks/results/masks.json.

    python benchmarks/masks.py occluders FOLDER [MINUTES=5] [RESOLUTION=64] [BASE=8]
    python benchmarks/masks.py speed [FACES=16]

FOLDER holds train/src, train/dst (aligned faces) and heldout.npz (src_images, src_landmarks, dst_images,
dst_landmarks). The truth of a face is its landmark hull without the occluders drawn over it, which is the hull's best
case.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
import cv2  # noqa: E402
import numpy as np  # noqa: E402

from core.data.occluders import occlude  # noqa: E402
from core.faceset.store import open_faceset  # noqa: E402
from core.formats import dfl_image  # noqa: E402
from core.imaging.codec import decode_image, encode_jpeg  # noqa: E402
from core.imaging.masks import decode_mask, hull_mask, mask_iou  # noqa: E402
from core.imaging.polygons import mask_to_polygons  # noqa: E402
from core.types import FaceRecord  # noqa: E402

COPIES = 4  # of each training face, with other occluders
PHASES = ((0.75, "0.001"), (0.25, "0.0002"))  # share of the time, learning rate


def occluded(
    image: np.ndarray, landmarks: np.ndarray, random: np.random.RandomState, texture: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A face with one to three things in front, and its true mask."""
    picture, mask = image.astype(np.float32) / 255, hull_mask(image.shape, landmarks)
    for _ in range(1 + random.randint(3)):
        picture, mask = occlude(picture, mask, random, texture.astype(np.float32) / 255)
    return (picture * 255 + 0.5).astype(np.uint8), mask


def write_set(
    folder: Path, faces: list[tuple[np.ndarray, np.ndarray]], seed: int, copies: int, labelled: bool
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Face files with occluders; returns name -> (true mask, hull)."""
    folder.mkdir(parents=True)
    truth = {}
    for i in range(len(faces) * copies):
        image, landmarks = faces[i % len(faces)]
        random = np.random.RandomState(seed + i)
        picture, mask = occluded(image, landmarks, random, faces[random.randint(len(faces))][0])
        record = FaceRecord(
            f"{i:05d}_0.jpg",
            image.shape[:2],
            landmarks,
            "whole_face",
            polygons=mask_to_polygons(mask, smallest=20) if labelled else (),
        )
        dfl_image.write(folder / record.name, encode_jpeg(picture, 95), record)
        truth[record.name] = mask, hull_mask(image.shape, landmarks)
    return truth


def stage(workspace: Path, *arguments: str) -> str:
    """Run a stage of this project as people do."""
    environment = os.environ | {"WORKSPACE": str(workspace), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-m", "core", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    if done.returncode not in (0, 130):
        raise SystemExit(done.stderr[-2000:])
    return done.stdout


def train_for(workspace: Path, minutes: float, arguments: list[str]) -> float:
    """Train until the time is up; a STOP file ends it. Returns seconds."""
    start = time.perf_counter()
    environment = os.environ | {"WORKSPACE": str(workspace), "TF_CPP_MIN_LOG_LEVEL": "3"}
    process = subprocess.Popen(
        [sys.executable, "-m", "core", "train-xseg", *arguments], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL
    )
    try:
        process.wait(timeout=minutes * 60)
    except subprocess.TimeoutExpired:
        (workspace / "model" / "STOP").touch()
        process.wait(timeout=300)
    return time.perf_counter() - start


def occluder_experiment(folder: Path, minutes: float, resolution: int, base: int) -> dict:
    held = np.load(folder / "heldout.npz")
    training = []
    for side in ("src", "dst"):
        faceset = open_faceset(folder / "train" / side)
        training += [(decode_image(faceset.read(i)), record.landmarks) for i, record in enumerate(faceset.records())]
    testing = [
        pair
        for side in ("src", "dst")
        for pair in zip(held[f"{side}_images"], held[f"{side}_landmarks"].astype(float), strict=True)
    ]
    with tempfile.TemporaryDirectory() as temporary:
        workspace = Path(temporary)
        write_set(workspace / "train", training, seed=10_000, copies=COPIES, labelled=True)
        truth = write_set(workspace / "data_dst" / "aligned", testing, seed=0, copies=1, labelled=False)
        (workspace / "model").mkdir()
        arguments = [
            "--faces",
            str(workspace / "train"),
            "--labels",
            "polygons",
            "--resolution",
            str(resolution),
            "--base",
            str(base),
            "--batch-size",
            "8",
            "--no-lr-dropout",
            "--occluders",
            "0",
            "--threads",
            "2",
            "--preview-every",
            "0",
            "--save-minutes",
            "60",
        ]
        seconds = sum(
            train_for(workspace, minutes * share, [*arguments, "--learning-rate", rate]) for share, rate in PHASES
        )
        stage(workspace, "mask", "dst")
        summary = (workspace / "model" / "XSeg_summary.txt").read_text()
        iterations = int(
            next(line for line in summary.splitlines() if "Current iteration" in line).strip("= ").split(":")[1]
        )
        return score(workspace / "data_dst" / "aligned", truth) | {
            "train_seconds": round(seconds, 1),
            "iterations": iterations,
            "resolution": resolution,
            "base": base,
            "train_faces": COPIES * len(training),
        }


def score(folder: Path, truth: dict) -> dict:
    """Mean IoU of the stored masks and of the hull against the truth; the same only within what is covered or beside
    it.
    """
    faceset = open_faceset(folder)
    ours, hulls, wins = [], [], 0
    found, kept = [], []
    for record in faceset.records():
        mask, hull = truth[record.name]
        made = cv2.resize(decode_mask(record.xseg_mask)[..., 0], mask.shape[1::-1]) > 0.5
        true, outline = mask[..., 0] > 0.5, hull[..., 0] > 0.5
        ours.append(mask_iou(made, true))
        hulls.append(mask_iou(outline, true))
        wins += ours[-1] > hulls[-1]
        covered = outline & ~true
        if covered.sum() > 50:
            found.append(float((~made & covered).sum() / covered.sum()))
        kept.append(float((made & true).sum() / max(true.sum(), 1)))
    return {
        "faces": len(ours),
        "iou_trained": round(float(np.mean(ours)), 4),
        "iou_hull": round(float(np.mean(hulls)), 4),
        "better_on": wins,
        "occluder_pixels_found": round(float(np.mean(found)), 4),
        "face_pixels_kept": round(float(np.mean(kept)), 4),
    }


def speed(count: int) -> dict:
    """Milliseconds a face for the network of the original's size with untrained weights, 256 px faces, all of applying
    included.
    """
    sys.path.insert(0, str(ROOT / "tests/support"))
    from mask_helpers import write_faces, write_xseg

    with tempfile.TemporaryDirectory() as temporary:
        workspace = Path(temporary)
        write_faces(workspace / "data_src" / "aligned", count, size=256)
        write_xseg(workspace / "model", 256, 32)
        start = time.perf_counter()
        stage(workspace, "mask", "src")
        first = time.perf_counter() - start
        start = time.perf_counter()
        stage(workspace, "mask", "src")
        return {
            "faces": count,
            "ms_a_face": round(first * 1000 / count, 1),
            "second_run_seconds": round(time.perf_counter() - start, 2),
        }


def main(arguments: list[str]) -> None:
    kind, rest = arguments[0], arguments[1:]
    if kind == "occluders":
        result = occluder_experiment(
            Path(rest[0]), float((rest[1:2] or ["5"])[0]), int((rest[2:3] or ["64"])[0]), int((rest[3:4] or ["8"])[0])
        )
    else:
        result = speed(int((rest or ["16"])[0]))
    result |= {"machine": platform.machine(), "cpus": os.cpu_count(), "load": os.getloadavg()[0]}
    path = ROOT / "benchmarks" / "results" / "masks.json"
    path.parent.mkdir(exist_ok=True)
    stored = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(stored | {kind: result}, indent=1) + "\n")
    print(json.dumps({kind: result}))


if __name__ == "__main__":
    main(sys.argv[1:] or ["speed"])
