"""A small workspace for the workbench, and its server in a thread."""

import json
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from portraits import person, write_face

from core import stages
from core.faceset.database import frames as frame_rows
from core.faceset.database.connection import open_database
from core.faceset.database.frames import FrameRow
from core.faceset.register import open_known
from core.formats import dfl_image
from core.imaging.codec import encode_jpeg, encode_png
from core.web.server import bound, new_server
from core.workbench.answers import MOST_BYTES
from core.workbench.app import new_keys, workbench_app
from core.workbench.bench import Bench
from core.workspace import Workspace

# What is planted among the target faces: a frame without a face, one with two, a blurred and an upside down face,
# another person, and a mask with a hand over the mouth.
FAULTS = {4: "blurred", 5: "upside down", 6: "obstructed"}
OTHER_PERSON, TWO_FACES, NO_FACE = 7, 8, 9
FRAMES = 12


def small_workspace(root: Path, *, trained: bool = True) -> Workspace:
    """Both sides with frames and faces, and what a training run leaves; made without networks."""
    workspace = Workspace(root).create()
    for name, which in (("src", 0), ("dst", 1)):
        side = workspace.side(name)
        picture = encode_png(person(which)[0])
        for number in range(1, FRAMES + 1):
            (side.frames / f"{number:05d}.png").write_bytes(picture)
            if name == "dst" and number == NO_FACE:
                continue
            other = 1 - which if name == "dst" and number == OTHER_PERSON else which
            fault = FAULTS.get(number, "clear") if name == "dst" else "clear"
            write_face(side.aligned, f"{number:05d}_0.jpg", other, number, 96, fault)
        if name == "dst":
            _second_face(side.aligned, TWO_FACES)
        with open_known(side):
            pass
        if name == "dst":
            with open_database(side.database) as connection, connection:
                source = frame_rows.add_source(connection)
                frame_rows.add_frame(connection, source, FrameRow(f"{NO_FACE:05d}.png"))
    if trained:
        training_files(workspace)
    return workspace


def _second_face(folder: Path, number: int) -> None:
    """Another face of a frame, further to the left."""
    path = write_face(folder, f"{number:05d}_1.jpg", 1, 99, 96)
    record = dfl_image.parse(path.read_bytes(), path.name)
    moved = {"source_filename": f"{number:05d}.png", "source_landmarks": record.source_landmarks - (120, 0)}
    dfl_image.write(path, path.read_bytes(), type(record)(**{**vars(record), **moved}))


def training_files(workspace: Workspace, model: str = "swap_SAEHD", iterations: int = 4000) -> None:
    """Losses that fall, held-out losses, previews and their history."""
    noise = np.random.default_rng(0).normal(0, 0.05, (iterations, 2))
    lines = []
    for number in range(1, iterations + 1):
        base = 0.15 + 1.2 * np.exp(-number / 900)
        line = {
            "model": model,
            "iter": number,
            "src_loss": round(base * (1 + noise[number - 1, 0]), 5),
            "dst_loss": round(1.15 * base * (1 + noise[number - 1, 1]), 5),
            "ms": 210.0,
            "wait_ms": 12.0,
        }
        if number % 500 == 0:
            line |= {"held_src": round(base * 1.08, 5), "held_dst": round(base * 1.3, 5)}
        lines.append(json.dumps(line))
    workspace.model.mkdir(parents=True, exist_ok=True)
    (workspace.model / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    history = workspace.model / "preview" / "history" / model
    history.mkdir(parents=True)
    for number in range(400, iterations + 1, 400):
        (history / f"{number:07d}.jpg").write_bytes(_preview(number, iterations))
    (workspace.model / "preview" / "latest.jpg").write_bytes(_preview(iterations, iterations))
    (workspace.model / f"{model}_data.dat").write_bytes(b"")
    phases = [{"until": 1500, "random_warp": True}, {"until": 3000, "random_warp": False}, {"gan_power": 0.1}]
    preset = {"name": "own", "description": "three phases", "options": {}, "phase": phases}
    state = {"schedule": {"preset": preset, "base": {}, "begun": 0}}
    (workspace.model / f"{model}_forge.json").write_text(json.dumps(state))


def _preview(number: int, iterations: int) -> bytes:
    faces = [cv2.resize(person(which)[0][60:300, 120:360], (128, 128)) for which in (0, 1)]
    blur = 0.5 + 8 * (1 - number / iterations)
    made = [np.asarray(cv2.GaussianBlur(face, (0, 0), blur), np.uint8) for face in faces]
    row = np.concatenate([faces[0], made[0], faces[1], made[1], made[0]], axis=1)
    return encode_jpeg(np.concatenate([row, row[:, ::-1]]))


@contextmanager
def served(workspace: Workspace, *, reserve: int = 0, only=stages, through=None):
    """(keys, bench) of a server that runs in a thread. through: a ``Tunnel`` that the browser has to take."""
    listening = bound(0)
    port = listening.getsockname()[1]
    if through is not None:
        through.target, port = port, through.port
    keys = new_keys(port)
    with Bench(workspace, only, reserve) as bench:
        server = new_server(workbench_app(bench, keys), most_bytes=MOST_BYTES, connections=64)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        wait_until(lambda: server.started)
        try:
            yield keys, bench
        finally:
            # Jobs outlive their server: a test that fails must not leave them behind.
            for job in bench.jobs.running():
                bench.jobs.stop(job.id, kill=True)
            server.should_exit = True
            thread.join(10)
            listening.close()


def wait_until(what, seconds: float = 60.0):
    """What ``what`` gives once it is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")
