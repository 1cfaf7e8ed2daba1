"""How long sorting takes beside the original's formulas, each timed on a part and scaled.

Prints JSON, and keeps it in benchmarks/results/sorting.json.

    python benchmarks/sorting.py [histograms clusters pixels scoring blur] [SCALE=1]

SCALE=0.1 takes a tenth of the faces. Every part runs in a process of its own, whose peak memory is reported.
"""

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests/support"), str(ROOT / "tests/faceset/scores")]
import cv2  # noqa: E402
import numpy as np  # noqa: E402


def histograms(scale: float) -> dict:
    """Scores ready: 60,000 sets of three histograms, as a film in scenes gives them, of 512 px pictures."""
    from core.faceset.sorting.chain import histogram_chain, summed_distances

    count = int(60_000 * scale)
    faces = _film_histograms(count, 512 * 512)
    chain = _timed(lambda: histogram_chain(faces))
    dissimilar = _timed(lambda: summed_distances(faces[:, 0]))
    part = [tuple(face) for face in faces[:400].astype(np.float32)]
    pairs = _timed(lambda: [_pair(part[i], part[j]) for i in range(len(part)) for j in range(i + 1, len(part))])
    chunks, rest = divmod(count, 20_000)
    steps = chunks * 20_000**2 + rest**2
    original = {
        "whole": pairs["cpu seconds"] * (count / len(part)) ** 2,
        "in chunks of 20,000": pairs["cpu seconds"] * steps / len(part) ** 2,
    }
    return {"faces": count, "chain": chain, "sums of distances": dissimilar, "original CPU seconds, scaled": original}


def _pair(a: tuple, b: tuple) -> float:
    kind = cv2.HISTCMP_BHATTACHARYYA
    return cv2.compareHist(a[0], b[0], kind) + cv2.compareHist(a[1], b[1], kind) + cv2.compareHist(a[2], b[2], kind)


def _film_histograms(count: int, pixels: int) -> np.ndarray:
    """Scenes of about 400 frames, in which exposure, color and what is seen drift; sampling noise as of real images."""
    rng = np.random.default_rng(0)
    bins = np.arange(256)
    out = np.empty((count, 3, 256), np.uint32)
    for start in range(0, count, 400):
        base = np.abs(np.convolve(rng.random(256), np.ones(9) / 9, "same")) ** 3 + 1e-3
        gamma, shape = rng.normal(0, 0.25, 3), rng.normal(0, 0.4, (3, 8))
        for i in range(start, min(start + 400, count)):
            gamma, shape = gamma * 0.99 + rng.normal(0, 0.01, 3), shape * 0.99 + rng.normal(0, 0.02, shape.shape)
            for c in range(3):
                density = base[(255 * (bins / 255) ** np.exp(gamma[c])).astype(int)] * np.exp(
                    np.interp(bins, np.linspace(0, 255, 8), shape[c])
                )
                expected = density / density.sum() * pixels
                out[i, c] = np.maximum(expected + rng.normal(size=256) * np.sqrt(expected), 0)
    return out


def clusters(scale: float) -> dict:
    """60,000 identity vectors of 6 people and some strangers."""
    from scipy.cluster.hierarchy import linkage

    from core.faceset.scores.cluster import average_linkage

    count = int(60_000 * scale)
    rng = np.random.default_rng(0)
    who = rng.choice(7, count, p=[0.7, 0.14, 0.08, 0.04, 0.02, 0.01, 0.01])
    centres = rng.normal(size=(7, 128)) / np.sqrt(128)
    drift = np.cumsum(rng.normal(0, 0.02, (count, 8)), axis=0)
    vectors = (
        centres[who]
        + (drift / (1 + np.abs(drift).max())) @ rng.normal(size=(8, 128)) / 12
        + rng.normal(size=(count, 128)) / np.sqrt(128)
    )
    vectors[who == 6] = rng.normal(size=(np.count_nonzero(who == 6), 128)) / np.sqrt(128)
    vectors = vectors.astype(np.float32)
    labels = {}
    ours = _timed(lambda: labels.update(ours=average_linkage(vectors, 0.3)))
    part = vectors[:: max(1, count // 4000)][:4000]
    full = _timed(lambda: linkage(part, "average", metric="cosine"))
    sizes = np.bincount(labels["ours"])
    wrong = sum(len(set(who[labels["ours"] == k])) > 1 for k in range(len(sizes)))
    return {
        "vectors": count,
        "average linkage": ours,
        "largest clusters": sizes[:7].tolist(),
        "clusters": len(sizes),
        "mixed clusters": wrong,
        "matrix linkage CPU seconds, scaled": full["cpu seconds"] * (count / len(part)) ** 2,
        "matrix gigabytes": count**2 * 24 / 1.8 / 1e9,
    }


def pixels(scale: float) -> dict:
    """20,000 faces of 256 px in JPEG files, moving and changing as in a film."""
    from core.faceset.sorting.pixel_chain import pixel_chain
    from core.imaging.codec import read_image

    count = int(20_000 * scale)
    with tempfile.TemporaryDirectory() as folder:
        paths = _film_faces(Path(folder), count)
        ours = _timed(lambda: pixel_chain(lambda i: read_image(paths[i]), count, True, Path(folder)))
        few = [read_image(path) for path in paths[:200]]
        pairs = _timed(lambda: [cv2.norm(a, b, cv2.NORM_L1) for a in few for b in few])
        some = paths[:500]
        same = pixel_chain(lambda i: read_image(some[i]), len(some), True, Path(folder)).tolist() == _plain_pixel_chain(
            [read_image(p) for p in some]
        )
    return {
        "faces": count,
        "chain": ours,
        "same order as the definition on 500": same,
        "all differences, CPU seconds, scaled": pairs["cpu seconds"] / 2 * (count / len(few)) ** 2,
    }


def _film_faces(folder: Path, count: int) -> list[Path]:
    from sorting_faces import face

    rng = np.random.default_rng(0)
    sources = [face(which, 0, 320)[0] for which in (0, 1)]
    state = rng.normal(size=6)
    paths = []
    for i in range(count):
        if i % 400 == 0:
            source, state, tint = sources[rng.integers(2)], rng.normal(size=6), rng.uniform(0.6, 1.2, 3)
        state = 0.98 * state + 0.2 * rng.normal(size=6)
        matrix = np.array(
            [
                [0.8 + 0.02 * state[0], 0.03 * state[1], 4 * state[2]],
                [-0.03 * state[1], 0.8 + 0.02 * state[3], 4 * state[4]],
            ]
        )
        image = cv2.warpAffine(source, matrix, (256, 256), borderMode=cv2.BORDER_REFLECT) * tint * (1 + 0.04 * state[5])
        noise = cv2.randn(np.empty(image.shape, np.float32), 0, 3)
        paths.append(folder / f"{i:05d}.jpg")
        cv2.imwrite(str(paths[-1]), np.clip(image + noise, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 90])
    return paths


def _plain_pixel_chain(images: list) -> list[int]:
    left, order = set(range(1, len(images))), [0]
    while left:
        order.append(min(left, key=lambda j: (cv2.norm(images[order[-1]], images[j], cv2.NORM_L1), j)))
        left.remove(order[-1])
    return order


def scoring(scale: float) -> dict:
    """All cheap measures from a 512 px JPEG, one core."""
    from core.faceset.scores import measures

    data = _face_file(512)
    rounds = max(20, int(150 * scale))
    best = {
        group: _each(lambda function=function: function(data, "face.jpg"), rounds)
        for group, function in measures.GROUPS.items()
    }
    cheap = {
        kind: 1 / sum(best[group][kind] for group in (measures.SHAPE, measures.PIXELS)) for kind in ("best", "median")
    }
    return {"CPU seconds for a face": best, "all cheap measures, faces per CPU second": cheap}


def _each(work, rounds: int) -> dict:
    """CPU seconds of one call: the best and the median of many, for machines with noisy neighbours."""
    times = sorted(_timed(work, 6)["cpu seconds"] for _ in range(rounds))
    return {"best": times[0], "median": times[rounds // 2]}


def _face_file(size: int) -> bytes:
    from sorting_faces import write_face

    with tempfile.TemporaryDirectory() as folder:
        return write_face(Path(folder), "face.jpg", 1, 1, size, "clear").read_bytes()


def blur(scale: float) -> dict:
    """Sharpness of a 512 px face beside its definition in Python loops."""
    from test_cpbd import plain_cpbd

    from core.faceset.scores.cpbd import cpbd
    from core.formats import dfl_image
    from core.imaging.codec import decode_image
    from core.imaging.masks import hull_mask

    data = _face_file(512)
    image, record = decode_image(data), dfl_image.parse(data, "face.jpg")
    grey = cv2.cvtColor(image * hull_mask(image.shape, record.landmarks).astype(np.uint8), cv2.COLOR_BGR2GRAY)
    fast, slow = _each(lambda: cpbd(grey), max(20, int(100 * scale))), _timed(lambda: plain_cpbd(grey))
    return {
        "CPU seconds": fast,
        "times faster than the 1.3 s that the original took": {kind: 1.3 / used for kind, used in fast.items()},
        "definition with loops over the edges only, CPU seconds": slow["cpu seconds"],
        "equal": bool(abs(cpbd(grey) - plain_cpbd(grey)) < 1e-12),
    }


PARTS = {"histograms": histograms, "clusters": clusters, "pixels": pixels, "scoring": scoring, "blur": blur}


def _timed(work, digits: int = 3) -> dict:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return {
        "seconds": round(time.perf_counter() - wall, digits),
        "cpu seconds": round(time.process_time() - cpu, digits),
    }


def _child(part: str, scale: float) -> None:
    if part in ("scoring", "blur"):
        cv2.setNumThreads(1)
    found = PARTS[part](scale)
    print(json.dumps({**found, "peak gigabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2)}))


def main(arguments: list[str]) -> None:
    scale = float(next((a[6:] for a in arguments if a.startswith("SCALE=")), 1))
    path = ROOT / "benchmarks/results/sorting.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    results["machine"] = {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load before": os.getloadavg()[0],
    }
    for part in [a for a in arguments if a in PARTS] or PARTS:
        print(part, file=sys.stderr, flush=True)
        child = subprocess.run(
            [sys.executable, __file__, "--child", part, str(scale)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        results[part] = {"scale": scale, **json.loads(child.stdout)}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        _child(sys.argv[2], float(sys.argv[3]))
    else:
        main(sys.argv[1:])
