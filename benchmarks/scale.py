"""Whether memory grows with the faces of a pak beyond their records.

Prints JSON; keeps it in benchmarks/results/scale.json.

    python benchmarks/scale.py [FACES=60000] [FOLDER=/tmp]

Every step runs in a fresh process, once on a small pak and once on the big one. The peak is that of all its processes
together, worker processes too: their proportional set sizes (a page that n processes share counts 1/n in each) added
up, sampled ten times a second. Pages of the disk cache are nobody's. ``bytes_per_face`` is the difference of the two
peaks for one face more.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from faceset import ROOT, synthetic_face

from core.formats.pak_entry import write_entry
from core.formats.pak_writer import write_pak

SMALL = 2000
_TRAIN = (
    "train",
    "6",
    "--no-pretrained",
    "--resolution",
    "64",
    "--ae-dims",
    "32",
    "--e-dims",
    "16",
    "--d-dims",
    "16",
    "--d-mask-dims",
    "16",
    "--batch-size",
    "2",
    "--workers",
    "1",
    "--preview-every",
    "0",
)
STEPS = {
    "open": (
        "-c",
        "import os; from core.faceset.store import open_faceset; from core.workspace import Workspace\n"
        "print(len(open_faceset(Workspace.from_environment().side('src').aligned)))",
    ),
    "train": ("-m", "core", *_TRAIN),
    "sort by yaw": ("-m", "core", "sort", "src", "--by", "yaw"),
    "sort by hist": ("-m", "core", "sort", "src", "--by", "hist"),
    "unpack": ("-m", "core", "unpack", "src"),
    "pack": ("-m", "core", "pack", "src", "--remove-originals"),
}


@dataclass(frozen=True)
class Made:
    """A face that is made when it is read, so that no folder of files is needed."""

    index: int
    person: str | None = None

    @property
    def name(self) -> str:
        return f"{self.index:06d}_0.jpg"

    def size(self) -> int:
        return len(self.data())

    def data(self) -> bytes:
        return synthetic_face(self.index)[1]

    def entry(self, data: bytes) -> bytes:
        return write_entry(synthetic_face(self.index)[0])


def make_workspace(root: Path, count: int) -> Path:
    for side, faces in (("src", count), ("dst", 50)):
        aligned = root / f"data_{side}/aligned"
        aligned.mkdir(parents=True)
        write_pak(aligned / "faceset.pak", [Made(index) for index in range(faces)])
    (root / "model").mkdir()
    return root


def tree(root: int) -> set[int]:
    """A process and those it started, and so on."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue  # it has just ended
    found, added = {root}, {root}
    while added:
        added = {child for child, parent in parents.items() if parent in added}
        found |= added
    return found


def resident_kib(root: int) -> int:
    """Proportional set sizes of a process and those it started."""
    total = 0
    for pid in tree(root):
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue  # it has just ended
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total


def peak_of(arguments: tuple[str, ...], workspace: Path) -> dict:
    """Run a step to its end; peak memory in MiB, and seconds."""
    start, peak = time.perf_counter(), 0
    environment = os.environ | {"WORKSPACE": str(workspace), "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=errors
        )
        while process.poll() is None:
            peak = max(peak, resident_kib(process.pid))
            time.sleep(0.1)
        if process.returncode:
            errors.seek(0)
            raise RuntimeError(f"{arguments}: {errors.read().decode()[-2000:]}")
    return {"peak_mib": round(peak / 1024), "seconds": round(time.perf_counter() - start, 1)}


def measure(root: Path, count: int) -> dict:
    small, big = make_workspace(root / "small", SMALL), make_workspace(root / "big", count)
    results: dict = {"faces": [SMALL, count]}
    for name, arguments in STEPS.items():
        few, many = peak_of(arguments, small), peak_of(arguments, big)
        growth = round((many["peak_mib"] - few["peak_mib"]) * 2**20 / (count - SMALL))
        results[name] = {"small": few, "big": many, "bytes_per_face": growth}
        print(name, json.dumps(results[name]), file=sys.stderr, flush=True)
    return results


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 60_000
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
        results = measure(Path(folder), count)
    results["machine"] = {
        "cpus": len(os.sched_getaffinity(0)),
        "load_average": os.getloadavg()[0],
        "python": platform.python_version(),
        "system": platform.platform(),
    }
    text = json.dumps(results, indent=1)
    (ROOT / "benchmarks/results/scale.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
