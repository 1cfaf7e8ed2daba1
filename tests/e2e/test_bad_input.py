"""What people get wrong: each mistake has its exit code, a message with a hint, and no traceback."""

import shutil
from collections import namedtuple
from pathlib import Path

import cv2
import numpy as np
import pytest
from runner import run

from core.__main__ import main

FRAMES, FACES, TRAIN = "scripts/1_extract_src_video.sh", "scripts/3_extract_src_faces.sh", "scripts/5_train.sh"


def fails(script, *arguments, workspace, code, words):
    done = run(script, *arguments, workspace=workspace, code=code)
    assert "Traceback" not in done.stderr
    assert "error:" in done.stderr and "hint:" in done.stderr, done.stderr
    assert words in done.stderr, done.stderr
    return done


@pytest.fixture
def empty(tmp_path):
    (tmp_path / "w").mkdir()
    return tmp_path / "w"


def test_no_video(empty):
    fails(FRAMES, workspace=empty, code=3, words="no video")


def test_several_videos(empty):
    for suffix in ("mp4", "mkv"):
        (empty / f"data_src.{suffix}").write_bytes(b"x")
    fails(FRAMES, workspace=empty, code=3, words="data_src.mkv, data_src.mp4")


def test_text_named_mp4(empty):
    (empty / "data_src.mp4").write_text("not a film\n" * 100)
    fails(FRAMES, workspace=empty, code=7, words="data_src.mp4")


def test_truncated_video_gives_what_decodes(clips, empty):
    data = (clips / "data_src.mp4").read_bytes()
    (empty / "data_src.mp4").write_bytes(data[: len(data) * 2 // 3])
    done = run(FRAMES, workspace=empty, code=None)
    assert done.returncode in (0, 7) and "Traceback" not in done.stderr
    if done.returncode == 0:
        assert "warning" in done.stdout and list((empty / "data_src").glob("*.png"))


@pytest.mark.parametrize(
    "arguments", [("--fps", "0"), ("--fps", "fast"), ("--start", "0:70:00:00"), ("--bogus",), ("--format", "gif")]
)
def test_wrong_flags(empty, arguments):
    fails(FRAMES, *arguments, workspace=empty, code=2, words=arguments[0])


def test_no_frames(empty):
    fails(FACES, workspace=empty, code=3, words="data_src")


def test_no_faces_anywhere(empty):
    (empty / "data_src").mkdir()
    for i in range(3):
        cv2.imwrite(str(empty / "data_src" / f"{i:05d}.png"), np.full((200, 300, 3), 90 + i, np.uint8))
    fails(FACES, workspace=empty, code=3, words="face")


def test_corrupt_frame_is_named_and_skipped(extracted, empty):
    (empty / "data_src").mkdir()
    for name in ("00001.png", "00002.png"):
        shutil.copy(extracted / "data_src" / name, empty / "data_src")
    (empty / "data_src" / "00003.png").write_bytes((extracted / "data_src" / "00003.png").read_bytes()[:500])
    done = run(FACES, workspace=empty)
    assert "00003.png" in done.stdout + done.stderr
    assert len(list((empty / "data_src" / "aligned").glob("*.jpg"))) == 2


@pytest.mark.parametrize("target", ["soon", "-5", "1.5"])
def test_wrong_target(empty, target):
    fails(TRAIN, target, workspace=empty, code=2, words="hint")


def test_training_without_faces(empty):
    fails(TRAIN, "5", workspace=empty, code=3, words="aligned")


def test_packed_and_other_loose_faces_at_once(workspace):
    aligned = workspace / "data_src" / "aligned"
    run("scripts/3.3_pack_src.sh", "--remove-originals", workspace=workspace)
    shutil.copy(next((workspace / "data_dst" / "aligned").glob("*.jpg")), aligned / "99999_0.jpg")
    fails(TRAIN, "5", workspace=workspace, code=3, words="faceset.pak")


def test_unwritable_workspace():
    done = run(FRAMES, workspace=Path("/proc/forge"), code=4, cwd=Path("/"))
    assert "Traceback" not in done.stderr


def test_nothing_to_pack_or_unpack(empty):
    fails("scripts/3.3_pack_src.sh", workspace=empty, code=3, words="aligned")
    fails("scripts/3.4_unpack_src.sh", workspace=empty, code=3, words="faceset.pak")


def test_truncated_pak(workspace):
    pak = workspace / "data_src" / "aligned" / "faceset.pak"
    run("scripts/3.3_pack_src.sh", "--remove-originals", workspace=workspace)
    pak.write_bytes(pak.read_bytes()[:-5000])
    fails("scripts/3.4_unpack_src.sh", workspace=workspace, code=7, words="--salvage")


def test_export_without_a_model(empty):
    fails("exportDFM.sh", workspace=empty, code=3, words="model")


def test_full_disk_is_foreseen(clips, empty, monkeypatch, capsys):
    shutil.copy(clips / "data_src.mp4", empty)
    monkeypatch.setenv("WORKSPACE", str(empty))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: namedtuple("usage", "total used free")(10**9, 10**9, 10**5))
    assert main(["frames", "src"]) == 8
    message = capsys.readouterr().err
    assert "hint:" in message and "Traceback" not in message
    assert not list((empty / "data_src").glob("*.png"))
