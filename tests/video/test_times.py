"""When frames are shown, and which of them to take for a rate."""

from fractions import Fraction

import av
import numpy as np
import pytest
from clips import make_clip, pattern

from core.video.probe import probe
from core.video.times import at_rate, presentation_times


def test_even_distances_of_a_clip_with_b_frames(tmp_path):
    clip = make_clip(tmp_path / "a.mp4", *pattern(1), "-c:v", "libx264", "-bf", "2", "-pix_fmt", "yuv420p")
    np.testing.assert_allclose(presentation_times(probe(clip)), np.arange(10) / 10, atol=1e-6)


def test_uneven_distances(tmp_path):
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("mpeg4", rate=Fraction(30))
        stream.width = stream.height = 64
        stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
        for stamp in (0, 40, 500, 1100, 1140):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), stamp % 251, np.uint8), format="bgr24")
            frame.pts, frame.time_base = stamp, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    times = presentation_times(probe(tmp_path / "a.mkv"))
    np.testing.assert_allclose(times, (0, 0.04, 0.5, 1.1, 1.14), atol=2e-3)
    assert at_rate(times, 2) == [0, 2, 3]


def test_a_bare_stream_has_the_times_of_its_rate(tmp_path):
    clip = make_clip(tmp_path / "a.h264", *pattern(0.5), "-c:v", "libx264", "-bf", "0", "-pix_fmt", "yuv420p")
    times = presentation_times(probe(clip))
    assert len(times) == 5 and (np.diff(times) > 0).all()


@pytest.mark.parametrize(
    ("fps", "expected"), [(10, 30), (5, 15), (2, 6), (1, 3), (0.5, 2), (0.1, 1), (100, 30), (3, 9)]
)
def test_so_many_a_second(fps, expected):
    times = np.arange(30) / 10 + 0.7
    chosen = at_rate(times.tolist(), fps)
    assert len(chosen) == expected and chosen[0] == 0 and chosen == sorted(set(chosen))
    gaps = np.diff(times[chosen])
    assert not len(gaps) or gaps.max() < 1 / fps + 0.101


def test_no_frames():
    assert at_rate([], 2) == []
