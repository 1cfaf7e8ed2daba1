"""Seams of merged faces: the step across the edge of the mask, for our way and for the original's overlay.

Prints JSON, and keeps it in benchmarks/results/merge_seams.json, each workspace under its name.

    python benchmarks/merge_seams.py NAME=WORKSPACE... [EVERY=10] [LAST=300]

A workspace has a film ``data_dst``, its faces in data_dst/faces.db and a .dfm in model/. It is read only. Both ways
get the same face of the model and the same masks (its own, multiplied) and are measured at the same places: on lines of
24 px of a face of 256 straight across the edge of that mask. What is measured is the merged picture less the film,
since the film has edges of its own there, averaged over pieces of the edge (a 32nd part each), in which the film's
texture cancels out and a seam does not: the gradient along the lines, levels of luma a pixel. "mean": over the lines;
"steepest": the largest of each line; both are means of all pieces and frames. The original is measured as it comes, and
with a blur of 20, about our edge's width.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
import cv2  # noqa: E402
import numpy as np  # noqa: E402

from core.faceset.database.connection import open_database  # noqa: E402
from core.geometry.align import face_matrix, invert  # noqa: E402
from core.jobs.merge.choices import MergeChoices  # noqa: E402
from core.jobs.merge.compose import Composer, ExactComposer, OurComposer, Work, swap_all  # noqa: E402
from core.jobs.merge.cues import FaceSettings  # noqa: E402
from core.jobs.merge.faces_of_film import read_faces  # noqa: E402
from core.jobs.merge.model import Swapper, open_swapper  # noqa: E402
from core.merge.dfl.settings import DflSettings  # noqa: E402
from core.video.film.frames import read_film  # noqa: E402
from core.video.find import find_film  # noqa: E402
from core.video.probe import probe  # noqa: E402
from core.workspace import Workspace  # noqa: E402

ACROSS, UNIT = 24, 256  # pixels, of a face of so many
PIECES = 32


def main(arguments: list[str]) -> None:
    named = dict(a.split("=", 1) for a in arguments)
    every, last = int(named.pop("EVERY", 10)), int(named.pop("LAST", 300))
    path = ROOT / "benchmarks/results/merge_seams.json"
    report = json.loads(path.read_text()) if path.exists() else {}
    for name, folder in named.items():
        report[name] = measured(Workspace(Path(folder)), every, last)
    text = json.dumps(report, indent=1)
    print(text)
    path.write_text(text + "\n")


def measured(workspace: Workspace, every: int, last: int) -> dict:
    swapper = open_swapper(workspace, None, None)
    ways: Mapping[str, Composer] = {
        "ours": OurComposer(swapper),
        "original": ExactComposer(swapper, DflSettings()),
        "original, blur 20": ExactComposer(swapper, DflSettings(blur_mask=20)),
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for work in works(workspace, every, last):
        lines = across(swapper, work)
        for name, way in ways.items():
            found[name].append(seam(made(swapper, way, work), work.frame.image, *lines))
    values = {name: np.array(each) for name, each in found.items()}
    ours = values["ours"][:, 0]
    return {
        "frames": len(ours),
        "mean": {name: round(float(each[:, 0].mean()), 3) for name, each in values.items()},
        "steepest": {name: round(float(each[:, 1].mean()), 3) for name, each in values.items()},
        "share of frames in which our mean is lower": {
            name: round(float((ours < each[:, 0]).mean()), 3) for name, each in values.items() if name != "ours"
        },
    }


def works(workspace: Workspace, every: int, last: int) -> Iterator[Work]:
    """Every so manieth frame with its largest face."""
    with open_database(workspace.side("dst").database) as connection:
        faces = read_faces(connection, MergeChoices(calm=0.0, last=last), FaceSettings())
    for frame in read_film(probe(find_film(workspace.side("dst")))):
        if frame.number > last:
            return
        if frame.number in faces.by_number and frame.number % every == 0:
            yield Work(frame, faces.by_number[frame.number][:1], faces.told[frame.number][:1])


def made(swapper: Swapper, way: Composer, work: Work) -> np.ndarray:
    cut = replace(work, cuts=tuple(way.cut(work.frame.image, face) for face in work.faces))
    swapped = replace(cut, swapped=tuple(swap_all(swapper, way, [cut], 1)))
    return way.compose(way.ready(swapped))[0]


def across(swapper: Swapper, work: Work) -> tuple[np.ndarray, np.ndarray]:
    """Points of the edge (n, 2) and the lines straight across it, as steps from them (n, k, 2), frame pixels."""
    composer = OurComposer(swapper)
    cut = replace(work, cuts=tuple(composer.cut(work.frame.image, face) for face in work.faces))
    (swapped,) = swap_all(swapper, composer, [cut], 1)
    size = swapper.dfm.resolution
    matrix = face_matrix(np.asarray(work.faces[0].landmarks), size, swapper.face_type)
    height, width = work.frame.image.shape[:2]
    mask = cv2.warpAffine(swapped.face_mask * swapped.target_mask, invert(matrix), (width, height))
    inside = (mask >= 0.5).astype(np.uint8)
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
    depth = cv2.GaussianBlur(depth, (0, 0), 2)
    contours, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = max(contours, key=len)[:, 0]
    normal = np.stack([cv2.Sobel(depth, cv2.CV_32F, 1, 0), cv2.Sobel(depth, cv2.CV_32F, 0, 1)], axis=2)
    normal = normal[points[:, 1], points[:, 0]]
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    side = size / np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    reach = ACROSS / 2 / UNIT * side
    steps = np.arange(-np.ceil(reach), np.ceil(reach) + 1)
    return points.astype(np.float32), (normal[:, None] * steps[None, :, None]).astype(np.float32)


def seam(merged: np.ndarray, film: np.ndarray, points: np.ndarray, lines: np.ndarray) -> tuple[float, float]:
    """(mean, steepest) gradient, levels a pixel."""
    pair = [cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32) for image in (merged, film)]
    at = points[:, None] + lines
    difference = pair[0] - pair[1]
    values = cv2.remap(difference, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    profiles = np.array([piece.mean(axis=0) for piece in np.array_split(values, PIECES)])
    gradient = np.abs(np.diff(profiles, axis=1))
    return float(gradient.mean()), float(gradient.max(axis=1).mean())


if __name__ == "__main__":
    main(sys.argv[1:])
