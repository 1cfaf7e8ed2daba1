"""How good the extraction is on pictures with known faces. Prints the table of docs/accuracy.md, and JSON behind it.

    python benchmarks/accuracy.py FOLDER [--keep]

FOLDER holds pictures and ``truth.json``: name of a picture -> a list of its faces, empty where it shows nobody. A face
is {"box": [left, top, right, bottom], "points": [[x, y], ... 68], "yaw": degrees, "pitch": degrees, "tag": text}; all
but the box may be left out. Faces without a tag, or with "plain", are rows by their yaw, the others rows by their tag.
--keep also writes benchmarks/results/accuracy.json. benchmarks/accuracy_pictures.py makes such a folder.

Errors are per cent of the diagonal of the box around the 68 points; turn, scale and shift are those of the whole-face
crop against that by the true points.
"""

import json
import math
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]
import cv2  # noqa: E402
import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from core.faces.contract import DetectorSettings  # noqa: E402
from core.faces.cropping import CropSettings, pose_scores, record_of  # noqa: E402
from core.faces.detectors import yunet  # noqa: E402
from core.faces.filters import Extent, Limits  # noqa: E402
from core.faces.finding import Finder  # noqa: E402
from core.faces.landmarkers import facemesh  # noqa: E402
from core.geometry.align import FaceType, face_matrix, invert, transform_points  # noqa: E402
from core.imaging.codec import read_image  # noqa: E402
from core.types import Face  # noqa: E402

SIZE = 256  # of the crop that turn, scale and shift are measured in
PARTS = {"inner": slice(17, 68), "brows": slice(17, 27), "mouth": slice(48, 68), "jaw": slice(0, 17)}
SEARCHES = (640, 1280)
_SIZES = 2.5  # how much larger or smaller than the true face a found one may be
Measured = dict[str, Any]


def main() -> None:
    folder = Path(sys.argv[1])
    truth: dict[str, list[Measured]] = json.loads((folder / "truth.json").read_text())
    rows: dict[str, list[Measured]] = defaultdict(list)
    strangers: Counter[str] = Counter()
    started = time.process_time()
    for name, faces in truth.items():
        image = read_image(folder / name)
        for size in SEARCHES if any("1080p" in face.get("tag", "") for face in faces) else SEARCHES[:1]:
            kept, others = _finder(size).find(name, image)
            if not faces:
                strangers.update({"pictures of nobody": 1, "found there": len(kept) + len(others), "kept": len(kept)})
            for face in faces:
                rows[_row(face, size)].append(_measured(face, kept, others))
    result = {
        "rows": {row: _summary(measured) for row, measured in sorted(rows.items())},
        "nobody": dict(strangers),
        "CPU seconds a picture": round((time.process_time() - started) / len(truth), 3),
    }
    _print(result["rows"])  # type: ignore[arg-type]
    text = json.dumps(result, indent=1)
    sys.stdout.write(text + "\n")
    if "--keep" in sys.argv:
        (ROOT / "benchmarks/results/accuracy.json").write_text(text + "\n")


def _finder(size: int) -> Finder:
    limits = Limits(min_size=Extent(20))
    return Finder(yunet.create(DetectorSettings(size=size)), facemesh.create(), limits)


def _row(face: Measured, size: int) -> str:
    tag = face.get("tag", "plain")
    if "1080p" in tag:
        return f"{tag}, searched at {size}"
    if tag != "plain":
        return str(tag)
    yaw = abs(face.get("yaw", 0.0))
    low, high = next((low, high) for low, high in ((0, 15), (15, 30), (30, 60), (60, 75), (75, 180)) if yaw < high)
    return f"yaw {low}-{min(high, 90)}"


def _measured(face: Measured, kept: Sequence[Face], others: Sequence[Face]) -> Measured:
    mine, filtered = _here(face, kept), _here(face, others)
    found: Measured = {"detected": bool(mine or filtered), "kept": bool(mine)}
    if filtered and not mine:
        found["reason"] = filtered[0].reason
    if mine and face.get("points"):
        points, true = np.asarray(mine[0].landmarks), np.asarray(face["points"])
        diagonal = float(np.linalg.norm(np.ptp(true, axis=0)))
        apart = 100 * np.linalg.norm(points - true, axis=1) / diagonal
        found |= {part: float(apart[where].mean()) for part, where in PARTS.items()} | _crop(points, true)
    if mine and "yaw" in face:
        pose = pose_scores(record_of(mine[0], "", CropSettings(size=SIZE)), mine[0].pose)
        found["yaw"] = math.degrees(pose["head_yaw"]) * (-1 if face["yaw"] < 0 else 1)
        found["pitches"] = face.get("pitch", math.nan), math.degrees(pose["head_pitch"])
    return found


def _here(face: Measured, found: Sequence[Face]) -> list[Face]:
    """The faces whose box has the middle of the true one in it and is not of quite another size."""
    box = np.asarray(face["box"], np.float64)
    middle, side = (box[:2] + box[2:]) / 2, max(box[2:] - box[:2])
    there = [each for each in found if (each.box[:2] <= middle).all() and (middle <= each.box[2:]).all()]
    return [each for each in there if 1 / _SIZES < max(each.box[2:] - each.box[:2]) / side < _SIZES]


def _crop(points: NDArray[np.float64], true: NDArray[np.float64]) -> Measured:
    ours, theirs = (face_matrix(each, SIZE, FaceType.WHOLE_FACE) for each in (points, true))
    turn = math.atan2(ours[1, 0], ours[0, 0]) - math.atan2(theirs[1, 0], theirs[0, 0])
    scale = math.sqrt(np.linalg.det(ours[:, :2]) / np.linalg.det(theirs[:, :2])) - 1
    middle = transform_points(transform_points([(SIZE / 2, SIZE / 2)], invert(ours)), theirs)[0]
    shift = float(np.linalg.norm(middle - SIZE / 2)) / SIZE
    return {"turn": math.degrees(math.remainder(turn, 2 * math.pi)), "scale": 100 * scale, "shift": 100 * shift}


def _summary(measured: Sequence[Measured]) -> Measured:
    kept = [each for each in measured if each["kept"]]
    rate = {name: round(100 * sum(each[name] for each in measured) / len(measured), 1) for name in ("detected", "kept")}
    summary: Measured = {"faces": len(measured), **rate}
    if kept and "inner" in kept[0]:
        summary |= {part: round(float(np.mean([each[part] for each in kept])), 2) for part in PARTS}
        for name in ("turn", "scale", "shift"):
            values = np.array([each[name] for each in kept])
            summary[f"{name} p95"] = round(float(np.percentile(np.abs(values), 95)), 1)
        summary["scale bias"] = round(float(np.median([each["scale"] for each in kept])), 1)
    if kept and "yaw" in kept[0]:
        summary["yaw"] = round(float(np.median([each["yaw"] for each in kept])), 1)
        true, ours = np.array([each["pitches"] for each in kept]).T
        if len(kept) > 5 and np.isfinite(true).all() and np.ptp(true) > 1:
            summary["pitch slope"] = round(float(np.polyfit(true, ours, 1)[0]), 2)
    summary["reasons"] = dict(Counter(each["reason"] for each in measured if "reason" in each))
    return summary


def _print(rows: Mapping[str, Measured]) -> None:
    names = [name for name in max(rows.values(), key=len) if name != "reasons"]
    sys.stdout.write("| faces | " + " | ".join(names) + " |\n" + "|---" * (len(names) + 1) + "|\n")
    for row, values in rows.items():
        sys.stdout.write(f"| {row} | " + " | ".join(str(values.get(name, "")) for name in names) + " |\n")


if __name__ == "__main__":
    cv2.setNumThreads(1)
    main()
