"""How long an alignments file of many faces takes to write and to read, and to take into a database; how much memory.

Prints JSON, and keeps it in benchmarks/results/fsa.json.

    python benchmarks/fsa.py [FACES=100000]

The database gets a tenth of the faces. Each face has three masks, two identity vectors and a thumbnail, as the newest
faceswap writes them.
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
sys.path[:0] = [str(ROOT)]
import cv2  # noqa: E402
import numpy as np  # noqa: E402

from core.formats.faceswap import fsa  # noqa: E402
from core.formats.faceswap.document import FsaDocument, FsaFace, FsaFrame, make_mask  # noqa: E402
from core.formats.faceswap.spelling import NEWEST, OLDER  # noqa: E402
from core.jobs.alignments.exchange.export import export  # noqa: E402
from core.jobs.alignments.exchange.import_ import import_file  # noqa: E402
from core.workspace import Workspace  # noqa: E402

PROFILES = {"newest": NEWEST, "older": OLDER}
VARIANTS = 200  # of masks and thumbnails: making a new one for each face would take longer than what is measured


def document(count: int) -> FsaDocument:
    """Two faces a frame."""
    rng = np.random.default_rng(0)
    variants = [_parts(rng) for _ in range(VARIANTS)]
    faces = [_face(rng, variants[number % VARIANTS]) for number in range(count)]
    frames = (FsaFrame(f"{i:06d}.png", tuple(faces[i : i + 2])) for i in range(0, count, 2))
    return FsaDocument(tuple(frames))


def _parts(rng: np.random.Generator) -> tuple[dict, bytes]:
    masks = {}
    for name, centring in (("bisenet-fp_face", "face"), ("bisenet-fp_head", "head"), ("unet-dfl", "legacy")):
        pixels = np.zeros((128, 128), np.uint8)
        cv2.fillConvexPoly(pixels, cv2.convexHull(rng.integers(10, 118, (30, 2)).astype(np.int32)), 255)
        masks[name] = make_mask(pixels, rng.normal(0, 1, (2, 3)), centring)
    picture = cv2.GaussianBlur(rng.integers(0, 256, (96, 96, 3), np.uint8), (0, 0), 2.5)
    picture = cv2.normalize(picture, None, 0, 255, cv2.NORM_MINMAX)
    return masks, cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 60])[1].tobytes()


def _face(rng: np.random.Generator, parts: tuple[dict, bytes]) -> FsaFace:
    masks, thumb = parts
    vectors = rng.normal(0, 0.04, (2, 512)).astype(np.float32)
    box = tuple(int(n) for n in rng.integers(0, 900, 4))
    identities = {"vggface2": vectors[0], "t-face_ir-101": vectors[1]}
    return FsaFace(box, rng.uniform(0, 1000, (68, 2)).astype(np.float32), masks, identities, thumb)


def _timed(work) -> dict:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return {"seconds": round(time.perf_counter() - wall, 1), "cpu seconds": round(time.process_time() - cpu, 1)}


def _child(what: str, profile: str, count: int, path: Path) -> dict:
    if what == "database":
        return database(count)
    if what == "write":
        made = document(count)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        found = _timed(lambda: fsa.write(path, made, PROFILES[profile]))
        return found | {"megabytes": round(path.stat().st_size / 1e6), **_memory(before)}
    before, read = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, []
    found = _timed(lambda: read.append(fsa.read(path)))
    return found | {"faces": read[0].face_count(), **_memory(before)}


def database(count: int) -> dict:
    """A file into a database, once more, and out again."""
    with tempfile.TemporaryDirectory() as folder:
        workspace, path = Workspace(Path(folder)), Path(folder) / "a.fsa"
        fsa.write(path, document(count))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        found = {
            "import": _timed(lambda: import_file(workspace, "src", path)),
            "import once more": _timed(lambda: import_file(workspace, "src", path)),
            "export": _timed(lambda: export(workspace, "src", "fsa", Path(folder) / "b.fsa")),
        }
        return {"faces": count, **found, **_memory(before)}


def _memory(before: int) -> dict:
    now = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    mapped = sum(
        int(line.split()[1])
        for line in Path("/proc/self/smaps_rollup").read_text().splitlines()
        if "Anonymous:" in line
    )
    return {"peak megabytes more": (now - before) // 1024, "megabytes of it held": mapped // 1024}


def main(count: int) -> None:
    results: dict = {
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "load before": os.getloadavg()[0],
        },
        "faces": count,
    }
    with tempfile.TemporaryDirectory() as folder:
        for profile in PROFILES:
            path = Path(folder) / f"{profile}.fsa"
            for what in ("write", "read"):
                command = [sys.executable, __file__, "--child", what, profile, str(count), str(path)]
                child = subprocess.run(command, stdout=subprocess.PIPE, check=True)
                results[f"{what}, {profile}"] = json.loads(child.stdout)
                print(what, profile, results[f"{what}, {profile}"], file=sys.stderr, flush=True)
    command = [sys.executable, __file__, "--child", "database", "newest", str(count // 10), "none"]
    results["database"] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    text = json.dumps(results, indent=1) + "\n"
    (ROOT / "benchmarks/results/fsa.json").write_text(text)
    print(text)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        print(json.dumps(_child(*sys.argv[2:4], int(sys.argv[4]), Path(sys.argv[5]))))
    else:
        main(int(next((a[6:] for a in sys.argv[1:] if a.startswith("FACES=")), 100_000)))
