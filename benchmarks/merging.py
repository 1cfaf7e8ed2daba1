"""How long it takes to put a swapped face into a 1080p frame: our way, DeepFaceLab's and faceswap's, on one core.

Prints JSON, and keeps it in benchmarks/results/merging.json.

    python benchmarks/merging.py [ROUNDS=15]

Milliseconds of processor time, since others may use the machine. The ways of a pair run by turns, so that what is
disturbed is disturbed alike; medians, and the least.
"""

import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests/support")]
for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[threads] = "1"
import cv2  # noqa: E402
import numpy as np  # noqa: E402
from drawn_faces import landmarks  # noqa: E402

from core.geometry.align import FaceType, face_matrix, invert, transform_points  # noqa: E402
from core.merge.dfl import compose as dfl  # noqa: E402
from core.merge.dfl.settings import DflSettings, Prediction  # noqa: E402
from core.merge.face import SwappedFace, merge_face  # noqa: E402
from core.merge.faceswap import compose as faceswap  # noqa: E402
from core.merge.faceswap.settings import FaceswapSettings  # noqa: E402
from core.merge.settings import MergeSettings  # noqa: E402

WIDTH, HEIGHT, SIZE, SIDE = 1920, 1080, 224, 404
KIND = FaceType.WHOLE_FACE
# Ours, and DeepFaceLab's settings that do the same.
PAIRS = {
    "overlay, no color": ({"color": "none"}, {"color_transfer": "none", "erode_mask": 10, "blur_mask": 40}),
    "overlay, rct": ({"color": "rct"}, {"color_transfer": "rct", "erode_mask": 10, "blur_mask": 40}),
    "overlay, mkl": ({"color": "mkl"}, {"color_transfer": "mkl-m", "erode_mask": 10, "blur_mask": 40}),
    "hist-match": (
        {"mode": "hist-match", "color": "none"},
        {"mode": "hist-match", "color_transfer": "none", "erode_mask": 10, "blur_mask": 40},
    ),
    "seamless": (
        {"mode": "seamless", "color": "none"},
        {"mode": "seamless", "color_transfer": "none", "erode_mask": 10, "blur_mask": 40},
    ),
    "sharpened": (
        {"color": "none", "sharpen": "box"},
        {"color_transfer": "none", "sharpen_mode": "box", "blursharpen": 5, "erode_mask": 10, "blur_mask": 40},
    ),
}
# Ours only.
ALONE = {
    "multiband": {"mode": "multiband", "color": "none"},
    "grain": {"color": "rct", "grain": 1},
    "drawn mask, erosion of a side": {"color": "rct", "mask": "learned_dst * extended", "erode_top": 10},
    "face of 1000 px": {"color": "rct"},
}


def main(arguments: list[str]) -> None:
    rounds = int(next((a[7:] for a in arguments if a.startswith("ROUNDS=")), 15))
    cv2.setNumThreads(1)
    results = {
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "opencv": cv2.__version__,
            "load before": os.getloadavg()[0],
        },
        "frame": [WIDTH, HEIGHT],
        "model": SIZE,
        "face side": SIDE,
        "milliseconds": {name: _pair(ours, theirs, rounds) for name, (ours, theirs) in PAIRS.items()},
        "faceswap": _times([_faceswap_way(SIDE)], rounds)[0],
    }
    for name, changes in ALONE.items():
        side = 1000 if "1000" in name else SIDE
        results["milliseconds"][name] = {"ours": _times([_our_way(changes, side)], rounds)[0]}
    path = ROOT / "benchmarks/results/merging.json"
    path.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results, indent=1))


def _pair(ours: dict, theirs: dict, rounds: int) -> dict:
    here, there = _times([_our_way(ours, SIDE), _dfl_way(theirs, SIDE)], rounds)
    return {"ours": here, "DeepFaceLab's": there, "ratio": round(there["median"] / here["median"], 1)}


def _times(ways: list, rounds: int) -> list[dict]:
    taken: list[list[float]] = [[] for _ in ways]
    for way in ways:
        way()
    for _ in range(rounds):
        for kept, way in zip(taken, ways, strict=True):
            start = time.thread_time()
            way()
            kept.append(1e3 * (time.thread_time() - start))
    return [{"median": round(statistics.median(t), 1), "least": round(min(t), 1)} for t in taken]


def _our_way(changes: dict, side: int):
    frame, points, prediction = _scene(side)
    masks = {"learned_prd": prediction.face_mask, "learned_dst": prediction.target_mask}
    face, settings = SwappedFace(points, prediction.face, masks, KIND), MergeSettings(**changes)
    return lambda: merge_face(frame, face, settings)


def _dfl_way(changes: dict, side: int):
    frame, points, prediction = _scene(side)
    settings = DflSettings(**changes)

    def merged():
        cut = dfl.cut_face(frame, points, KIND, SIZE, settings)
        return dfl.merged_frame(frame, [dfl.merged_face(cut, prediction, settings)])

    return merged


def _faceswap_way(side: int):
    frame, points, prediction = _scene(side)
    settings = FaceswapSettings()

    def merged():
        where = faceswap.cut(points, SIZE, settings)
        raw = faceswap.landmark_mask("extended", where, settings.edge)
        return faceswap.converted(
            frame, [(where, faceswap.patch(frame, where, prediction.face, raw, settings))], settings
        )

    return merged


def _scene(side: int):
    """A noisy frame, a turned face whose square has ``side`` pixels in it, and what a model made of that."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 255, (20, 36, 3), np.uint8)
    frame = cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    angle, factor = np.radians(12), side / SIZE
    turn = factor * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array([WIDTH / 2, HEIGHT / 2])
    to_frame = np.column_stack([turn, middle - turn @ (SIZE / 2, SIZE / 2)])
    points = transform_points(landmarks(SIZE, KIND), to_frame)
    assert abs(np.linalg.norm(invert(face_matrix(points, SIZE, KIND))[:, 0]) / factor - 1) < 0.02
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32) - SIZE / 2
    oval = np.clip((0.42 * SIZE - np.hypot(x, y * 0.85)) / 8, 0, 1).astype(np.float32)
    face = cv2.resize(rng.random((12, 12, 3), np.float32), (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
    return frame, points, Prediction(face, oval, oval)


if __name__ == "__main__":
    main(sys.argv[1:])
