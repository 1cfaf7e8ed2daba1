"""How calm a merged film is: jitter, flicker and sharpness with and without ``--calm``, and those of the film itself.

Prints JSON, and keeps it in benchmarks/results/merge_calm.json.

    python benchmarks/merge_calm.py WORKSPACE [FRAMES=295] [CALM=0.5,...] [COLOR=rct]

WORKSPACE has a film ``data_dst``, its faces in data_dst/faces.db and a .dfm in model/. It is read only.

All films are looked at through the same squares, which follow the face very smoothly, at 224 px. Measured are
jitter: the second difference of the place of the face, tracked by optical flow in the pixels (px); the median of the
frames, which leaves out what is fast;
jitter beside the film: the same of the place relative to that of the film's face, also as root mean square (rms), in
which the fastest movements show;
jitter of the square: the same of the square that the model sees, relative to the film's face;
lag of the square: by how many frames its movement comes behind that of the film's face;
flicker: root mean square of the high-pass part (against a Gaussian of 3 frames) of the mean color of the face, Lab;
flicker of fields: the same in 4 x 4 fields of the face, in which also expressions and light that moves show;
sharpness: mean magnitude of the Laplacian in the face.
"over the film" is the merged film's measure less that of the film.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
import cv2  # noqa: E402
import numpy as np  # noqa: E402
from scipy.ndimage import gaussian_filter1d  # noqa: E402

from core.faceset.database import faces as face_rows  # noqa: E402
from core.faceset.database.connection import open_database  # noqa: E402
from core.faceset.database.frames import frame_number  # noqa: E402
from core.faceset.tracks import motion  # noqa: E402
from core.geometry.align import FaceType, face_matrix, invert, transform_points  # noqa: E402
from core.imaging.warp import warp_face  # noqa: E402
from core.jobs.merge.anchor import anchored  # noqa: E402
from core.jobs.merge.choices import MergeChoices  # noqa: E402
from core.jobs.merge.cues import FaceSettings  # noqa: E402
from core.jobs.merge.faces_of_film import read_faces  # noqa: E402
from core.jobs.merge.merge import merge  # noqa: E402
from core.merge.settings import MergeSettings  # noqa: E402
from core.video.film.encoders import FilmSettings  # noqa: E402
from core.video.film.frames import read_film  # noqa: E402
from core.video.find import find_film  # noqa: E402
from core.video.probe import probe  # noqa: E402
from core.workspace import Workspace  # noqa: E402

SIZE, FIELDS = 224, 4
# The middle of the whole-face square, which any mask covers.
FROM, TO = 72, 168
COMPARED = (
    *("jitter", "jitter beside the film", "jitter beside the film, rms"),
    *("jitter of the square", "jitter of the square, rms", "flicker", "flicker of fields", "sharpness"),
)
CORNERS = np.array([(FROM, FROM), (TO, FROM), (TO, TO), (FROM, TO)], np.float64)
# How smoothly the squares follow the face, frames; high-pass, frames.
SMOOTH, SLOW = 4.0, 3.0


def main(arguments: list[str]) -> None:
    named = dict(a.split("=", 1) for a in arguments if "=" in a)
    workspace = Workspace(Path(next(a for a in arguments if "=" not in a)))
    last = int(named.get("FRAMES", 295))
    strengths = [0.0, *map(float, named.get("CALM", "0.5").split(","))]
    squares = squares_of(workspace, last)
    film = seen(find_film(workspace.side("dst")), squares)
    own = alone(film)
    merged = {f"calm {s:g}": measured(workspace, s, named, last, squares, film) for s in strengths}
    for each in merged.values():
        each["over the film"] = {name: round(each[name] - own[name], 4) for name in ("jitter", "flicker")}
    first, *others = merged.values()
    for other in others:
        other["against off"] = {name: round(other[name] / first[name], 3) for name in COMPARED}
    results = {"frames": len(squares), "film": own, "merged": merged}
    text = json.dumps(results, indent=1)
    print(text)
    (ROOT / "benchmarks/results/merge_calm.json").write_text(text + "\n")


def measured(
    workspace: Workspace, strength: float, named: dict, last: int, squares: dict[int, np.ndarray], film: np.ndarray
) -> dict:
    settings = MergeSettings(color=named.get("COLOR", "rct"))
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "merged.mkv"
        stored = FilmSettings(codec="ffv1")
        choices = MergeChoices(settings=settings, calm=strength, output=output, film=stored, last=last)
        start = time.monotonic()
        done = merge(workspace, "dst", choices)
        rate = done.frames / (time.monotonic() - start)
        merged = seen(output, squares)
    found = alone(merged)
    apart = steps(merged) - steps(film)
    found["jitter beside the film"], found["jitter beside the film, rms"] = median(apart), rms(np.diff(apart, axis=0))
    moved, wanted = np.diff(places(workspace, choices, squares), axis=0), steps(film)
    found["lag of the square"] = lag(moved, wanted)
    apart = moved - wanted
    found["jitter of the square"], found["jitter of the square, rms"] = median(apart), rms(np.diff(apart, axis=0))
    return {name: round(value, 4) for name, value in found.items()} | {"frames/s": round(rate, 1)}


def alone(crops: np.ndarray) -> dict[str, float]:
    """What is measured of a film by itself."""
    middle = crops[:, FROM:TO, FROM:TO].mean(axis=3)
    sharp = np.mean([np.abs(cv2.Laplacian(crop, cv2.CV_32F)).mean() for crop in middle.astype(np.float32)])
    small = fields(crops)
    whole = small.reshape(len(small), -1, 3).mean(axis=1)
    return {
        "jitter": median(steps(crops)),
        "flicker": rms(high_pass(whole)),
        "flicker of fields": rms(high_pass(small)),
        "sharpness": float(sharp),
    }


def squares_of(workspace: Workspace, last: int) -> dict[int, np.ndarray]:
    """Frame number -> matrix of a square that follows its first face."""
    points: dict[int, np.ndarray] = {}
    with open_database(workspace.side("dst").database) as connection:
        for face in face_rows.faces(connection):
            number = frame_number(face.frame)
            if face.landmarks is not None and number is not None and number <= last:
                points.setdefault(number, face.landmarks)
    numbers = sorted(points)
    moves, shapes = motion.split(np.array([points[number] for number in numbers]))
    smooth = motion.join(gaussian_filter1d(moves, SMOOTH, axis=0), np.repeat(shapes.mean(0)[None], len(shapes), 0))
    return {n: face_matrix(p, SIZE, FaceType.WHOLE_FACE) for n, p in zip(numbers, smooth, strict=True)}


def seen(path: Path, squares: dict[int, np.ndarray]) -> np.ndarray:
    """The squares of a film, uint8 (n, SIZE, SIZE, 3)."""
    frames: Iterator = read_film(probe(path))
    return np.array([warp_face(f.image, squares[f.number], SIZE) for f in frames if f.number in squares])


def fields(crops: np.ndarray) -> np.ndarray:
    """Mean Lab of the fields of the face (n, FIELDS * FIELDS * 3)."""
    small = [cv2.resize(crop[FROM:TO, FROM:TO], (FIELDS, FIELDS), interpolation=cv2.INTER_AREA) for crop in crops / 255]
    return np.array([cv2.cvtColor(crop.astype(np.float32), cv2.COLOR_BGR2LAB).ravel() for crop in small])


def high_pass(values: np.ndarray) -> np.ndarray:
    return values - gaussian_filter1d(values, SLOW, axis=0)


def steps(crops: np.ndarray) -> np.ndarray:
    """How far the face moves in its square from frame to frame, x and y of four corners of the face (n - 1, 8), px."""
    gray = [cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY) for crop in crops]
    y, x = np.mgrid[FROM:TO:8, FROM:TO:8].astype(np.float32)
    grid = np.stack([x.ravel(), y.ravel()], axis=1)
    found = []
    for before, after in zip(gray, gray[1:], strict=False):
        # Both ways: what differs between them is no movement.
        there = np.mean([_moved(before, after, grid), -_moved(after, before, grid)], axis=0)
        found.append(there.ravel())
    return np.array(found)


def _moved(before: np.ndarray, after: np.ndarray, grid: np.ndarray) -> np.ndarray:
    now, good, _ = cv2.calcOpticalFlowPyrLK(before, after, grid[:, None], None, winSize=(21, 21), maxLevel=2)
    kept = good.ravel() > 0
    matrix, _ = cv2.estimateAffinePartial2D(
        grid[kept], now[kept, 0], method=cv2.RANSAC, ransacReprojThreshold=1.0, confidence=0.999
    )
    return CORNERS @ matrix[:, :2].T + matrix[:, 2] - CORNERS


def places(workspace: Workspace, choices: MergeChoices, squares: dict[int, np.ndarray]) -> np.ndarray:
    """Where the corners of the squares that are merged are in those of ``squares`` (n, 8), px."""
    with open_database(workspace.side("dst").database) as connection:
        faces = read_faces(connection, choices, FaceSettings())
    film = read_film(probe(find_film(workspace.side("dst"))))
    found = (anchored(faces, film, choices.calm) if choices.calm else faces).by_number
    made = []
    for number, square in squares.items():
        merged = face_matrix(found[number][0].landmarks, SIZE, FaceType.WHOLE_FACE)
        made.append(transform_points(transform_points(CORNERS, invert(merged)), square).ravel())
    return np.array(made)


def lag(moved: np.ndarray, wanted: np.ndarray, most: int = 3) -> float:
    """By how many frames one movement comes behind the other: where they correlate most, by a parabola."""
    middle = moved[most:-most] - moved.mean(axis=0)
    count = len(middle)
    shifts = range(-most, most + 1)
    fits = [float((middle * wanted[most - shift : most - shift + count]).sum()) for shift in shifts]
    best = int(np.clip(np.argmax(fits), 1, len(fits) - 2))
    before, here, after = fits[best - 1 : best + 2]
    return shifts[best] + 0.5 * (before - after) / (before - 2 * here + after)


def median(steps: np.ndarray) -> float:
    """Of the frames, of how much the steps (n, 8) change."""
    return float(np.median(np.sqrt((np.diff(steps, axis=0) ** 2).mean(axis=1))))


def rms(values: np.ndarray) -> float:
    return float(np.sqrt((values**2).mean()))


if __name__ == "__main__":
    main(sys.argv[1:])
