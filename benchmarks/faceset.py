"""How fast facesets open, read, parse, pack and unpack, beside ``cp -r`` of the same bytes.

Prints JSON; keeps it in benchmarks/results/faceset.json.

python benchmarks/faceset.py [FACES=60000] [FOLDER=/tmp]
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
import numpy as np  # noqa: E402

from core.formats import dfl_image  # noqa: E402
from core.geometry.align import FaceType, face_matrix, transform_points  # noqa: E402
from core.geometry.landmarks import HEAD_3D  # noqa: E402
from core.imaging.codec import encode_jpeg  # noqa: E402
from core.types import FaceRecord  # noqa: E402

_CHILD = """
import json, os, resource, sys, time
from pathlib import Path

def cpu():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used) + workers()

def workers():
    '''Seconds of the worker processes that have ended: they are children of the fork server.'''
    from multiprocessing.forkserver import _forkserver
    if not _forkserver._forkserver_pid:
        return 0.0
    fields = Path(f"/proc/{{_forkserver._forkserver_pid}}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")

def peak():
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)

{body}
"""


def child(body: str, *arguments: str) -> dict:
    """Run ``body`` in a fresh interpreter, so that its peak memory is its own; it prints one JSON line."""
    done = subprocess.run(
        [sys.executable, "-c", _CHILD.format(body=body), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


OPEN = """
from core.formats.pak import PakReader
import numpy as np
start, before = time.perf_counter(), cpu()
reader = PakReader(Path(sys.argv[1]))
seconds, used = time.perf_counter() - start, cpu() - before
resident = int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20
order = np.random.default_rng(0).integers(0, len(reader), 40000).tolist()
start = time.perf_counter()
total = sum(len(reader.read(i)) for i in order)
reads = len(order) / (time.perf_counter() - start)
figures = {"faces": len(reader), "open_seconds": round(seconds, 2), "open_cpu_seconds": round(used, 2)}
figures |= {"resident_mib": round(resident), "peak_mib": peak(), "random_reads_per_second": round(reads)}
print(json.dumps(figures))
"""
PARSE = """
from core.formats import dfl_image
paths = sorted(Path(sys.argv[1]).iterdir())[:6000]
rates, before = [], cpu()
for start_at in range(0, len(paths), 1000):
    part = paths[start_at:start_at + 1000]
    start = time.perf_counter()
    for path in part:
        dfl_image.read(path)
    rates.append(len(part) / (time.perf_counter() - start))
rates.sort()
used = cpu() - before
figures = {"files_per_cpu_second": round(len(paths) / used), "files_per_second_median": round(rates[len(rates) // 2])}
print(json.dumps(figures | {"best": round(rates[-1]), "worst": round(rates[0])}))
"""
STAGE = """
from core import stages
from core.workspace import Workspace
stage = stages.load(sys.argv[2])
start, before = time.perf_counter(), cpu()
stage.run(stage.Options(side="src"), Workspace(Path(sys.argv[1])))
figures = {"seconds": round(time.perf_counter() - start, 2), "cpu_seconds": round(cpu() - before, 2)}
print(json.dumps(figures | {"peak_mib": peak()}))
"""


@lru_cache(1)
def picture() -> bytes:
    """A JPEG of noise, 128 pixels, filled up to 4.5 KB."""
    rng = np.random.default_rng(0)
    jpeg = encode_jpeg(np.kron(rng.integers(60, 200, (16, 16, 3)), np.ones((8, 8, 1))).astype(np.uint8), 90)
    return (
        jpeg[:-2]
        + rng.integers(0, 255, max(0, 4500 - len(jpeg)), dtype=np.uint8).tobytes().replace(b"\xff", b"\0")
        + jpeg[-2:]
    )


def synthetic_face(index: int) -> tuple[FaceRecord, bytes]:
    """A face file of about 8 KB: the one picture, the mean head turned a little, complete metadata."""
    base = HEAD_3D[:, :2].astype(np.float64) * 2 + 400
    source = base + np.random.default_rng(index).normal(0, 1.5, base.shape)
    matrix = face_matrix(source, 128, FaceType.WHOLE_FACE)
    points, frame = transform_points(source, matrix), f"{index:06d}.png"
    record = FaceRecord(
        f"{index:06d}_0.jpg", (128, 128), points, "whole_face", frame, (200, 200, 600, 640), source, matrix
    )
    return record, dfl_image.embed(picture(), record)


def make_faces(folder: Path, count: int) -> None:
    folder.mkdir(parents=True)
    for index in range(count):
        record, data = synthetic_face(index)
        (folder / record.name).write_bytes(data)


def copy_seconds(folder: Path, target: Path) -> float:
    os.sync()
    start = time.perf_counter()
    subprocess.run(["cp", "-r", str(folder), str(target)], check=True)
    return time.perf_counter() - start


def beside_copies(root: Path, source: Path, name: str, workspace: Path) -> dict:
    """A stage between two copies of the same faces, and how its time compares with their mean.

    Each begins when everything before it is on the disk. Nothing is deleted meanwhile: ext4 makes every new file search
    past the inodes deleted in the last minutes, which can make a file ten times as expensive, for whoever comes first.
    For the same reason FOLDER should be on a file system where little was deleted of late.
    """
    before = copy_seconds(source, root / f"copy_before_{name}")
    os.sync()
    result = child(STAGE, str(workspace), name)
    after = copy_seconds(source, root / f"copy_after_{name}")
    ratio = round(2 * result["seconds"] / (before + after), 2)
    return result | {"cp_r_seconds": [round(before, 2), round(after, 2)], "over_cp": ratio}


def measure(root: Path, count: int) -> dict:
    aligned, pak = root / "data_src/aligned", root / "data_src/aligned/faceset.pak"
    make_faces(root / "faces", count)
    make_faces(aligned, count)
    total = sum(path.stat().st_size for path in aligned.iterdir())
    results: dict = {
        "faces": count,
        "bytes_per_face": total // count,
        "parse_loose_one_core": child(PARSE, str(aligned)),
    }
    results["pack"] = beside_copies(root, root / "faces", "pack", root)
    results["open_pak"] = child(OPEN, str(pak))
    target = root / "unpacked/data_src/aligned"
    target.mkdir(parents=True)
    shutil.copyfile(pak, target / "faceset.pak")
    results["unpack"] = beside_copies(root, root / "faces", "unpack", root / "unpacked")
    return results


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 60_000
    parent = sys.argv[2] if len(sys.argv) > 2 else None
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        report(measure(Path(folder), count))


def report(results: dict) -> None:
    results["machine"] = {
        "cpus": len(os.sched_getaffinity(0)),
        "load_average": os.getloadavg()[0],
        "python": platform.python_version(),
        "system": platform.platform(),
    }
    text = json.dumps(results, indent=1)
    (ROOT / "benchmarks/results").mkdir(exist_ok=True)
    (ROOT / "benchmarks/results/faceset.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
