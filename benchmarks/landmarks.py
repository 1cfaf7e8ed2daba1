"""What --refeed, --realign and --align-norm do to the landmarks of FaceMesh: trembling, and errors in the dark.

Prints JSON, and keeps it in benchmarks/results/landmarks.json.

    python benchmarks/landmarks.py CLIP [CLIP ...]

Trembling: second differences of the points over consecutive frames, pixels, the movement of the head included. Error in
the dark: how far the points of a darkened frame are off those of the bright one, per cent of the width of the box.
"""

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import get_args

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]
import numpy as np  # noqa: E402

from core.faces.contract import DetectorSettings  # noqa: E402
from core.faces.detectors import yunet  # noqa: E402
from core.faces.landmarkers import facemesh  # noqa: E402
from core.faces.refeed import Looks, mark  # noqa: E402
from core.imaging.normalise import Normalisation  # noqa: E402
from core.types import Face  # noqa: E402
from core.video.decode import read_frames  # noqa: E402
from core.video.probe import probe  # noqa: E402

LOOKS = {
    "one look": Looks(),
    "refeed 3": Looks(refeed=3),
    "refeed 9": Looks(refeed=9),
    "realign": Looks(realign=True),
    "refeed 3, realign": Looks(refeed=3, realign=True),
}
LIGHT = (1.0, 0.15, 0.05)
NOISE = 1.5  # levels of grey, as a sensor adds in the dark


def leftmost(frames: list[np.ndarray]) -> list[Face]:
    """The leftmost of the faces of each frame that are not tiny: the same person throughout."""
    detector = yunet.create(DetectorSettings())
    found = [[face for face in detector.detect(frame) if face.box[2] - face.box[0] > 40] for frame in frames]
    faces = [min(each, key=lambda face: float(face.box[0])) for each in found]
    return [replace(face, frame=str(number)) for number, face in enumerate(faces)]


def trembling(frames: list[np.ndarray], faces: list[Face]) -> dict[str, dict[str, float]]:
    landmarker, result = facemesh.create(), {}
    for name, looks in LOOKS.items():
        started = time.process_time()
        points = np.stack(
            [
                mark(landmarker, frame, face, looks, lambda points: True)[0]
                for frame, face in zip(frames, faces, strict=True)
            ]
        )
        seconds = time.process_time() - started
        jumps = points[2:] - 2 * points[1:-1] + points[:-2]
        # White noise would make the differences larger by the square root of 6.
        result[name] = {
            "px": round(float(np.sqrt((jumps**2).mean() / 6)), 3),
            "CPU ms a face": round(1e3 * seconds / len(faces), 1),
        }
    return result


def in_the_dark(frames: list[np.ndarray], faces: list[Face]) -> dict[str, dict[str, list[float]]]:
    """[median, 95th percentile] of the error, per cent of the width of the box, by light and normalisation."""
    bright = [facemesh.create().landmarks(frame, face)[0] for frame, face in zip(frames, faces, strict=True)]
    result: dict[str, dict[str, list[float]]] = {}
    for light in LIGHT:
        rng = np.random.default_rng(0)
        noise = 0 if light == 1 else NOISE
        dark = [np.clip(frame * light + rng.normal(0, noise, frame.shape), 0, 255).astype(np.uint8) for frame in frames]
        for way in get_args(Normalisation):
            landmarker = facemesh.create(normalisation=way)
            errors = [
                100 * np.abs(landmarker.landmarks(frame, face)[0] - points).mean() / (face.box[2] - face.box[0])
                for frame, face, points in zip(dark, faces, bright, strict=True)
            ]
            result.setdefault(f"light {light:g}", {})[way] = [
                round(float(value), 2) for value in np.percentile(errors, (50, 95))
            ]
    return result


def main() -> None:
    result: dict[str, object] = {}
    for clip in map(Path, sys.argv[1:]):
        frames = list(read_frames(probe(clip)))
        middle = len(frames) // 3
        part = frames[middle : middle + 60]
        result[clip.stem] = {
            "trembling": trembling(part, leftmost(part)),
            "error in the dark": in_the_dark(frames[::12], leftmost(frames[::12])),
        }
    text = json.dumps(result, indent=1)
    (ROOT / "benchmarks/results/landmarks.json").write_text(text + "\n")
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
