"""Videos written from frames."""

import numpy as np
import pytest

from core.errors import EnvironmentFault
from core.video.decode import read_frames
from core.video.encode import write_video
from core.video.probe import probe

pytestmark = pytest.mark.usefixtures("any_ffmpeg")


def frames(count=6):
    ramp = np.linspace(40, 200, 64, dtype=np.uint8)
    return [np.repeat(np.roll(ramp, 4 * i)[None, :, None], 48, axis=0).repeat(3, axis=2) for i in range(count)]


def write(path, images, **changes):
    options = {"width": 64, "height": 48, "rate": 12, "tags": {"comment": "made here"}}
    write_video(path, iter(images), **options | changes)


def test_what_is_written_is_read_back(tmp_path):
    path = tmp_path / "clip.mp4"
    write(path, frames())
    info = probe(path)
    assert (info.codec, info.width, info.height, info.rate, info.frames) == ("h264", 64, 48, 12.0, 6)
    assert b"made here" in path.read_bytes()
    for ours, back in zip(frames(), read_frames(info), strict=True):
        assert np.abs(ours.astype(int) - back).mean() < 3
    assert list(tmp_path.iterdir()) == [path]


def test_what_ffmpeg_refuses_is_told_and_leaves_nothing(tmp_path):
    with pytest.raises(EnvironmentFault, match="could not encode") as caught:
        write(tmp_path / "odd.mp4", [np.zeros((49, 65, 3), np.uint8)] * 500, width=65, height=49)
    assert caught.value.why  # what ffmpeg said
    assert not list(tmp_path.iterdir())


def test_a_failure_of_the_frames_leaves_nothing(tmp_path):
    def broken():
        yield from frames(2)
        raise KeyError("the third frame")

    with pytest.raises(KeyError, match="third"):
        write(tmp_path / "clip.mp4", broken())
    assert not list(tmp_path.iterdir())
