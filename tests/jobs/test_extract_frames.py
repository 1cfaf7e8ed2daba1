"""Extracting frames: what is written, what is refused, what survives being killed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from clips import make_clip, pattern, stand_in

from core.errors import CorruptFileError, DiskFullError, EnvironmentFault, InputError, Interrupted
from core.jobs import extract_frames as job
from core.jobs.extract_frames import ExtractedFrames, extract_frames
from core.jobs.frame_receipt import RECEIPT, Receipt, read_receipt
from core.progress import Listener, reporting_to
from core.video import program
from core.video.selection import Selection
from core.workspace import PROJECT, Workspace, list_images

EVERY_FRAME = Selection()


def film(path, seconds=1, size="64x48"):
    make_clip(path, *pattern(seconds, size), "-movflags", "+faststart")


@pytest.fixture
def workspace(tmp_path, any_ffmpeg):
    root = tmp_path / "mein wörk space"
    root.mkdir()
    return Workspace(root)


@pytest.fixture
def filmed(workspace):
    film(workspace.root / "data_src.mp4")
    return workspace


def run(workspace, selection=EVERY_FRAME, image_format="png", **how):
    return extract_frames(workspace, "src", selection, image_format, **how)


def names(workspace):
    return [path.name for path in list_images(workspace.side("src").frames)]


def test_every_frame_becomes_an_image_and_a_second_run_does_nothing(filmed):
    result = run(filmed)
    assert names(filmed) == [f"{i:05d}.png" for i in range(1, 11)]
    assert (result.count, result.first, result.last, result.made) == (10, "00001.png", "00010.png", True)
    assert (result.receipt.expected, result.receipt.complaints) == (10, 0)
    assert (result.replaced, result.faces_outdated) == (0, False)
    assert result.estimate.frames == 10 and 0 < result.estimate.needed < result.estimate.free
    before = {path.name: path.stat().st_mtime_ns for path in list_images(filmed.side("src").frames)}
    again = run(filmed)
    assert again == ExtractedFrames(10, "00001.png", "00010.png", made=False, receipt=result.receipt)
    assert {path.name: path.stat().st_mtime_ns for path in list_images(filmed.side("src").frames)} == before


def test_the_receipt_says_where_the_frames_come_from(filmed):
    assert read_receipt(filmed.side("src").frames) is None
    run(filmed, Selection(fps=5), "jpg")
    receipt = read_receipt(filmed.side("src").frames)
    assert receipt.video["name"] == "data_src.mp4" and receipt.count == 5 and not receipt.replaces
    assert receipt.options == {"format": "jpg", "fps": 5, "start": None, "end": None}
    assert receipt.source == {"video": receipt.video, "options": receipt.options}
    assert Receipt().source == {"video": None, "options": None}


def test_receipts_of_the_previous_release_and_damaged_ones(filmed):
    run(filmed)
    side = filmed.side("src")
    receipt = json.loads((side.frames / RECEIPT).read_text())
    old = {"video": receipt["video"], "options": receipt["options"], "count": 10, "warnings": [], "replaces": False}
    (side.frames / RECEIPT).write_text(json.dumps(old))
    assert read_receipt(side.frames).source == {"video": receipt["video"], "options": receipt["options"]}
    assert not run(filmed).foreign
    for damaged in (b"{", b"\xff\xfe", b"[]"):
        (side.frames / RECEIPT).write_bytes(damaged)
        assert read_receipt(side.frames) is None and run(filmed).foreign


def test_other_options_are_refused_and_overwrite_keeps_the_old_frames_in_the_trash(filmed):
    run(filmed)
    with pytest.raises(InputError, match="other options") as caught:
        run(filmed, Selection(fps=5))
    assert "--overwrite" in caught.value.hint
    result = run(filmed, Selection(fps=5), "jpg", overwrite=True)
    assert names(filmed) == [f"{i:05d}.jpg" for i in range(1, 6)]
    assert result.replaced == 10 and not result.faces_outdated
    (old,) = filmed.trash.iterdir()
    assert len(list_images(old)) == 10


def test_faces_of_replaced_frames_are_outdated(filmed):
    run(filmed)
    filmed.side("src").database.touch()
    assert run(filmed, overwrite=True).faces_outdated


def test_another_video_is_noticed(filmed):
    run(filmed)
    film(filmed.root / "data_src.mp4", seconds=2)
    with pytest.raises(InputError, match="another video"):
        run(filmed)


def test_no_video_several_videos_and_frames_without_a_video(workspace):
    with pytest.raises(InputError, match="no video"):
        run(workspace)
    film(workspace.root / "data_src.mp4")
    shutil.copy(workspace.root / "data_src.mp4", workspace.root / "data_src.mov")
    with pytest.raises(InputError, match="more than one video") as caught:
        run(workspace)
    assert "data_src.mov" in caught.value.why
    (workspace.root / "data_src.mov").unlink()
    run(workspace)
    (workspace.root / "data_src.mp4").unlink()
    assert not run(workspace).made


def test_a_persons_own_images_are_never_touched(filmed):
    folder = filmed.side("src").frames
    folder.mkdir()
    (folder / "mine.png").write_bytes(b"mine")
    assert run(filmed) == ExtractedFrames(1, "mine.png", "mine.png", made=False, foreign=True)
    assert names(filmed) == ["mine.png"] and (folder / "mine.png").read_bytes() == b"mine"


def test_a_truncated_video_warns_and_one_without_a_frame_fails(filmed):
    video = filmed.root / "data_src.mp4"
    film(video, seconds=3, size="320x240")
    video.write_bytes(video.read_bytes()[: int(video.stat().st_size * 0.7)])
    result = run(filmed)
    assert 0 < result.count == len(names(filmed)) < result.receipt.expected == 30
    assert result.receipt.complaints > 0 and result.receipt.last_complaint
    assert run(filmed).receipt == result.receipt  # it is not forgotten
    shutil.rmtree(filmed.side("src").frames)
    video.write_text("I am a letter")
    with pytest.raises(CorruptFileError):
        run(filmed)


def test_too_little_space_is_noticed_before_anything_is_written(filmed, monkeypatch):
    nearly_full = shutil._ntuple_diskusage(10**9, 10**9 - 1000, 1000)
    monkeypatch.setattr(job.shutil, "disk_usage", lambda folder: nearly_full)
    with pytest.raises(DiskFullError, match="not enough free space"):
        run(filmed)
    assert names(filmed) == [] and not list(filmed.side("src").frames.glob(".frames.*"))


def test_a_failing_run_leaves_old_frames_in_place(filmed):
    run(filmed)
    (filmed.root / "data_src.mp4").write_bytes(b"broken")
    with pytest.raises(CorruptFileError):
        run(filmed, overwrite=True)
    assert len(names(filmed)) == 10


def test_a_start_after_the_end_of_the_video(filmed):
    with pytest.raises(InputError, match="after the end"):
        run(filmed, Selection(start=60))


def test_who_listens_may_cancel_and_nothing_is_left(filmed):
    class Canceller(Listener):
        def update(self, task):
            raise Interrupted("enough")

    with reporting_to(Canceller()), pytest.raises(Interrupted):
        run(filmed)
    assert list(filmed.side("src").frames.iterdir()) == [filmed.side("src").aligned]


def test_a_publish_that_was_killed_is_completed(filmed):
    run(filmed)
    side = filmed.side("src")
    staging = side.frames / ".frames.abc.partial"
    staging.mkdir()
    receipt = read_receipt(side.frames)
    (side.frames / RECEIPT).rename(staging / RECEIPT)
    for path in list_images(side.frames)[4:]:
        path.rename(staging / path.name)
    assert run(filmed).made
    assert len(names(filmed)) == 10 and not staging.exists()
    assert read_receipt(side.frames) == receipt


def test_a_run_killed_while_replacing_loses_nothing(filmed, monkeypatch):
    run(filmed)
    monkeypatch.setattr(job, "_publish", lambda side, staging: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(filmed, Selection(fps=5), overwrite=True)
    monkeypatch.undo()
    assert names(filmed) == []
    run(filmed, Selection(fps=5))
    assert len(names(filmed)) == 5 and len(list_images(next(filmed.trash.iterdir()))) == 10


def test_an_ffmpeg_that_is_killed_publishes_nothing_and_the_next_run_begins_again(filmed, tmp_path, monkeypatch):
    die = 'case "$*" in *passthrough*) "$REAL" "$@"; rm 00010.png; kill -9 $$;; *) exec "$REAL" "$@";; esac'
    with monkeypatch.context() as patch:
        patch.setenv("PATH", stand_in(tmp_path / "bin", die))
        program.forget()
        with pytest.raises(EnvironmentFault, match="of about 10 frames") as caught:
            run(filmed)
    program.forget()
    assert "SIGKILL" in caught.value.why and names(filmed) == []
    assert not list(filmed.side("src").frames.glob(".frames*"))
    assert run(filmed).count == 10


def test_the_same_in_a_folder_whose_name_is_no_utf8(filmed, tmp_path):
    odd = tmp_path / os.fsdecode(b"caf\xe9")
    filmed.root.rename(odd)
    assert run(Workspace(odd)).count == 10


def test_kill_9_while_decoding_then_again(filmed):
    film(filmed.root / "data_src.mp4", seconds=12, size="320x240")
    environment = os.environ | {"WORKSPACE": str(filmed.root)}
    process = subprocess.Popen(
        [sys.executable, "-m", "core", "frames", "src"],
        env=environment,
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while (
        not list(filmed.side("src").frames.glob(".frames.*/00003.png"))
        and process.poll() is None
        and time.monotonic() < deadline
    ):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert names(filmed) == []
    run(filmed)
    assert names(filmed) == [f"{i:05d}.png" for i in range(1, 121)]
