"""The frames stage: its flags, and what it says."""

import pytest
from clips import make_clip, pattern

from core.errors import UsageError
from core.options import parse
from core.stages import frames
from core.workspace import Workspace


@pytest.fixture
def filmed(tmp_path):
    make_clip(tmp_path / "data_src.mp4", *pattern(1), "-movflags", "+faststart")
    return Workspace(tmp_path)


def run(workspace, *flags):
    return frames.run(parse(frames.Options, "frames", ["src", *flags]), workspace)


def test_flags_reach_the_job_and_its_result_is_put_into_words(filmed):
    report = run(filmed, "--fps", "5", "--format", "jpg", "--start", "0:00.2", "--end", "1")
    assert report.title == "data_src: frames extracted" and report.warnings == ()
    assert report.rows == (("frames", 4), ("first, last", "00001.jpg, 00004.jpg"))
    assert report.outputs == (filmed.side("src").frames,)
    filmed.side("src").database.touch()
    again = run(filmed, "--overwrite")
    assert ("old frames", "4 moved to workspace/.trash") in again.rows
    assert "other frames" in again.warnings[0]
    there = run(filmed)
    assert "nothing to do" in there.title and there.rows[0] == ("frames there", 10) and len(there.rows) == 2


def test_images_of_a_person_are_told_apart(filmed):
    folder = filmed.side("src").frames
    folder.mkdir()
    (folder / "mine.png").write_bytes(b"mine")
    assert "not made by this program" in dict(run(filmed).rows)["note"]


def test_a_truncated_video_is_told(filmed):
    video = make_clip(filmed.root / "data_src.mp4", *pattern(3, "320x240"), "-movflags", "+faststart")
    video.write_bytes(video.read_bytes()[: int(video.stat().st_size * 0.7)])
    truncated, complaint = run(filmed).warnings
    assert "counts 30 frames" in truncated and complaint.startswith("ffmpeg complained")


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
