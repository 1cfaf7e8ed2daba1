"""How fast a film is merged, straight from film to film and by way of folders of pictures, and in how much memory.

Prints JSON; keeps it in benchmarks/results/merge_job.json.

    python benchmarks/merge_job.py WORKSPACE [SECONDS=8]

WORKSPACE has a film and faces of dst and an exported model. Its film is scaled to 720p and cut to so many seconds, its
faces are scaled along. Each way is a process of its own; ``megabytes`` is its largest resident set. The way by folders
is what people do elsewhere: frames to PNG, merged PNG, and a film of those; its three parts are added.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from core.faceset.database import extraction, faces  # noqa: E402
from core.faceset.database.connection import open_database  # noqa: E402
from core.faceset.database.faces import FaceRow  # noqa: E402
from core.faceset.database.frames import FrameRow, frame_number  # noqa: E402
from core.video.find import find_film  # noqa: E402
from core.video.probe import probe  # noqa: E402
from core.video.program import find_ffmpeg  # noqa: E402
from core.workspace import Workspace  # noqa: E402

_HEIGHT = 720
_PEAK = """
import resource, runpy, sys
sys.argv = ["core", *sys.argv[1:]]
try:
    runpy.run_module("core", run_name="__main__", alter_sys=True)
finally:
    own, others = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print("peak", own, others, file=sys.stderr)
"""


def main(source: Path, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Workspace(Path(folder)).create()
        frames = prepare(Workspace(source), place, seconds)
        straight = measured(place, "merge", "dst")
        by_folders = {
            "frames": measured(place, "frames", "dst"),
            "merge": measured(place, "merge", "dst", "--pictures"),
            "film": film_of(place),
        }
    total = round(sum(part["seconds"] for part in by_folders.values()), 1)
    found = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "load before": os.getloadavg()[0],
        "frames": frames,
        "film to film": straight,
        "by folders": by_folders | {"seconds": total},
        "times faster": round(total / straight["seconds"], 2),
    }
    text = json.dumps(found, indent=1)
    print(text)
    (ROOT / "benchmarks/results/merge_job.json").write_text(text + "\n")


def prepare(old: Workspace, new: Workspace, seconds: float) -> int:
    """The film at 720p and its faces; returns how many frames it has."""
    film = find_film(old.side("dst"))
    info = probe(film)
    scale = _HEIGHT / info.height
    target = new.root / "data_dst.mp4"
    command = [find_ffmpeg(), "-v", "error", "-i", str(film), "-t", str(seconds), "-vf", f"scale=-2:{_HEIGHT}"]
    subprocess.run([*command, "-c:v", "libx264", "-crf", "18", "-fps_mode", "passthrough", str(target)], check=True)
    count = probe(target).frames or 0
    for model in old.model.glob("*.dfm"):
        shutil.copy(model, new.model)
    databases = old.side("dst").database, new.side("dst").database
    with open_database(databases[0]) as before, open_database(databases[1], create=True) as after:
        extraction.write_settings(after, extraction.read_settings(before))
        for face in faces.faces(before):
            if face.landmarks is not None and (frame_number(face.frame) or 0) <= count:
                moved = replace(face, landmarks=face.landmarks * scale, box=face.box * scale)
                faces.add(after, [(FrameRow(face.frame), [FaceRow(moved)])])
    return count


def measured(workspace: Workspace, *arguments: str) -> dict[str, float]:
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, *arguments],
        cwd=ROOT,
        env=os.environ | {"WORKSPACE": str(workspace.root)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    own, others = map(int, done.stderr.split("peak ")[-1].split()[:2])
    return {"seconds": round(time.monotonic() - started, 1), "megabytes": (own + others) // 1024}


def film_of(workspace: Workspace) -> dict[str, float]:
    """A film of the merged pictures, by the usual program."""
    pictures = workspace.side("dst").frames / "merged/%05d.png"
    started = time.monotonic()
    command = [
        find_ffmpeg(),
        "-v",
        "error",
        "-y",
        "-i",
        str(pictures),
        "-c:v",
        "libx264",
        "-crf",
        "16",
        "-preset",
        "medium",
    ]
    subprocess.run([*command, "-pix_fmt", "yuv420p", str(workspace.root / "folders.mp4")], check=True)
    return {"seconds": round(time.monotonic() - started, 1)}


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 8.0)
