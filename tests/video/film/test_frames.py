"""A film that is read to be changed has the frames and numbers of its extraction, each with its time."""

from fractions import Fraction

import numpy as np
import pytest
from clips import add_clean_aperture, make_clip, pattern
from films import EVEN, STEP, UNEVEN, make_film, shown

from core.errors import CorruptFileError, InputError
from core.video.decode import read_frames
from core.video.film.frames import frame_times, read_film, time_base
from core.video.probe import probe
from core.video.selection import Selection

LATE = tuple(6990 + STEP * i for i in range(12))
HIDDEN = tuple(STEP * i for i in range(-4, 8))
OPEN = {"x264-params": "open-gop=1:keyint=5:bframes=3:scenecut=0"}
CORPUS = {
    "ntsc.mp4": {},
    "uneven.mp4": {"times": UNEVEN, "sounds": [("aac", "stereo")]},
    "uneven.mkv": {"times": UNEVEN},
    "late.mp4": {"times": LATE, "sounds": [("aac", "mono")]},
    "edit list.mp4": {"times": HIDDEN, "sounds": [("aac", "mono")]},
    "open gop.mp4": {"options": OPEN},
    "10 bits.mp4": {"encoder": "libx265", "pixels": "yuv420p10le", "options": {"x265-params": "log-level=none"}},
    "turned.mp4": {"turned": 90, "size": (64, 32)},
    "turned 180.mp4": {"turned": 180},
    "turned 270.mov": {"turned": 270},
    "odd.mkv": {"encoder": "ffv1", "size": (65, 49)},
    "one frame.mp4": {"times": EVEN[:1]},
    "a.webm": {"encoder": "libvpx-vp9", "options": {"lag-in-frames": "4"}},
    "a.mov": {"encoder": "prores_ks", "pixels": "yuv422p10le"},
    "full range.mkv": {"encoder": "ffv1", "colors": {"colorspace": 1, "color_range": 2}},
}


@pytest.mark.parametrize("name", CORPUS)
def test_frames_are_those_of_the_extraction(tmp_path, name):
    path = make_film(tmp_path / name, **CORPUS[name])
    info = probe(path)
    extracted = list(read_frames(info))
    frames = list(read_film(info))
    assert [frame.number for frame in frames] == list(range(1, len(extracted) + 1))
    for frame, image in zip(frames, extracted, strict=True):
        np.testing.assert_array_equal(frame.image, image)
    assert [frame.pts * frame.time_base for frame in frames] == shown(path)
    assert frame_times(info) == [frame.pts for frame in frames]
    assert {frame.time_base for frame in frames} == {time_base(info)}


@pytest.mark.usefixtures("any_ffmpeg")
@pytest.mark.parametrize("name", ["edit list.mp4", "10 bits.mp4"])
def test_every_program_gives_the_same_times(tmp_path, name):
    path = make_film(tmp_path / name, **CORPUS[name])
    info = probe(path)
    frames = list(read_film(info))
    assert [frame.pts * frame.time_base for frame in frames] == shown(path)
    np.testing.assert_array_equal(frames[-1].image, list(read_frames(info))[-1])
    assert next(read_film(info, deep=True)).image.dtype == np.uint16


def test_frames_that_an_edit_list_hides_have_no_number(tmp_path):
    path = make_film(tmp_path / "a.mp4", times=HIDDEN)
    assert [frame.number for frame in read_film(probe(path))] == list(range(1, 9))


def test_reading_goes_on_at_any_frame(tmp_path):
    info = probe(make_film(tmp_path / "a.mp4", times=UNEVEN))
    whole = list(read_film(info))
    rest = list(read_film(info, first=9))
    assert [(frame.number, frame.pts) for frame in rest] == [(frame.number, frame.pts) for frame in whole[8:]]
    np.testing.assert_array_equal(rest[0].image, whole[8].image)
    assert list(read_film(info, first=13)) == []


def test_pixels_that_are_not_square_and_a_container_that_crops(tmp_path):
    wide = make_clip(tmp_path / "a.mkv", *pattern(0.5, "72x48"), "-vf", "setsar=8/9", "-c:v", "ffv1")
    cropped = make_clip(tmp_path / "a.mp4", *pattern(0.5), "-pix_fmt", "yuv420p")
    add_clean_aperture(cropped, 40, 32)
    for path in (wide, cropped):
        info = probe(path)
        for frame, image in zip(read_film(info), read_frames(info), strict=True):
            np.testing.assert_array_equal(frame.image, image)


def test_the_stream_that_is_marked_is_read(tmp_path):
    two = ["-f", "lavfi", "-i", "color=red:size=96x64:rate=5:duration=0.6", *pattern(0.4)]
    marked = ["-map", "0", "-map", "1", "-c:v", "ffv1", "-disposition:v:0", "0", "-disposition:v:1", "default"]
    info = probe(make_clip(tmp_path / "two.mkv", *two, *marked))
    frames = list(read_film(info))
    assert info.stream == 1 and len(frames) == 4 and frames[0].image.shape == (48, 64, 3)


@pytest.mark.parametrize("suffix", ["ts", "avi", "h264"])
def test_containers_with_other_clocks_or_none(tmp_path, suffix):
    path = make_clip(tmp_path / f"a.{suffix}", *pattern(1), "-pix_fmt", "yuv420p", "-bf", "2", "-c:v", "libx264")
    info = probe(path)
    frames = list(read_film(info))
    assert len(frames) == 10 == len(list(read_frames(info)))
    steps = np.diff([float(frame.pts * frame.time_base) for frame in frames])
    np.testing.assert_allclose(steps, 0.1, atol=1e-4)
    if suffix == "ts":
        assert [frame.pts * frame.time_base for frame in frames] == shown(path)


def test_a_damaged_film_gives_what_the_extraction_gives(tmp_path):
    path = make_film(tmp_path / "a.mp4", options={"g": "3", "bf": "0"}, size=(320, 240))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    info = probe(path)
    ends = []
    frames = list(read_film(info, on_end=ends.append))
    extracted = list(read_frames(info))
    assert 0 < len(frames) == len(extracted) < 12 and ends[0].complaints
    np.testing.assert_array_equal(frames[-1].image, extracted[-1])


def test_deep_films_keep_their_depth(tmp_path):
    path = make_film(tmp_path / "a.mkv", encoder="ffv1", pixels="yuv420p10le")
    info = probe(path)
    deep, flat = next(read_film(info, deep=True)).image, next(read_frames(info))
    assert deep.dtype == np.uint16 and len(np.unique(deep)) > 256
    np.testing.assert_allclose(deep / 257, flat, atol=0.6)


def test_interlaced_films_need_a_word(tmp_path):
    path = make_film(tmp_path / "a.mp4", options={"x264-params": "tff=1"})
    info = probe(path)
    assert info.interlaced
    with pytest.raises(InputError, match="--deinterlace"):
        next(read_film(info))
    whole = list(read_film(info, deinterlace=True))
    extracted = list(read_frames(info, Selection(deinterlace=True)))
    for frame, image in zip(whole, extracted, strict=True):
        np.testing.assert_array_equal(frame.image, image)
    assert [frame.pts * frame.time_base for frame in whole] == shown(path)
    later = next(read_film(info, first=6, deinterlace=True))
    np.testing.assert_array_equal(later.image, extracted[5])  # the frames around it are looked at as before


def test_a_film_of_which_nothing_decodes_any_more(tmp_path):
    path = make_film(tmp_path / "a.mp4")
    info = probe(path)
    path.write_bytes(b"nothing")
    with pytest.raises(CorruptFileError):
        list(read_film(info))


def test_ticks_that_are_no_whole_part_of_a_second(tmp_path):
    path = make_clip(tmp_path / "a.nut", *pattern(0.5), "-r", "30000/1001", "-c:v", "ffv1")
    info = probe(path)
    assert [frame.pts * frame.time_base for frame in read_film(info)] == shown(path)
    assert isinstance(time_base(info), Fraction)
