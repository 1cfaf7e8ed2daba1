"""Videos through ffmpeg, on clips made on the spot."""

import cv2
import numpy as np
import pytest
import skimage.data
from clips import make_clip, pattern, plain
from jpegs import samplings

from core.errors import CorruptFileError, InputError
from core.video.decode import mean_file_size, read_frames, write_frames
from core.video.info import describe
from core.video.probe import count_frames, probe
from core.video.selection import Selection

pytestmark = pytest.mark.usefixtures("any_ffmpeg")
WHOLE = Selection()
CLIP = pattern(seconds=2)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return make_clip(tmp_path_factory.mktemp("clip") / "ein video: 100%é.mp4", *CLIP, "-pix_fmt", "yuv420p")


def written(info, folder, fmt="png", selection=WHOLE):
    folder.mkdir()
    outcome = write_frames(info, folder, fmt, selection)
    return outcome, sorted(folder.iterdir())


def test_probe_tells_what_is_in_a_video(clip):
    info = probe(clip)
    assert (info.codec, info.width, info.height) == ("h264", 64, 48)
    assert (info.rate, info.frames, info.rotation, info.colors.hdr) == (10.0, 20, 0, False)
    assert info.duration == pytest.approx(2.0, abs=0.01)
    assert "64 x 48" in describe(info)


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        ("avi", "mpeg4"),
        ("mov", "prores_ks"),
        ("mkv", "ffv1"),
        ("webm", "libvpx"),
        ("wmv", "wmv2"),
        ("mpg", "mpeg2video"),
    ],
)
def test_containers_and_codecs(tmp_path, suffix, codec):
    info = probe(make_clip(tmp_path / f"a.{suffix}", *CLIP, "-c:v", codec, "-r", "25"))
    outcome, files = written(info, tmp_path / "frames")
    assert (outcome.code, len(files), (info.width, info.height)) == (0, 50, (64, 48))


def test_one_frame_in_is_one_file_out_and_the_pipe_gives_the_same_pixels(clip, tmp_path):
    info = probe(clip)
    seen = []
    folder = tmp_path / "a %d folder"
    folder.mkdir()
    outcome = write_frames(info, folder, "png", on_frame=seen.append)
    files = sorted(folder.iterdir())
    assert outcome.code == 0 and outcome.complaints == ()
    assert [path.name for path in files] == [f"{i:05d}.png" for i in range(1, 21)]
    assert seen[-1] == 20
    frames = list(read_frames(info))
    assert len(frames) == 20
    for path, frame in zip(files, frames, strict=True):
        np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR), frame)


@pytest.mark.parametrize(
    ("selection", "count"),
    [
        (Selection(fps=5), 10),
        (Selection(start=0.5), 15),
        (Selection(end=1.0), 10),
        (Selection(start=0.5, end=1.0), 5),
        (Selection(fps=2, start=1.0), 2),
    ],
)
def test_selection(clip, tmp_path, selection, count):
    info = probe(clip)
    _, files = written(info, tmp_path / "f", selection=selection)
    assert len(files) == count == selection.expected(info)


def test_variable_frame_rate_is_kept(tmp_path):
    uneven = ("-vf", "select='not(between(n,3,9))'", "-fps_mode", "vfr")
    path = make_clip(tmp_path / "vfr.mkv", *CLIP, *uneven, "-c:v", "ffv1")
    info = probe(path)
    _, files = written(info, tmp_path / "f")
    assert len(files) == 13 == count_frames(info)


def test_rotation_metadata_is_applied(clip, tmp_path):
    path = make_clip(tmp_path / "turned.mp4", "-display_rotation", "90", "-i", str(clip), "-c", "copy")
    info = probe(path)
    _, files = written(info, tmp_path / "f")
    assert (info.width, info.height) == (48, 64)
    turned, plain = cv2.imread(str(files[0])), next(read_frames(probe(clip)))
    assert turned.shape == (64, 48, 3)
    assert np.abs(turned.astype(int) - np.rot90(plain).astype(int)).mean() < 2
    assert next(read_frames(info)).shape == (64, 48, 3)


@pytest.mark.parametrize("pixels", ["yuv444p10le", "yuva420p", "gray16le"])
def test_deep_odd_sized_and_transparent_video(tmp_path, pixels):
    path = make_clip(tmp_path / "odd.mkv", *plain("red", "65x49", frames=2), "-pix_fmt", pixels, "-c:v", "ffv1")
    info = probe(path)
    _, files = written(info, tmp_path / "f")
    picture = cv2.imread(str(files[0]), cv2.IMREAD_UNCHANGED)
    assert len(files) == 2 and picture.shape == (49, 65, 3) and picture.dtype == np.uint8
    if pixels != "gray16le":
        np.testing.assert_allclose(picture[20, 30], (0, 0, 254), atol=3)


def test_hdr_is_mapped_down(tmp_path):
    tags = "format=yuv420p10le,setparams=color_trc=smpte2084:color_primaries=bt2020:colorspace=bt2020nc"
    path = make_clip(tmp_path / "hdr.mkv", *plain("gray", "64x48", frames=1), "-vf", tags, "-c:v", "ffv1")
    info = probe(path)
    assert info.colors.hdr
    assert len(list(read_frames(info))) == 1


def test_colors_are_rounded_not_cut_off(tmp_path):
    """A photo stored as 4:2:0 comes back as bright as it was."""
    photo = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(tmp_path / "photo.png"), photo)
    stored = ("-pix_fmt", "yuv420p", "-c:v", "ffv1")
    video = make_clip(tmp_path / "photo.mkv", "-i", str(tmp_path / "photo.png"), *stored)
    difference = next(read_frames(probe(video))).astype(float) - photo
    assert np.abs(difference.mean(axis=(0, 1))).max() < 0.3
    assert 10 * np.log10(255**2 / (difference**2).mean()) > 41


def test_jpeg_keeps_full_color_resolution(clip, tmp_path):
    _, files = written(probe(clip), tmp_path / "f", "jpg")
    assert len(set(samplings(files[0].read_bytes()))) == 1  # every component has the same: 4:4:4
    grey, png = (
        cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(int)
        for image in (cv2.imread(str(files[0])), next(read_frames(probe(clip))))
    )
    assert np.abs(grey - png).mean() < 4 and grey.min() < 8 and grey.max() > 247  # the same range: black stays black


def test_truncated_video_gives_the_frames_that_decode(tmp_path):
    moving = pattern(seconds=3, size="320x240")
    whole = make_clip(tmp_path / "whole.mp4", *moving, "-g", "5", "-movflags", "+faststart")
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * 0.6)])
    info = probe(cut)
    outcome, files = written(info, tmp_path / "f")
    assert info.frames == 30 and 5 <= len(files) < 30
    assert outcome.complaints


@pytest.mark.parametrize("content", [b"", b"hello, I am a letter\n" * 40])
def test_what_is_no_video_is_refused(tmp_path, content):
    path = tmp_path / "letter.mp4"
    path.write_bytes(content)
    with pytest.raises(CorruptFileError, match="cannot read this file as a video"):
        probe(path)


def test_sound_alone_is_refused(tmp_path):
    path = make_clip(tmp_path / "sound.m4a", "-f", "lavfi", "-i", "sine=duration=0.2")
    with pytest.raises(InputError, match="no video stream"):
        probe(path)


def test_space_is_estimated_from_samples(clip, tmp_path):
    info = probe(clip)
    _, files = written(info, tmp_path / "f")
    true = sum(path.stat().st_size for path in files) / len(files)
    assert mean_file_size(info, "png", Selection()) == pytest.approx(true, rel=0.3)
