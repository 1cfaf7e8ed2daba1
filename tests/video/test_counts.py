"""How many frames a video has: as promised before, and as they come."""

import pytest
from clips import make_clip, pattern

from core.video.decode import read_frames, write_frames
from core.video.probe import count_frames, probe
from core.video.selection import EVERY_FRAME, Selection

pytestmark = pytest.mark.usefixtures("any_ffmpeg")
CODED = ("-pix_fmt", "yuv420p", "-bf", "2", "-g", "30")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return make_clip(tmp_path_factory.mktemp("base") / "base.mp4", *pattern(6), *CODED)


def copied(base, path, *options):
    return make_clip(path, *options, "-i", str(base), "-c", "copy")


def count(info, folder, selection=EVERY_FRAME):
    folder.mkdir()
    write_frames(info, folder, "png", selection)
    found = len(list(folder.iterdir()))
    assert found == len(list(read_frames(info, selection)))
    return found


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_frames_that_an_edit_list_hides_are_not_promised(base, tmp_path, suffix):
    info = probe(copied(base, tmp_path / f"cut.{suffix}", "-ss", "1.35"))
    assert info.frames == EVERY_FRAME.expected(info) == count_frames(info) == count(info, tmp_path / "f") < 60


def test_a_late_beginning_changes_no_count(base, tmp_path):
    info = probe(copied(base, tmp_path / "late.mp4", "-itsoffset", "1.5"))
    assert count(info, tmp_path / "f") == info.frames == 60


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "flv", "h264"])
@pytest.mark.parametrize(
    ("start", "end", "frames"), [(1.25, 2.05, 8), (2, 3, 10), (5.35, None, 6), (None, 0.95, 10), (0.05, 0.35, 3)]
)
def test_selections(base, tmp_path, suffix, start, end, frames):
    """Also where the container has no index, and where frames have no times at all."""
    path = copied(base, tmp_path / f"a.{suffix}")
    selection = Selection(start=start, end=end)
    info = probe(path)
    assert count(info, tmp_path / "f", selection) == frames
    expected = selection.expected(info)
    assert expected in (frames, None) or (suffix == "flv" and abs(expected - frames) <= 2)  # its length is rough


def test_the_last_seconds_of_a_program_stream(tmp_path):
    path = make_clip(tmp_path / "a.mpg", *pattern(6), "-c:v", "mpeg2video", "-r", "25", "-bf", "2", "-g", "12")
    whole = count(probe(path), tmp_path / "whole")
    assert count(probe(path), tmp_path / "end", Selection(start=5.0)) == pytest.approx(whole - 5 * 25, abs=2)


def test_how_far_the_last_frame_reaches(base, tmp_path):
    path = copied(base, tmp_path / "a.mkv")
    (tmp_path / "f").mkdir()
    assert write_frames(probe(path), tmp_path / "f", "png").seconds == pytest.approx(6, abs=0.2)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    (tmp_path / "g").mkdir()
    info = probe(path)
    assert info.frames is None and info.duration == pytest.approx(6, abs=0.1)
    assert write_frames(info, tmp_path / "g", "png").seconds < 5
