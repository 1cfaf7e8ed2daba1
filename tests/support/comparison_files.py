"""What comparing two saves leaves in the folder of the models, made without a network."""

import json

import cv2
import numpy as np
from portraits import person

from core.quality import page, words
from core.quality.figures import Change, changes
from core.quality.metrics import VERSION

BEFORE, AFTER = "swap save 2000", "swap"
FACES = [f"face{number}" for number in range(8)]


def write_comparison(workspace) -> list[Change]:
    """Sharper and more alike after than before, with a mask that is worse; the rest is the same."""
    rng = np.random.default_rng(1)
    means = {"identity": (0.1, 0.3), "sharpness": (0.6, 0.8), "mask_iou": (0.95, 0.9), "points": (0.02, 0.02)}
    values = [
        {key: {face: pair[side] + float(rng.normal(0, 0.002)) for face in FACES} for key, pair in means.items()}
        for side in (0, 1)
    ]
    found = changes(*values)
    label = f"{BEFORE} against {AFTER}"
    record = {
        "version": VERSION,
        "held_out": True,
        "faces": {"dst": FACES},
        "before": {"model": BEFORE},
        "after": {"model": AFTER},
        "changes": {change.metric.key: {**vars(change), "metric": ""} for change in found},
    }
    workspace.model.mkdir(parents=True, exist_ok=True)
    (workspace.model / f"{label}_quality.json").write_text(json.dumps(record))
    rows = [page.Row(_pictures(number), f"{number:05d}_0.jpg: <b>likeness</b>") for number in (1, 2)]
    parts = [page.said("In words", words.compared(found)), page.gallery("Faces that won most", rows)]
    (workspace.model / f"{label}_quality.html").write_text(page.page(label, ["notes"], parts))
    return found


def _pictures(number: int):
    source, target = (cv2.resize(person(which)[0][60:300, 120:360], (128, 128)) for which in (0, 1))
    made = [np.asarray(cv2.GaussianBlur(source, (0, 0), blur), np.uint8) for blur in (4.0 / number, 1.0)]
    return (("target", np.asarray(target, np.uint8)), (BEFORE, made[0]), (AFTER, made[1]))
