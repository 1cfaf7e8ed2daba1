"""Which faces are found in a 1080p frame at which search size, and what the search costs. Prints JSON, and keeps it in
benchmarks/results/search_sizes.json.

    python benchmarks/search_sizes.py

Frames with 32 heads of one size each, the demo's heads turned a little (see benchmarks/turned_heads.py).
"""

import json
import sys
import time

import cv2
import numpy as np
from turned_heads import ROOT, heads, seen

from core.faces.contract import DetectorSettings
from core.faces.detectors import yunet

SIZES = (640, 960, 1280, 1920)
WIDTHS = (120, 80, 60, 40, 30, 20)


def frame(width: int) -> np.ndarray:
    """A frame with 8 x 4 heads whose faces are so many pixels wide."""
    rng, models = np.random.default_rng(width), heads()
    noise = rng.integers(60, 160, (34, 60, 3), np.uint8)
    image = cv2.resize(noise, (1920, 1080), interpolation=cv2.INTER_CUBIC)
    for number in range(32):
        pose = tuple(rng.uniform((-10, -25, -8), (10, 25, 8)).tolist())
        centre = np.array([120 + 240 * (number % 8), 135 + 270 * (number // 8)])
        image, _ = seen(models[number % len(models)], image, pose, width, centre)
    return image


def main() -> None:
    cv2.setNumThreads(1)
    result: dict[str, dict[str, float]] = {}
    frames = {width: frame(width) for width in WIDTHS}
    for size in SIZES:
        detector = yunet.create(DetectorSettings(size=size, rotations="none"))
        found = {f"{width} px": round(100 * len(detector.detect(image)) / 32, 1) for width, image in frames.items()}
        empty = np.full((1080, 1920, 3), 90, np.uint8)
        started = time.thread_time()
        for _ in range(5):
            detector.detect(empty)
        result[str(size)] = found | {"CPU ms for a search": round(200 * (time.thread_time() - started), 1)}
    text = json.dumps(result, indent=1)
    (ROOT / "benchmarks/results/search_sizes.json").write_text(text + "\n")
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
