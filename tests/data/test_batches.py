"""Batches: shapes, determinism, workers that agree with one process, bad faces, dead workers, no framework."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from paths import ROOT
from training_cases import make_faceset

from core.data import workers as ring
from core.data.batches import BatchMaker, BatchSettings, bins_by_yaw
from core.data.faces import as_floats
from core.data.workers import open_batches
from core.errors import EnvironmentFault, InputError
from core.faceset.store import open_faceset
from core.geometry.align import FaceType

ARRAYS = ("warped", "target", "mask", "eyes_mouth")


@pytest.fixture
def settings(tmp_path):
    src = open_faceset(make_faceset(tmp_path / "src", 5, (90, 120, 200)))
    dst = open_faceset(make_faceset(tmp_path / "dst", 4, (160, 150, 120)))
    return BatchSettings(src, dst, 64, FaceType.WHOLE_FACE, 3, seed=11)


def same(a, b):
    return all((getattr(a, name) == getattr(b, name)).all() for name in ARRAYS)


def test_shapes_ranges_and_sides(settings):
    batch = BatchMaker(settings).make(0)
    assert batch.warped.shape == batch.target.shape == (
        2,
        3,
        64,
        64,
        3,
    ) and batch.mask.shape == batch.eyes_mouth.shape == (2, 3, 64, 64, 1)
    for name in ARRAYS:
        array = getattr(batch, name)
        assert array.dtype == np.uint8 and array.max() > 127
    exact = BatchMaker(replace(settings, exact=True)).make(0)
    assert exact.target.dtype == np.float32 and exact.target.max() <= 1
    target, mask = as_floats(batch.target), as_floats(batch.mask)
    red = [(target[side, ..., 2] * mask[side, ..., 0]).sum() / mask[side].sum() for side in (0, 1)]
    assert red[0] > red[1] + 0.1  # src faces are redder than dst faces
    assert not same(batch, BatchMaker(settings).make(1))


def test_a_batch_depends_on_seed_and_number_only(settings):
    one, other = BatchMaker(settings), BatchMaker(replace(settings, cache_bytes=10**9))
    for number in (5, 0, 5, 3):
        assert same(one.make(number), other.make(number))
    assert not same(one.make(0), BatchMaker(replace(settings, seed=12)).make(0))


def test_without_warp_input_and_target_are_equal(settings):
    batch = BatchMaker(replace(settings, random_warp=False)).make(0)
    assert (batch.warped == batch.target).all()
    hsv = BatchMaker(replace(settings, random_warp=False, hsv_power=0.3)).make(0)
    assert (hsv.warped[1] == hsv.target[1]).all() and not (hsv.warped[0] == hsv.target[0]).all()
    assert (hsv.target == batch.target).all()


def test_colour_transfer_changes_src_only_and_input_and_target_alike(settings):
    plain, coloured = (
        BatchMaker(replace(settings, random_warp=False, ct_mode=mode)).make(0) for mode in ("none", "sot")
    )
    assert (coloured.target[1] == plain.target[1]).all()
    assert not (coloured.target[0] == plain.target[0]).all()
    assert (coloured.target == coloured.warped).all()


def test_uniform_yaw_uses_the_bins(settings):
    bins = (np.array([2]),)
    batch = BatchMaker(replace(settings, src_bins=bins, random_warp=False)).make(0)
    means = batch.target[0].mean((1, 2, 3))
    assert np.ptp(means) < 0.05 * 255  # one face only, moved
    for exact in (False, True):
        bins = bins_by_yaw(settings.src.records(), exact=exact)
        assert sorted(int(i) for group in bins for i in group) == list(range(5))


def test_a_bad_face_is_skipped_and_named_and_all_bad_is_an_error(settings):
    path = settings.src.path(1)
    path.write_bytes(path.read_bytes()[:-200])
    maker = BatchMaker(settings)
    skipped = [name for number in range(4) for name in maker.make(number).skipped]
    assert skipped and all("00001_0.jpg" in name for name in skipped)
    for index in range(5):
        settings.src.path(index).write_bytes(b"\xff\xd8 no picture")
    with pytest.raises(InputError, match="none of the faces"):
        BatchMaker(settings).make(0)


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_any_number_of_workers_makes_the_same_batches(settings, workers):
    expected = BatchMaker(settings)
    with open_batches(settings, 4, workers) as batches:
        for number in range(4, 12):
            batch = next(batches)
            assert batch.iteration == number
            assert same(batch, expected.make(number))


def test_workers_hand_on_how_samples_are_to_be_moved(settings):
    settings = replace(settings, moved=False)
    expected = BatchMaker(settings)
    with open_batches(settings, 0, 2) as batches:
        for number in range(4):
            batch, wanted = next(batches), expected.make(number)
            assert same(batch, wanted) and (batch.motion == wanted.motion).all()
    assert batch.motion.dtype == np.float32 and len(np.unique(batch.motion[..., 0])) == 6
    assert BatchMaker(replace(settings, moved=True)).make(0).motion is None


@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_that_is_killed_is_started_again(settings, workers):
    """The batches are those of a run in which nothing happened."""
    expected = BatchMaker(settings)
    with open_batches(settings, 0, workers) as batches:
        for number in range(8):
            if number == 2:
                os.kill(multiprocessing.active_children()[0].pid, signal.SIGKILL)
            assert same(next(batches), expected.make(number))


def test_a_worker_killed_while_it_fills_the_cache_leaves_no_half_face(settings):
    expected = BatchMaker(settings)
    with open_batches(replace(settings, cache_bytes=10**9), 0, 2) as batches:
        for number in range(12):
            # At the third moment there may be nobody left: a worker is replaced when its batch is asked for.
            if number in (1, 3, 4) and (alive := multiprocessing.active_children()):
                os.kill(alive[0].pid, signal.SIGKILL)
            assert same(next(batches), expected.make(number))


def test_there_become_more_workers_while_batches_are_late(settings, monkeypatch):
    """However many there are, batches are the same and in order."""
    monkeypatch.setattr(ring, "_WATCHED", 3)
    monkeypatch.setattr(ring, "_LATE", -1)  # as if every one were
    expected = BatchMaker(settings)
    with open_batches(settings, 0, 1, 3) as batches:
        deadline, number = time.monotonic() + 60, 0
        while len(multiprocessing.active_children()) < 3 and time.monotonic() < deadline:
            assert same(next(batches), expected.make(number))
            number += 1
        assert len(multiprocessing.active_children()) == 3
        for more in range(number, number + 12):
            assert same(next(batches), expected.make(more))
        assert len(multiprocessing.active_children()) == 3
    assert not multiprocessing.active_children()


def test_as_many_workers_stay_where_batches_are_ready(settings, monkeypatch):
    monkeypatch.setattr(ring, "_WATCHED", 3)
    monkeypatch.setattr(ring, "_LATE", 10**6)
    with open_batches(settings, 0, 1, 3) as batches:
        for _ in range(12):
            next(batches)
        assert len(multiprocessing.active_children()) == 1


def test_workers_that_die_again_and_again_are_an_error_not_a_hang(settings):
    with open_batches(settings, 0, 1) as batches:
        next(batches)
        with pytest.raises(EnvironmentFault, match="died") as caught:
            for _ in range(100):
                for child in multiprocessing.active_children():
                    os.kill(child.pid, signal.SIGKILL)
                next(batches)
    assert "--workers" in caught.value.hint


def test_an_error_in_a_worker_arrives_here(settings):
    for index in range(5):
        settings.src.path(index).write_bytes(b"nothing")
    with open_batches(settings, 0, 1) as batches, pytest.raises(InputError, match="none of the faces"):
        next(batches)


def test_workers_end_when_their_parent_is_killed(settings, tmp_path):
    program = tmp_path / "parent.py"
    program.write_text(f"""
import multiprocessing, sys, time
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from core.data.batches import BatchSettings
from core.data.workers import open_batches
from core.faceset.store import open_faceset
from core.geometry.align import FaceType
if __name__ == "__main__":
    src, dst = (open_faceset(Path({str(tmp_path)!r}) / side) for side in ("src", "dst"))
    with open_batches(BatchSettings(src, dst, 64, FaceType.WHOLE_FACE, 2), 0, 2) as batches:
        next(batches)
        print(*(p.pid for p in multiprocessing.active_children()), flush=True)
        time.sleep(60)
""")
    with subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, text=True) as parent:
        pids = [int(word) for word in parent.stdout.readline().split()]
        parent.kill()
    assert len(pids) == 2
    deadline = time.monotonic() + 20
    while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(alive(pid) for pid in pids)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stream:
            return stream.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_no_framework_is_imported():
    frameworks = {"tensorflow", "keras", "jax", "torch"}
    code = f"import sys, core.data.workers, core.data.batches; print(sorted({frameworks} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout.strip() == "[]"
