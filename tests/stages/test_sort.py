"""The sort stage as a person runs it."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest
from portraits import snapshot, write_face, write_set

from core.errors import InputError, UsageError
from core.faceset.sorting.methods import METHODS
from core.options import parse
from core.stages.faceset import sort
from core.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    write_set(tmp_path / "data_src/aligned", 10)
    return Workspace(tmp_path)


def run(workspace, *arguments):
    return sort.run(parse(sort.Options, "sort", ["src", *arguments]), workspace)


@pytest.mark.parametrize("method", [method.name for method in METHODS])
def test_undo_after_every_method_restores_the_folder(workspace, method):
    before = snapshot(workspace.side("src").aligned)
    run(workspace, "--by", method, "--count", "4")
    after = snapshot(workspace.side("src").aligned)
    assert sorted([*after.values(), *trash_of(workspace).values()]) == sorted(before.values())
    if after != before:
        run(workspace, "--undo")
    assert snapshot(workspace.side("src").aligned) == before and not trash_of(workspace)


def trash_of(workspace) -> dict[str, bytes]:
    trash = workspace.side("src").aligned_trash
    return {name: data for name, data in snapshot(trash).items() if name != "trash.jsonl"} if trash.exists() else {}


def test_dry_run_shows_and_renames_nothing(workspace):
    before = snapshot(workspace.side("src").aligned)
    report = run(workspace, "--by", "blur", "--dry-run")
    assert snapshot(workspace.side("src").aligned) == before
    listing, sheet = report.outputs
    faces = json.loads(listing.read_text())["faces"]
    assert [f["score"] for f in faces] == sorted((f["score"] for f in faces), reverse=True) and len(faces) == 10
    assert sheet.read_bytes()[:2] == b"\xff\xd8"


def test_the_order_is_the_one_on_disk(workspace):
    listing = json.loads(run(workspace, "--by", "2", "--dry-run").outputs[0].read_text())
    before = snapshot(workspace.side("src").aligned)
    run(workspace, "--by", "2")
    after = snapshot(workspace.side("src").aligned)
    assert [after[name] for name in sorted(after)] == [before[face["name"]] for face in listing["faces"]]


def test_trash_is_never_emptied_and_comes_back(workspace):
    run(workspace, "--by", "oneface")
    run(workspace, "--by", "best", "--count", "3")
    assert len(trash_of(workspace)) == 7
    report = run(workspace, "--restore", "--reason", "several faces")
    assert dict(report.rows)["faces"] == 2 and len(trash_of(workspace)) == 5
    run(workspace, "--restore")
    assert not trash_of(workspace) and len(snapshot(workspace.side("src").aligned)) == 10


def test_clean_reports_first_and_moves_when_asked(workspace):
    folder = workspace.side("src").aligned
    for seed in range(20, 26):
        write_face(folder, f"{seed:05d}_0.jpg", seed=seed)
    write_face(folder, "other.jpg", which=1, seed=3)
    write_face(folder, "dark.jpg", seed=40, fault="dark")
    before = snapshot(folder)
    report = run(workspace, "--by", "clean")
    assert snapshot(folder) == before and report.outputs[0].name == "clean.html"
    assert dict(report.rows)["masks"] == f"{len(before)} hull"
    run(workspace, "--by", "clean", "--apply", "--reason", "dark")
    assert set(before) - set(snapshot(folder)) == {"dark.jpg"}
    run(workspace, "--by", "clean", "--apply")
    assert "other.jpg" in trash_of(workspace) and "00001_0.jpg" in snapshot(folder)
    run(workspace, "--undo")
    run(workspace, "--undo")
    assert snapshot(folder) == before


def test_groups_never_lose_a_face(workspace):
    folder = workspace.side("src").aligned
    before = snapshot(folder)
    run(workspace, "--group", "yaw")
    assert snapshot(folder) == before
    run(workspace, "--group", "brightness", "--bins", "3", "--apply")
    groups = folder.parent / "aligned_groups"
    assert sorted(p.read_bytes() for p in groups.rglob("*.jpg")) == sorted(before.values())
    write_face(folder, "00002_0.jpg", seed=70)  # a new face with a name that a bin already has
    write_face(folder, "00003_0.jpg", seed=71, fault="dark")
    run(workspace, "--group", "brightness", "--bins", "1", "--apply")
    assert len(list(groups.rglob("*.jpg"))) == 12
    run(workspace, "--undo")
    for name in ("00002_0.jpg", "00003_0.jpg"):
        (folder / name).unlink()
    run(workspace, "--undo")
    assert snapshot(folder) == before and not list(groups.glob("*"))


def test_mistakes_are_explained(workspace, tmp_path):
    with pytest.raises(UsageError, match="unknown sort method"):
        run(workspace, "--by", "beauty")
    with pytest.raises(UsageError, match="no score to group by"):
        run(workspace, "--group", "hist")
    with pytest.raises(UsageError, match="choose one"):
        run(workspace, "--undo", "--restore")
    with pytest.raises(UsageError, match="no verdict"):
        run(workspace, "--by", "clean", "--reason", "blured")
    with pytest.raises(InputError, match="nothing to undo"):
        run(workspace, "--undo")
    with pytest.raises(InputError, match="no faces"):
        run(Workspace(tmp_path / "empty"), "--by", "blur")
    assert "5 hist" in str(run(workspace, "--by", "list"))


def test_help_is_quick_and_imports_little():
    code = "import sys, core.stages.faceset.sort; assert not {'cv2', 'h5py', 'scipy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


SORT_FOR_EVER = """
import sys
from pathlib import Path
from core.faceset import journal
from core.faceset.journal import Move
from core.faceset.sorting.order import numbered
side = Path(sys.argv[1])
print("go", flush=True)
while True:
    journal.finish(side)
    names = sorted((p.name for p in (side / "aligned").glob("[!.]*.jpg")), reverse=True)
    journal.begin(side, "sort", [Move(f"aligned/{a}", f"aligned/{b}") for a, b in zip(names, numbered(names))])
"""


def test_kill_at_random_moments_loses_nothing(workspace):
    """SIGKILL during a sort, many times over; then one sort to the end and undo back to the beginning."""
    folder = workspace.side("src").aligned
    write_set(folder, 14)
    before = snapshot(folder)
    rng = random.Random(4)
    for _ in range(5):
        process = subprocess.Popen([sys.executable, "-c", SORT_FOR_EVER, str(folder.parent)], stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"go\n"
        time.sleep(rng.uniform(0.01, 0.12))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        everything = [p.read_bytes() for p in folder.iterdir()]
        assert sorted(everything) == sorted(before.values())
    run(workspace, "--by", "yaw")
    while any((folder.parent / "aligned_history").glob("[0-9]*.json")):
        run(workspace, "--undo")
    assert snapshot(folder) == before
