"""Cuts, tracks, persons, smoothing and interpolation measured on clips: numbers only, no pictures are kept.

Prints JSON, and keeps it in benchmarks/results/tracks.json.

    python benchmarks/tracks.py FOLDER [CLIP.mp4 ...]

FOLDER holds clips, by default all are taken. Faces are extracted from each into a temporary workspace, as a person
would. "motion" is what the crop does in the frame, "shape" what the points do in the crop; lengths are parts of the
face's size, delays are frames.
"""

import itertools
import json
import os
import platform
import resource
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]
import cv2  # noqa: E402
import numpy as np  # noqa: E402
from scipy.signal import savgol_filter  # noqa: E402

from core.faceset.database import faces, measured  # noqa: E402
from core.faceset.database.connection import open_database  # noqa: E402
from core.faceset.tracks import measure  # noqa: E402
from core.faceset.tracks import motion as moving  # noqa: E402
from core.faceset.tracks import smooth as smoothing  # noqa: E402
from core.faceset.tracks.cuts import find_cuts  # noqa: E402
from core.faceset.tracks.gaps import interpolate  # noqa: E402
from core.faceset.tracks.held import pictures, repeated  # noqa: E402
from core.faceset.tracks.link import Detections, link  # noqa: E402
from core.faceset.tracks.local_fit import local_fit  # noqa: E402
from core.faceset.tracks.one_euro import OneEuro  # noqa: E402
from core.faceset.tracks.persons import name_faces  # noqa: E402
from core.jobs.extract_faces import ExtractSettings, extract_faces  # noqa: E402
from core.workspace import Workspace  # noqa: E402

FPS = 30
STRENGTHS = (0.25, 0.5, 0.75, 1.0)
PARTS, EYES = ("motion", "shape"), slice(72, 96)
GROUPS = (smoothing.MOTION_GROUPS, smoothing.SHAPE_GROUPS)


def detections(clip: Path) -> tuple[Detections, np.ndarray]:
    """All faces of a clip, and their landmarks (n, 68, 2)."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder)).create()
        (workspace.root / f"data_src{clip.suffix}").write_bytes(clip.read_bytes())
        extract_faces(workspace, "src", ExtractSettings(from_video=True))
        with open_database(workspace.side("src").database) as connection:
            found = list(faces.faces(connection))
            vectors = measured.vectors(connection, "sface")
    points = np.array([face.landmarks for face in found])
    number = np.array([int(face.frame[:5]) for face in found])
    made = Detections(
        number,
        np.zeros(len(found), np.intp),
        points.mean(axis=1),
        np.ptp(points, axis=1).max(axis=1),
        np.array([vectors[face.id] for face in found]),
    )
    return made, points


def chosen(found: Detections, rows: np.ndarray) -> Detections:
    return Detections(found.number[rows], found.scene[rows], found.centre[rows], found.width[rows], found.vector[rows])


def linking(found: Detections) -> dict:
    """The clip as it is, with a third of the detections missing, with every eighth frame only, with false cuts."""
    rng = np.random.default_rng(0)
    cases = {
        "all": np.ones(len(found.number), bool),
        "a third missing": rng.random(len(found.number)) > 1 / 3,
        "every 8th frame": (found.number - 1) % 8 == 0,
    }
    result = {}
    for name, rows in cases.items():
        part = chosen(found, rows)
        result[name] = [int(n) for n in np.bincount(link(part, 10))]
    cut = Detections(found.number, found.number // 20, found.centre, found.width, found.vector)
    track = link(cut, 10)
    names = name_faces(track, cut.number, cut.vector, [""] * len(track))
    result["a cut every 20 frames"] = {
        "tracks": int(track.max()) + 1,
        "persons": sorted(names.count(n) for n in set(names)),
    }
    return result


def filters() -> dict:
    """Name -> function of (values (n, d), groups)."""

    def one_euro(values, groups):
        out = np.empty_like(values)
        for group in groups:
            one = OneEuro()
            out[:, group] = [one.step(i / FPS, row) for i, row in enumerate(values[:, group])]
        return out

    def both_ways(values, groups):
        return one_euro(one_euro(values, groups)[::-1], groups)[::-1]

    def adaptive(strength):
        def run(values, groups):
            time_, weights = np.arange(float(len(values))), np.ones(len(values))
            stray = smoothing._STRAY_MOTION if groups is smoothing.MOTION_GROUPS else smoothing._STRAY_SHAPE
            out = values.copy()
            smoothing.smooth_values(time_, out, groups, strength, stray, weights, smoothing._MOST_NOISE)
            return out

        return run

    at = {"one-euro (causal)": one_euro, "one-euro both ways": both_ways}
    at["Savitzky-Golay, 7 frames, order 2"] = lambda values, _: savgol_filter(values, 7, 2, axis=0)
    at["Savitzky-Golay, 11 frames, order 2"] = lambda values, _: savgol_filter(values, 11, 2, axis=0)
    at["lines, width 1.5"] = lambda values, _: local_fit(np.arange(float(len(values))), values, 1.5, 1)
    at["lines, width 3"] = lambda values, _: local_fit(np.arange(float(len(values))), values, 3.0, 1)
    for strength in STRENGTHS:
        at[f"adaptive, strength {strength:g}"] = adaptive(strength)
    return at


def smoothing_of(time_: np.ndarray, points: np.ndarray) -> dict:
    """Trembling left and delay of each filter on one track; "as used" is what smooth_track makes of it."""
    size = measure.size_of(points)
    parts = measure.parts(points, size)
    shown = int(pictures(time_, points)[-1]) + 1
    result = {
        "different pictures": shown,
        "trembling before": {name: rms2(part) for name, part in zip(PARTS, parts, strict=True)},
    }
    for name, run in filters().items():
        result[name] = _judged(parts, [run(part, groups) for part, groups in zip(parts, GROUPS, strict=True)])
    for strength in STRENGTHS:
        after = smoothing.smooth_track(time_, points, strength)
        left = measure.jitter([(time_, points, after)])
        judged = _judged(parts, measure.parts(after, size))
        judged["median of different pictures"] = {"motion": round(left.motion, 3), "shape": round(left.shape, 3)}
        result[f"as used, strength {strength:g}"] = judged
    return result


def _judged(before: tuple, after: tuple) -> dict:
    late = {
        "motion": measure.delays(before[0][:, :2], after[0][:, :2]),
        "shape": measure.delays(before[1], after[1]),
        "eyes": measure.delays(before[1][:, EYES], after[1][:, EYES]),
    }
    pairs = list(zip(PARTS, before, after, strict=True))
    return {
        "trembling left": {name: round(rms2(new) / rms2(old), 3) for name, old, new in pairs},
        "delay, 95 % of fast movements": {
            name: round(float(np.quantile(np.abs(of), 0.95)), 3) for name, of in late.items()
        },
        "distance from before": {name: round(rms(new - old), 5) for name, old, new in pairs},
    }


def rms(values: np.ndarray) -> float:
    return float(np.sqrt((values**2).mean()))


def rms2(values: np.ndarray) -> float:
    return rms(np.diff(values, 2, axis=0))


def truth() -> dict:
    """Error against known movements with the noise of the landmarks (0.0015 of the face), in units of that noise.

    Below 1 a filter makes points better than they were found.
    """
    rng, count, noise = np.random.default_rng(0), 600, 0.0015
    at = np.arange(count)
    bump = np.zeros(count)
    step = np.zeros(count)
    for n, start in enumerate(range(20, count - 10, 40)):
        bump[start - 3 : start + 4] = 0.5 * (1 + np.cos(np.pi * np.arange(-3, 4) / 3))
        step += (-1) ** n * np.clip((at - start) / 3, 0, 1)
    movements = {
        "rest": np.zeros(count),
        "slow pan": 0.3 * np.sin(2 * np.pi * at / 60),
        "nod": 0.1 * np.sin(2 * np.pi * at / 12),
        "blink": 0.03 * bump,
        "faint blink": 0.01 * bump,
        "sudden turn": 0.1 * step,
        "repeated frames": 0.1 * np.sin(2 * np.pi * (np.floor(at * 0.8) / 0.8) / 40),
    }
    direction = rng.normal(size=12)
    direction /= rms(direction)
    trembling = rng.normal(0, noise, (count, 12))
    groups = [np.arange(12)]
    return {
        name: {
            kind: round(rms(run(path[:, None] * direction + trembling, groups) - path[:, None] * direction) / noise, 2)
            for kind, path in movements.items()
        }
        for name, run in filters().items()
    }


def crop_stillness(clip: Path, time_: np.ndarray, points: np.ndarray) -> dict:
    """How much the picture in the crop trembles, by phase correlation of consecutive crops, in sizes of the face.

    The points only say where the crop is; this asks the pixels.
    """
    video = cv2.VideoCapture(str(clip))
    frames = []
    while (read := video.read())[0]:
        frames.append(cv2.cvtColor(read[1], cv2.COLOR_BGR2GRAY))
    window = cv2.createHanningWindow((160, 160), cv2.CV_32F)
    result = {}
    for strength in (0.0, *STRENGTHS):
        motion = moving.split(smoothing.smooth_track(time_, points, strength))[0]
        crops = [_crop(frames[int(t) - 1], row) for t, row in zip(time_, motion, strict=True)]
        shifts = [cv2.phaseCorrelate(a, b, window)[0] for a, b in itertools.pairwise(crops)]
        changes = np.linalg.norm(np.diff(np.array(shifts) / 160, axis=0), axis=1)
        result[f"strength {strength:g}"] = [round(float(q), 5) for q in np.quantile(changes, [0.5, 0.9])]
    return result


def _crop(frame: np.ndarray, motion: np.ndarray) -> np.ndarray:
    """160 pixels around eyes and nose, upright; the size follows the face."""
    scale, angle = np.exp(motion[2]) / 160, motion[3]
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shift = motion[:2] - linear @ np.array([80.0, 80.0])
    matrix = np.column_stack([linear, shift])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(frame, matrix, (160, 160), flags=flags).astype(np.float32)


def gaps_of(clip: Path, number: np.ndarray, points: np.ndarray) -> dict:
    """Distance of interpolated from found points, % of the face's width: median and 95 %, for gaps of 1 to 5 frames.

    number: (n,), of the frames in the film, from 0. The face is painted over in the frames of the gap, which must not
    hide that frames repeat a picture.
    """
    reader = cv2.VideoCapture(str(clip))
    frames = [reader.read()[1] for _ in range(int(number[-1]) + 1)]
    plain = np.array([_tiny(frame) for frame in frames])
    blank = plain.copy()
    for at, found in zip(number, points, strict=True):
        (left, top), (right, bottom) = found.min(axis=0).astype(int), found.max(axis=0).astype(int)
        margin = (right - left) // 5
        covered = frames[at].copy()
        covered[max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin] = 127
        blank[at] = _tiny(covered)
    result: dict[str, dict] = {"linear": {}, "curved": {}}
    for length in range(1, 6):
        errors: dict[str, list] = {"linear": [], "curved": []}
        for start in range(8, len(points) - 8 - length, 3):
            hidden = np.zeros(len(points), bool)
            hidden[start : start + length] = True
            looks = plain.copy()
            looks[number[hidden]] = blank[number[hidden]]
            all_numbers = np.arange(len(looks))
            picture = (all_numbers - np.cumsum(repeated(all_numbers, looks)))[number].astype(float)
            for name in errors:
                filled = interpolate(picture[~hidden], points[~hidden], picture[hidden], name == "curved")
                distance = np.linalg.norm(filled - points[hidden], axis=2).mean(axis=1)
                errors[name] += (100 * distance / np.ptp(points[hidden][:, :, 0], axis=1)).tolist()
        for name, values in errors.items():
            result[name][str(length)] = [round(float(q), 2) for q in np.quantile(values, [0.5, 0.95])]
    return result


def _tiny(frame: np.ndarray) -> np.ndarray:
    return cv2.resize(frame, (8, 8), interpolation=cv2.INTER_AREA)


def planted_cuts(clips: list[Path]) -> dict:
    """Pieces of the clips in a row, with flashes of one or two frames and lamps that go out in them."""
    looks = {clip.name: _looks(clip) for clip in clips}
    rng = np.random.default_rng(1)
    found = missed = false = disturbances = 0
    for _ in range(50):
        pieces, begins, length, last = [], [], 0, ""
        for _ in range(12):
            last = rng.choice([name for name in looks if name != last])
            count = int(rng.integers(6, 80))
            start = int(rng.integers(0, len(looks[last]) - count))
            piece = looks[last][start : start + count].copy()
            if count > 20:
                flash, wide, lamp = rng.integers(6, count - 8), rng.integers(1, 3), rng.integers(6, count - 8)
                piece[flash : flash + wide] = np.clip(piece[flash : flash + wide] * 0.3 + 170, 0, 255)
                piece[lamp:] = piece[lamp:] * 0.6
                disturbances += 2
            begins.append(length)
            pieces.append(piece)
            length += count
        cuts = set(np.flatnonzero(find_cuts(np.concatenate(pieces))).tolist())
        wanted = set(begins[1:])
        found, missed, false = found + len(cuts & wanted), missed + len(wanted - cuts), false + len(cuts - wanted)
    alone = {name: int(find_cuts(look).sum()) for name, look in looks.items()}
    return {
        "cuts found": found,
        "missed": missed,
        "false": false,
        "flashes and lamps planted": disturbances,
        "cuts found in clips that have none": alone,
    }


def _looks(clip: Path) -> np.ndarray:
    video, out = cv2.VideoCapture(str(clip)), []
    while (read := video.read())[0]:
        out.append(cv2.resize(read[1], (8, 8), interpolation=cv2.INTER_AREA))
    return np.array(out)


def speed() -> dict:
    """100,000 made-up faces, 4 in each frame, a cut every 200 frames, 5 % of them missing."""
    rng = np.random.default_rng(1)
    per, count = 4, 100_000
    frames = count // per
    number, who = np.repeat(np.arange(frames), per), np.tile(np.arange(per), frames)
    people = rng.normal(size=(per, 128)).astype(np.float32)
    path = np.cumsum(rng.normal(0, 3, (frames, per, 2)), axis=0) + 2000 * np.arange(per)[:, None]
    found = rng.random(count) > 0.05
    vector = people[who[found]] + rng.normal(0, 0.6, (found.sum(), 128)).astype(np.float32)
    faces_ = Detections(
        number[found], number[found] // 200, path.reshape(-1, 2)[found], np.full(found.sum(), 100.0), vector
    )
    started = time.perf_counter()
    track = link(faces_, 10)
    linked = time.perf_counter()
    names = name_faces(track, faces_.number, faces_.vector, [""] * len(track))
    named = time.perf_counter()
    pairs = set(zip(track.tolist(), who[found].tolist(), strict=True))
    return {
        "linking, seconds": round(linked - started, 2),
        "naming, seconds": round(named - linked, 2),
        "peak megabytes of the process": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3),
        "tracks": int(track.max()) + 1,
        "tracks of several people": len(pairs) - (int(track.max()) + 1),
        "persons": len(set(names)),
    }


def main(folder: Path, names: list[str]) -> None:
    clips = [folder / name for name in names] if names else sorted(folder.glob("*.mp4"))
    assert clips, f"no clips in {folder}"
    results = {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load before": os.getloadavg()[0]},
        "100,000 faces": speed(),
        "cuts planted": planted_cuts(clips),
        "known movements, error in units of the noise": truth(),
        "clips": {},
    }
    for clip in clips:
        print(clip.name, file=sys.stderr, flush=True)
        found, points = detections(clip)
        track = link(found, 10)
        of_clip = {"faces": len(points), "linking": linking(found), "tracks": {}}
        for number in range(int(track.max()) + 1):
            rows = np.flatnonzero(track == number)
            if len(rows) < 60:
                continue
            at = found.number[rows].astype(float)
            of_clip["tracks"][str(number + 1)] = {
                "faces": len(rows),
                "smoothing": smoothing_of(at, points[rows]),
                "change of movement of the picture in the crop, median and 90 %": crop_stillness(
                    clip, at, points[rows]
                ),
                "gaps of 1 to 5 frames, % of the width of the face, median and 95 %": gaps_of(
                    clip, found.number[rows] - 1, points[rows]
                ),
            }
        results["clips"][clip.name] = of_clip
    path = ROOT / "benchmarks/results/tracks.json"
    path.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
