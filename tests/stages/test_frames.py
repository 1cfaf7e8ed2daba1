"""The frames stage: its flags, and what it says."""

import pytest
from clips import make_clip, pattern

from core.errors import InputError, UsageError
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


def test_what_was_odd_is_told_again_when_the_frames_are_there(filmed):
    video = make_clip(filmed.root / "data_src.mp4", *pattern(3, "320x240"), "-movflags", "+faststart")
    video.write_bytes(video.read_bytes()[: int(video.stat().st_size * 0.7)])
    first, again = run(filmed), run(filmed)
    assert "nothing to do" in again.title and again.warnings == first.warnings != ()


def test_a_truncated_film_that_does_not_count_its_frames(filmed):
    (filmed.root / "data_src.mp4").unlink()
    video = make_clip(filmed.root / "data_src.mkv", *pattern(6), "-c:v", "ffv1")
    video.write_bytes(video.read_bytes()[: video.stat().st_size // 2])
    assert any("that the container promises are missing" in text for text in run(filmed).warnings)


def test_interlaced_video_is_told_and_deinterlaced_when_asked_for(filmed):
    (filmed.root / "data_src.mp4").unlink()
    woven = ("-vf", "tinterlace=interleave_top,setfield=tff", "-flags", "+ilme+ildct", "-c:v", "mpeg2video", "-r", "25")
    make_clip(filmed.root / "data_src.mpg", *pattern(1), *woven)
    assert any("--deinterlace" in text for text in run(filmed).warnings)
    assert not any("interlace" in text for text in run(filmed, "--deinterlace", "--overwrite").warnings)
    with pytest.raises(InputError, match="other options") as caught:
        run(filmed)
    assert "deinterlace: True -> None" in caught.value.why


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
