"""Frames have the size that players show: cropped, square pixels, upright, one size for all."""

import cv2
import numpy as np
import pytest
from clips import add_clean_aperture, make_clip, pattern, plain

from core.video import program
from core.video.decode import read_frames, write_frames
from core.video.info import describe
from core.video.probe import probe
from core.video.selection import EVERY_FRAME, Selection

pytestmark = pytest.mark.usefixtures("any_ffmpeg")


def both_ways(path, folder, selection=EVERY_FRAME):
    """Info and frames of a clip, having seen that the files and the pipe give the same."""
    info = probe(path)
    folder.mkdir()
    outcome = write_frames(info, folder, "png", selection)
    files = [cv2.imread(str(file)) for file in sorted(folder.iterdir())]
    piped = list(read_frames(info, selection))
    assert len(files) == len(piped) > 0 and outcome.code == 0
    for file, frame in zip(files, piped, strict=True):
        np.testing.assert_array_equal(file, frame)
        assert frame.shape == (info.height, info.width, 3)
    return info, files, outcome


@pytest.mark.parametrize(
    ("stored", "aspect", "shown"),
    [
        ("32x48", "2/1", (64, 48)),
        ("72x48", "8/9", (64, 48)),  # NTSC, 4:3
        ("144x108", "4/3", (192, 108)),  # HDV
        ("144x115", "64/45", (205, 115)),  # PAL, 16:9: rounded
        ("64x48", "1/1", (64, 48)),
        ("64x48", "1000/1", (64, 48)),  # nobody means that
    ],
)
def test_pixels_become_square(tmp_path, stored, aspect, shown):
    path = make_clip(tmp_path / "a.mkv", *pattern(0.5, stored), "-vf", f"setsar={aspect}", "-c:v", "ffv1")
    info, _, _ = both_ways(path, tmp_path / "f")
    assert (info.width, info.height) == shown
    assert ("not square" in describe(info)) == (shown != tuple(map(int, stored.split("x"))))


def test_a_dvd(tmp_path):
    coded = ("-vf", "setdar=16/9", "-c:v", "mpeg2video", "-r", "25")
    info, _, _ = both_ways(make_clip(tmp_path / "a.mpg", *pattern(0.4, "720x576"), *coded), tmp_path / "f")
    assert (info.width, info.height, info.stored) == (1024, 576, (720, 576))


def test_rotated_pixels_that_are_not_square_lose_nothing(tmp_path):
    flat = make_clip(tmp_path / "flat.mp4", *pattern(0.5, "144x108"), "-vf", "setsar=4/3", "-pix_fmt", "yuv420p")
    path = make_clip(tmp_path / "a.mp4", "-display_rotation", "90", "-i", str(flat), "-c", "copy")
    info, _, _ = both_ways(path, tmp_path / "f")
    assert (info.width, info.height) == (108, 192)


def test_a_container_that_crops(tmp_path):
    path = make_clip(tmp_path / "a.mp4", *pattern(0.5, "64x48"), "-pix_fmt", "yuv420p")
    add_clean_aperture(path, 40, 32)
    info, _, _ = both_ways(path, tmp_path / "f")
    number = program.version(info.program)
    crops = number is None or number >= (7, 1)
    assert (info.width, info.height) == ((40, 32) if crops else (64, 48))


def test_a_size_that_changes_keeps_proportions_and_is_told(tmp_path):
    raw = b""
    for second, size in enumerate(("64x48", "96x48", "128x96")):
        part = (
            *plain("white", size, frames=5),
            "-c:v",
            "libx264",
            "-pix_fmt",
            "yuv420p",
            "-output_ts_offset",
            str(second),
        )
        raw += make_clip(tmp_path / "a.ts", *part).read_bytes()
    (tmp_path / "a.ts").write_bytes(raw)
    path = make_clip(tmp_path / "a.mkv", "-i", str(tmp_path / "a.ts"), "-c", "copy")
    _, frames, outcome = both_ways(path, tmp_path / "f")
    assert {frame.shape for frame in frames} == {(48, 64, 3)} and len(frames) == 15
    assert [shape[:2] for shape in outcome.shapes] == [(64, 48), (96, 48), (128, 96)]
    assert frames[2].min() > 250 and frames[12].min() > 250  # 128 x 96 has the shape of the first
    bright = frames[7].max(axis=2) > 128
    assert bright[8:40].all() and not bright[:7].any() and not bright[41:].any()  # 64 x 32 between bars


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_every_rotation_and_its_mirror_image(tmp_path, turns, mirrored):
    flat = make_clip(tmp_path / "flat.mp4", *pattern(0.5), "-pix_fmt", "yuv420p")
    turned = ("-display_rotation", str(90 * turns), *(["-display_hflip"] if mirrored else []))
    path = make_clip(tmp_path / "a.mp4", *turned, "-i", str(flat), "-c", "copy")
    info, frames, _ = both_ways(path, tmp_path / "f")
    assert info.mirrored == mirrored
    plain_frame = next(read_frames(probe(flat))).astype(int)
    mirror_first = np.rot90(plain_frame[:, ::-1] if mirrored else plain_frame, turns)
    mirror_last = np.rot90(plain_frame, turns)[:, ::-1] if mirrored else mirror_first
    differences = [np.abs(frames[0] - wanted).mean() for wanted in (mirror_first, mirror_last)]
    assert min(differences) < 2


def test_interlaced_video_is_recognized_and_made_whole(tmp_path):
    bar = "color=black:size=160x120:rate=10:duration=2[b];color=white:size=20x120:rate=10[w]"
    moving = ("-f", "lavfi", "-i", f"{bar};[b][w]overlay=x='mod(n*9,140)':shortest=1")
    woven = ("-vf", "tinterlace=interleave_top,setfield=tff", "-flags", "+ilme+ildct", "-c:v", "mpeg2video")
    path = make_clip(tmp_path / "a.mpg", *moving, *woven, "-r", "25", "-b:v", "4M")
    info, combed, _ = both_ways(path, tmp_path / "f")
    assert info.interlaced and "interlaced" in describe(info)
    _, whole, _ = both_ways(path, tmp_path / "g", Selection(deinterlace=True))
    assert len(whole) == len(combed)
    assert combing(whole) < 0.7 * combing(combed)


def combing(frames):
    """How much each row differs from both of its neighbors."""
    rows = [np.abs(2 * f[1:-1].astype(int) - f[:-2] - f[2:]).mean() for f in frames]
    return np.mean(rows)


def test_progressive_video_is_not_called_interlaced_and_may_be_deinterlaced(tmp_path):
    path = make_clip(tmp_path / "a.mp4", *pattern(1), "-pix_fmt", "yuv420p")
    info, frames, _ = both_ways(path, tmp_path / "f", Selection(deinterlace=True))
    assert not info.interlaced and len(frames) == 10


@pytest.mark.parametrize("curve", ["smpte2084", "arib-std-b67"])
def test_high_dynamic_range_is_recognized_by_its_curve_alone(tmp_path, curve):
    shown = []
    for name, others in (("bare", ""), ("full", ":color_primaries=bt2020:colorspace=bt2020nc")):
        tags = f"format=yuv420p10le,setparams=color_trc={curve}{others}"
        path = make_clip(tmp_path / f"{name}.mkv", *pattern(0.3), "-vf", tags, "-c:v", "ffv1")
        info, frames, _ = both_ways(path, tmp_path / name)
        assert info.colors.hdr
        shown.append(frames[0])
    untouched = make_clip(tmp_path / "plain.mkv", *pattern(0.3), "-vf", "format=yuv420p10le", "-c:v", "ffv1")
    np.testing.assert_allclose(shown[0], shown[1], atol=1)
    assert np.abs(shown[0].astype(int) - next(read_frames(probe(untouched)))).mean() > 5
