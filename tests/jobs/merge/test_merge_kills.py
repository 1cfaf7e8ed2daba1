"""kill -9 at twenty moments spread over a run: the next run ends in the bytes of one that nobody killed."""

import hashlib
import multiprocessing
import random
import signal
import time

import pytest
from films import UNEVEN, make_film
from found_faces import SETTINGS, face_at
from merge_killed import CHOICES, counting
from tiny_dfm import write_dfm

from core.faceset.database import extraction, faces
from core.faceset.database.connection import open_database
from core.faceset.database.faces import FaceRow
from core.faceset.database.frames import FrameRow
from core.jobs.merge.merge import merge
from core.workspace import Workspace

KILLS = 20
PATIENCE = 120.0


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Twelve frames in parts of three, with sound and a face in each, which is calmed over its neighbours."""
    made = Workspace(tmp_path_factory.mktemp("kills") / "w").create()
    make_film(made.root / "data_dst.mp4", times=UNEVEN, size=(324, 202), sounds=[("aac", "mono")])
    write_dfm(made.model / "swap_SAEHD_model.dfm", inverts=True)
    names = [f"{number:05d}.png" for number in range(1, 13)]
    with open_database(made.side("dst").database, create=True) as connection:
        extraction.write_settings(connection, SETTINGS | {"source": {}, "from_video": True})
        faces.add(connection, [(FrameRow(name), [FaceRow(face_at(name, 110 + k))]) for k, name in enumerate(names)])
    return made


def contents(workspace) -> dict[str, str]:
    """What a person sees in the workspace: digests by name."""
    files = (path for path in workspace.root.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {
        path.relative_to(workspace.root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


def begun(workspace, left) -> multiprocessing.Process:
    # By a server: a fork of this process would inherit OpenCV's pool of threads without the threads.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["merge_killed"])
    process = context.Process(target=counting, args=(workspace, left))
    process.start()
    return process


@pytest.fixture(scope="module")
def unbroken(workspace):
    """(what a whole run leaves, how many calls it makes, seconds)."""
    start = time.monotonic()
    process = begun(workspace, -1)
    process.join(PATIENCE)
    assert process.exitcode == 0
    calls = int((workspace.root / ".calls").read_text())
    return contents(workspace), calls, time.monotonic() - start


@pytest.mark.parametrize("kill", range(KILLS))
def test_the_bytes_are_those_of_a_run_that_nobody_killed(workspace, unbroken, kill):
    wanted, calls, seconds = unbroken
    (workspace.root / "result.mp4").unlink()
    # One half at calls spread over the run, the other at times spread over it; each at random in its share.
    share = (kill // 2 + random.Random(kill).random()) / (KILLS / 2)
    if kill % 2:
        process = begun(workspace, -1)
        time.sleep(share * seconds)
        process.kill()
    else:
        process = begun(workspace, 1 + int(share * calls))
    process.join(PATIENCE)
    assert process.exitcode == -signal.SIGKILL or kill % 2
    assert contents(workspace).get("result.mp4") in (None, wanted["result.mp4"]), "whole or not at all"
    merge(workspace, "dst", CHOICES)
    assert contents(workspace) == wanted
    left = {path.name for path in workspace.root.iterdir() if path.name.startswith(".")}
    assert left == {".calls", ".forge-workspace", ".locks", ".logs"} & left, "no parts, nothing half written"
