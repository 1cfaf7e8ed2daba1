"""How long the jobs on ``faces.db`` take with 100,000 faces, and what they hold in memory.

Prints JSON; keeps it in benchmarks/results/alignments.json.

    python benchmarks/alignments.py [FACES=100000] [FOLDER=/tmp]

A side of one film with two people who are in most frames: faces, boxes and landmarks that move, identity vectors, tiny
files in ``aligned`` under the names that the database knows. Every job is a command of its own; ``seconds`` is all of
it, the start of the interpreter included, ``cpu seconds`` is what it used of the processors, which depends less on
what else they do, and ``megabytes`` is its largest resident set. The last measurement moves the points of ten of 5,000
faces and counts the crops that are made again.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

from found_faces import SETTINGS, face_at, points_at, side_with  # noqa: E402

from core.faceset.database import extraction, faces  # noqa: E402
from core.faceset.database.changes import changing  # noqa: E402
from core.faceset.database.connection import open_database  # noqa: E402
from core.faceset.database.faces import FaceRow  # noqa: E402
from core.faceset.database.frames import FrameRow  # noqa: E402
from core.faceset.database.images import ALIGNED, ImageRow  # noqa: E402
from core.faceset.identity import birth_id, geometry_of  # noqa: E402
from core.jobs.alignments.crop_plan import Again  # noqa: E402
from core.jobs.alignments.extract import extract_again  # noqa: E402
from core.types import Face  # noqa: E402
from core.workspace import Side, Workspace  # noqa: E402

# Runs a command of the program and tells how much memory it held.
_PEAK = """
import resource, runpy, sys
sys.argv = ["core", *sys.argv[1:]]
try:
    runpy.run_module("core", run_name="__main__", alter_sys=True)
finally:
    used = resource.getrusage(resource.RUSAGE_SELF)
    print("peak", used.ru_maxrss, used.ru_utime + used.ru_stime, file=sys.stderr)
"""
JOBS = (
    ("info", "info src"),
    ("no-faces", "no-faces src"),
    ("leftover", "leftover src"),
    ("tracks", "tracks src"),
    ("persons", "persons src"),
    ("smooth", "smooth src"),
    ("undo", "undo src"),
    ("redo", "redo src"),
    ("interpolate", "interpolate src"),
    ("multi-faces", "multi-faces src"),
    ("repair-list", "repair-list src"),
    ("sort", "sort src"),
    ("rename", "rename src"),
    ("history", "history src"),
    ("backup", "backup src"),
    ("export csv", "export src --format csv"),
    ("remove-faces (1,000 deleted)", "remove-faces src"),
    ("restore-faces (1,000)", "restore-faces src --reason deleted"),
    ("drop (one person)", "drop src --person 2"),
    ("undo of that", "undo src"),
)


def main(count: int, place: Path) -> None:
    found: dict[str, object] = {
        "faces": count,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "load before": os.getloadavg()[0],
    }
    folder = Path(tempfile.mkdtemp(dir=place))
    try:
        workspace = Workspace(folder / "w")
        fill(workspace.create().side("src"), count)
        found["jobs"] = {name: measured(folder / "w", command, name) for name, command in JOBS}
        found["cut out again"] = ten_edits(folder / "small")
    finally:
        shutil.rmtree(folder)
    text = json.dumps(found, indent=1)
    print(text)
    (ROOT / "benchmarks/results/alignments.json").write_text(text + "\n")


def fill(side: Side, count: int) -> None:
    """The database, and a tiny file for each face."""
    rng = np.random.default_rng(0)
    people = rng.normal(size=(2, 128))
    with open_database(side.database, create=True) as connection:
        extraction.write_settings(connection, SETTINGS | {"source": {}, "from_video": True})
        batch: list[tuple[FrameRow, list[FaceRow]]] = []
        for number in range(1, count // 2 + 1):
            batch.append(frame(side, number, people, rng))
            if len(batch) == 1000:
                faces.add(connection, batch)
                batch = []
        faces.add(connection, batch)


def frame(side: Side, number: int, people: np.ndarray, rng: np.random.Generator) -> tuple[FrameRow, list[FaceRow]]:
    name = f"{number:06d}.png"
    rows = []
    for who, vector in enumerate(people):
        x = 500 + 800 * who + 150 * np.sin(number / 40 + who)
        points = points_at(x, 500, 1.0) + rng.normal(0, 0.4, (68, 2))
        identity = vector + rng.normal(0, 0.4, 128)
        box = np.concatenate([points.min(axis=0), points.max(axis=0)]).astype(np.float32)
        face = Face(box, 0.9, landmarks=points, landmark_confidence=0.9, frame=name, origin="yunet")
        face = Face(**{**vars(face), "id": birth_id(name, points)})
        path = side.aligned / f"{number:06d}_{who}.jpg"
        path.write_bytes(b"x")
        image = ImageRow(
            face=face.id,
            folder=ALIGNED,
            name=path.name,
            extracted_name=path.name,
            face_type="whole_face",
            size=64,
            image_digest="",
            sha256="",
            bytes=1,
            mtime_ns=path.stat().st_mtime_ns,
            geometry=geometry_of(name, points),
        )
        unit = (identity / np.linalg.norm(identity)).astype(np.float32)
        rows.append(FaceRow(face, image, {"yaw": 0.1, "pitch": 0.0}, {"sface": unit}))
    return FrameRow(name, time=number / 25, width=1920, height=1080, look=b"\x40" * 192), rows


def measured(workspace: Path, command: str, name: str) -> dict[str, float]:
    """Seconds and megabytes of a job."""
    if name.startswith("remove-faces"):
        for path in sorted((workspace / "data_src/aligned").glob("*.jpg"))[:1000]:
            path.unlink()
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, "alignments", *command.split()],
        cwd=ROOT,
        env=os.environ | {"WORKSPACE": str(workspace)},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - started
    if done.returncode:
        raise SystemExit(f"{command}: {done.stderr}")
    print(f"{name}: {seconds:.1f} s", file=sys.stderr)
    kilobytes, cpu = done.stderr.split("peak ")[-1].split()[:2]
    return {"seconds": round(seconds, 1), "cpu seconds": round(float(cpu), 1), "megabytes": int(kilobytes) // 1024}


def ten_edits(folder: Path) -> dict[str, float]:
    """How many crops of 5,000 are made again when ten faces have moved."""
    frames = {
        f"{number:05d}.png": [face_at(f"{number:05d}.png", 60 + 50 * k) for k in range(5)] for number in range(1000)
    }
    side = side_with(Workspace(folder), frames)
    extract_again(side.workspace, "src", Again())
    with open_database(side.database) as connection, changing(connection, "edit") as change:
        for face in list(faces.faces(connection))[::500]:
            change.update(face, landmarks=face.landmarks + 2, origin="hand")
    started = time.monotonic()
    done = extract_again(side.workspace, "src", Again())
    seconds = round(time.monotonic() - started, 1)
    return {"faces": 5000, "edited": 10, "made again": done.made, "up to date": done.up_to_date, "seconds": seconds}


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, Path(sys.argv[2] if len(sys.argv) > 2 else "/tmp"))
