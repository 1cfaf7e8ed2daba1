"""The frames stage: what is written, what is refused, what survives being killed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from clips import make_clip, pattern

from core.errors import CorruptFileError, DiskFullError, InputError, UsageError
from core.options import parse
from core.stages import frames
from core.workspace import PROJECT, Workspace, list_images


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


def run(workspace, *flags):
    return frames.run(parse(frames.Options, "frames", ["src", *flags]), workspace)


def names(workspace):
    return [path.name for path in list_images(workspace.side("src").frames)]


def test_every_frame_becomes_a_picture_and_a_second_run_does_nothing(filmed):
    report = run(filmed)
    assert names(filmed) == [f"{i:05d}.png" for i in range(1, 11)]
    assert ("frames", 10) in report.rows and report.warnings == ()
    before = {path.name: path.stat().st_mtime_ns for path in list_images(filmed.side("src").frames)}
    assert "nothing to do" in run(filmed).title
    assert {path.name: path.stat().st_mtime_ns for path in list_images(filmed.side("src").frames)} == before
    assert frames.read_receipt(filmed.side("src"))["count"] == 10


def test_other_options_are_refused_and_overwrite_keeps_the_old_frames_in_the_trash(filmed):
    run(filmed)
    with pytest.raises(InputError, match="other options") as caught:
        run(filmed, "--fps", "5")
    assert "--overwrite" in caught.value.hint
    run(filmed, "--fps", "5", "--format", "jpg", "--overwrite")
    assert names(filmed) == [f"{i:05d}.jpg" for i in range(1, 6)]
    (old,) = filmed.trash.iterdir()
    assert len(list_images(old)) == 10


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
    assert "nothing to do" in run(workspace).title


def test_a_persons_own_pictures_are_never_touched(filmed):
    folder = filmed.side("src").frames
    folder.mkdir()
    (folder / "mine.png").write_bytes(b"mine")
    assert "nothing to do" in run(filmed).title
    assert names(filmed) == ["mine.png"] and (folder / "mine.png").read_bytes() == b"mine"


def test_a_truncated_video_warns_and_one_without_a_frame_fails(filmed):
    video = filmed.root / "data_src.mp4"
    film(video, seconds=3, size="320x240")
    video.write_bytes(video.read_bytes()[: int(video.stat().st_size * 0.7)])
    report = run(filmed)
    assert 0 < len(names(filmed)) < 30 and "30" in report.warnings[0]
    shutil.rmtree(filmed.side("src").frames)
    video.write_text("I am a letter")
    with pytest.raises(CorruptFileError):
        run(filmed)


def test_too_little_space_is_noticed_before_anything_is_written(filmed, monkeypatch):
    monkeypatch.setattr(frames.shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(10**9, 10**9 - 1000, 1000))
    with pytest.raises(DiskFullError, match="not enough free space"):
        run(filmed)
    assert names(filmed) == [] and not list(filmed.side("src").frames.glob(".frames.*"))


def test_a_failing_run_leaves_old_frames_in_place(filmed):
    run(filmed)
    (filmed.root / "data_src.mp4").write_bytes(b"broken")
    with pytest.raises(CorruptFileError):
        run(filmed, "--overwrite")
    assert len(names(filmed)) == 10


def test_a_publish_that_was_killed_is_completed(filmed):
    run(filmed)
    side = filmed.side("src")
    staging = side.frames / ".frames.abc.partial"
    staging.mkdir()
    receipt = json.loads((side.frames / frames.RECEIPT).read_text())
    (side.frames / frames.RECEIPT).rename(staging / frames.RECEIPT)
    for path in list_images(side.frames)[4:]:
        path.rename(staging / path.name)
    run(filmed)
    assert len(names(filmed)) == 10 and not staging.exists()
    assert frames.read_receipt(side) == receipt


def test_a_run_killed_while_replacing_loses_nothing(filmed, monkeypatch):
    run(filmed)
    monkeypatch.setattr(frames, "_publish", lambda side, staging: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(filmed, "--fps", "5", "--overwrite")
    monkeypatch.undo()
    assert names(filmed) == []
    run(filmed, "--fps", "5")
    assert len(names(filmed)) == 5 and len(list_images(next(filmed.trash.iterdir()))) == 10


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


@pytest.mark.parametrize(("text", "value"), [("90", 90), ("0:10", 10), ("1:02:03.5", 3723.5), ("2.25", 2.25)])
def test_times(text, value):
    assert parse(frames.Options, "frames", ["src", "--end", text]).end == pytest.approx(value)


@pytest.mark.parametrize(
    "flags",
    [("--start", "1:2:3:4"), ("--end", "soon"), ("--fps", "0"), ("--start", "9", "--end", "3"), ("--format", "gif")],
)
def test_senseless_flags(flags):
    with pytest.raises(UsageError):
        parse(frames.Options, "frames", ["src", *flags])


def test_a_start_after_the_end_of_the_video(filmed):
    with pytest.raises(InputError, match="after the end"):
        run(filmed, "--start", "60")
