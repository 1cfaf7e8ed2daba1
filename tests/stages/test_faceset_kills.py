"""kill -9 at every step of packing, resizing and masking: nothing is lost, and running again completes it."""

import multiprocessing
import os
import shutil
import signal
from pathlib import Path

import facekit
import pytest

from core.errors import InputError
from core.faceset import journal, packing, store
from core.faceset.database.masks import MaskTable
from core.faceset.journal import Move
from core.formats import pak_writer
from core.formats.pak import PakReader
from core.stages.faceset import pack, recover_names, resize_faceset
from core.stages.masks import mask
from core.workspace import Workspace

FORK = multiprocessing.get_context("fork")
STEPS = (
    (pak_writer, "_take"),
    (pak_writer, "_put"),
    (pak_writer, "_settle"),
    (pak_writer, "_write_head"),
    (pak_writer, "_check_head"),
    (pak_writer, "_check"),
    (MaskTable, "add"),
    (MaskTable, "settle"),
    (packing.fsio, "keep_in_trash"),
    (os, "replace"),
    (os, "rename"),
    (shutil, "move"),
)


def run(stage, ws, **options):
    return stage.run(stage.Options(side="src", **options), ws)


def _run_until(step: int, stage, ws, options) -> None:
    """In a process of its own: dies just before the given step."""
    left = [step]

    def dying(original):
        def call(*args, **kwargs):
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*args, **kwargs)

        return call

    pak_writer._RUN = 1
    for owner, name in STEPS:
        setattr(owner, name, dying(getattr(owner, name)))
    run(stage, ws, **options)


def killed(step: int, stage, ws, **options) -> bool:
    """Run a stage, to be killed before the given step; whether it came that far."""
    process = FORK.Process(target=_run_until, args=(step, stage, ws, options))
    process.start()
    process.join(60)
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


def faces_of(pak: Path) -> list[bytes]:
    with PakReader(pak) as reader:
        return [reader.read(i) for i in range(len(reader))]


def test_pack(tmp_path):
    for step in range(100):
        ws = Workspace(tmp_path / str(step)).create()
        paths = facekit.write_faces(ws.side("src").aligned, 3)
        files = [path.read_bytes() for path in paths]
        going = killed(step, pack, ws, remove_originals=True)
        left = faces_of(ws.side("src").pak) if ws.side("src").pak.exists() else [path.read_bytes() for path in paths]
        assert left == files
        if not going:
            break
        if not ws.side("src").pak.exists():
            run(pack, ws)
        assert faces_of(ws.side("src").pak) == files
        assert not list(ws.side("src").aligned.glob(".*"))
    assert step > 8


def test_append_to_a_pak(tmp_path):
    """The old pak is in its place, whole, until the new one is; else appending again would start from nothing."""
    for step in range(100):
        ws = Workspace(tmp_path / str(step)).create()
        side = ws.side("src")
        facekit.write_faces(side.aligned, 2)
        run(pack, ws, remove_originals=True)
        first, old = faces_of(side.pak), side.pak.read_bytes()
        added = side.aligned / "00009_0.jpg"
        added.write_bytes(facekit.face(added.name, seed=9))
        going = killed(step, pack, ws, append=True)
        assert faces_of(side.pak) in (first, [*first, added.read_bytes()])
        run(pack, ws, append=True)
        assert faces_of(side.pak) == [*first, added.read_bytes()]
        assert old in [path.read_bytes() for path in ws.trash.iterdir()]
        if not going:
            break
    assert step > 8


@pytest.mark.parametrize("in_place", [False, True])
def test_resize(tmp_path, in_place):
    whole = Workspace(tmp_path / "whole").create()
    facekit.write_faces(whole.side("src").aligned, 3)
    run(resize_faceset, whole, size=128)
    wanted = {path.name: path.read_bytes() for path in (whole.side("src").frames / "aligned_resized").iterdir()}
    for step in range(100):
        ws = Workspace(tmp_path / str(step)).create()
        side = ws.side("src")
        files = {path.name: path.read_bytes() for path in facekit.write_faces(side.aligned, 3)}
        going = killed(step, resize_faceset, ws, size=128, in_place=in_place)
        there = [path.read_bytes() for path in tmp_path.glob(f"{step}/**/*.jpg")] + [
            path.read_bytes() for path in ws.trash.rglob("*.jpg")
        ]
        assert set(files.values()) <= set(there)
        if going:
            run(resize_faceset, ws, size=128, in_place=in_place)
        target = side.aligned if in_place else side.frames / "aligned_resized"
        assert {path.name: path.read_bytes() for path in target.iterdir()} == wanted
        if not going:
            break
    assert step >= 3


@pytest.mark.parametrize("packed", [False, True])
def test_masks(tmp_path, packed):
    def workspace(name) -> Workspace:
        ws = Workspace(tmp_path / name).create()
        facekit.write_faces(ws.side("src").aligned, 3)
        if packed:
            run(pack, ws, remove_originals=True)
        return ws

    def faces(ws) -> list[bytes]:
        return (
            faces_of(ws.side("src").pak)
            if packed
            else [path.read_bytes() for path in sorted(ws.side("src").aligned.glob("*.jpg"))]
        )

    whole = workspace("whole")
    before = faces(whole)
    run(mask, whole, masker="whole")
    after = faces(whole)
    for step in range(100):
        ws = workspace(str(step))
        going = killed(step, mask, ws, masker="whole")
        assert all(face in pair for face, pair in zip(faces(ws), zip(before, after, strict=True), strict=True))
        run(mask, ws, masker="whole")
        assert faces(ws) == after
        assert not list(ws.side("src").aligned.glob(".*"))
        if not going:
            break
    assert step >= 6
    assert all(one != other for one, other in zip(before, after, strict=True))


def test_what_an_interrupted_sort_left_is_put_in_order_first(tmp_path, monkeypatch):
    """Faces between two names are seen by no listing: training refuses, side tools finish the sort first."""
    ws = Workspace(tmp_path).create()
    side = ws.side("src")
    paths = facekit.write_faces(side.aligned, 3)
    monkeypatch.setattr(journal, "_arrive", lambda *_: (_ for _ in ()).throw(InterruptedError))
    with pytest.raises(InterruptedError):
        journal.begin(
            side.frames, "sort", [Move(f"aligned/{path.name}", f"aligned/{k}.jpg") for k, path in enumerate(paths[:2])]
        )
    monkeypatch.undo()
    with pytest.raises(InputError, match="interrupted"):
        store.open_faceset(side.aligned)
    run(pack, ws)
    with PakReader(side.pak) as reader:
        assert [record.name for record in reader] == ["0.jpg", "1.jpg", "00003_0.jpg"]
    assert dict(run(recover_names, ws).rows)["faces"] == 3
