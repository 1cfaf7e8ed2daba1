"""How good the demo is: how long it takes, the loss on fixed faces, and whom each face of its contact sheet is like.

usage: python benchmarks/demo.py [--workspace FOLDER]

It runs scripts/demo.sh, whose times include no installation if the environment is there, or looks at a FOLDER in which
that ran (it is copied, for looking opens the model). The result is in benchmarks/results/demo.json, by iterations:

loss: mean reconstruction loss (src, dst, sum) of 32 faces of each side, neither moved nor warped, chosen by hashes;
    the demo trains on them, so this is how well the same faces are rebuilt, whatever the batches were.
sheet: likeness of each swapped face of the contact sheet to the mean of the source's faces and to that of the target's,
    by the packaged face network; a swap is nearer to the source where the first is larger.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "demo.json"
FIXED, ROWS, REFERENCES = 32, 6, 96
sys.path[:0] = [str(ROOT)]

import numpy as np  # noqa: E402

from core.checkpoints.selection import choose  # noqa: E402
from core.faces.embedders import sface  # noqa: E402
from core.faceset.store import open_faceset  # noqa: E402
from core.inference.sessions import CPU_ONLY  # noqa: E402
from core.jobs.merge.model import open_swapper  # noqa: E402
from core.quality.faces import read_faces, spread  # noqa: E402
from core.quality.swap import Judged, merged, swap_faces  # noqa: E402
from core.training.choices import Choices  # noqa: E402
from core.training.hooks.validation import Validation  # noqa: E402
from core.training.sources.facesets import batch_settings  # noqa: E402
from core.training.start import open_session  # noqa: E402
from core.workspace import Workspace  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--workspace", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="demo.") as folder:
        root = Path(folder) / "workspace"
        took = {}
        if given.workspace:
            shutil.copytree(given.workspace, root)
        else:
            took = run_demo(root)
        workspace = Workspace(root)
        made = took | {"loss": fixed_loss(workspace), "sheet": sheet(workspace)}
    rows = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    rows[f"{made['loss']['iteration']} iterations"] = made
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
    print(json.dumps(made, indent=1))


def run_demo(root: Path) -> dict:
    before, started = os.times(), time.perf_counter()
    environment = {**os.environ, "DEMO_WORKSPACE": str(root)}
    subprocess.run(["bash", str(ROOT / "scripts" / "demo.sh")], check=True, env=environment)
    wall, after = time.perf_counter() - started, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {"wall_s": round(wall), "cpu_s": round(cpu), "cores": os.cpu_count(), "load": round(os.getloadavg()[1], 1)}


def fixed_loss(workspace: Workspace) -> dict:
    session = open_session(choose(workspace.model), Choices(validation_count=FIXED), workspace.assets)
    batch_settings(session, workspace)
    session.validation_losses.clear()
    Validation(1).validate(session)
    iteration, src, dst = session.validation_losses[-1]
    return {"iteration": iteration, "src": round(src, 3), "dst": round(dst, 3), "sum": round(src + dst, 3)}


def sheet(workspace: Workspace) -> dict:
    ours, theirs = (open_faceset(workspace.side(name).aligned) for name in ("src", "dst"))
    source, target = (mean_identity(faces) for faces in (ours, theirs))
    faces = read_faces(theirs, spread(len(theirs), ROWS))[0]
    [path] = workspace.model.glob("*.dfm")
    swapper = open_swapper(workspace, path, None, CPU_ONLY)
    model = Judged(swapper.dfm, swapper.face_type)
    pairs = zip(faces, swap_faces(model, faces), strict=True)
    swaps = [sface.create().embed(merged(model, face, made).image, face.landmarks) for face, made in pairs]
    rows = [{"source": round(float(x @ source), 3), "target": round(float(x @ target), 3)} for x in swaps]
    nearer = sum(row["source"] > row["target"] for row in rows)
    return {"faces": rows, "nearer to the source": nearer, "of": len(rows)}


def mean_identity(faces) -> np.ndarray:
    embed = sface.create().embed
    found = [embed(face.image, face.landmarks) for face in read_faces(faces, spread(len(faces), REFERENCES))[0]]
    mean = np.mean(found, axis=0)
    return mean / np.linalg.norm(mean)


if __name__ == "__main__":
    main()
