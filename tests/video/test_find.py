"""Which file is the film, and which of its streams."""

import shutil

import pytest
from clips import make_clip, pattern, plain

from core.errors import InputError
from core.video.decode import read_frames
from core.video.find import find_film, look_beside
from core.video.info import describe
from core.video.probe import probe
from core.workspace import Workspace

LEFT = {
    "nfo": "Release notes\nVideo: 1080p\n",
    "description": "a film about my dog",
    "vtt": "WEBVTT\n\n00:00.000 --> 00:01.000\nhello\n",
    "ass": "[Script Info]\nTitle: x\n\n[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,hello\n",
    "txt": "notes",
    "kdenlive": "<?xml version='1.0'?><mlt/>",
    "m3u8": "#EXTM3U\n#EXTINF:1,\ndata_src.mp4\n",
    "mp4.part": "half of it",
}


@pytest.fixture
def side(tmp_path):
    return Workspace(tmp_path).side("src")


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return make_clip(tmp_path_factory.mktemp("clip") / "a.mp4", *pattern(0.5), "-pix_fmt", "yuv420p")


def test_a_film_among_what_downloads_leave(side, clip, caplog):
    root = side.workspace.root
    for ending, text in LEFT.items():
        (root / f"data_src.{ending}").write_text(text)
    make_clip(root / "data_src.jpg", *plain("red", "64x48", 1), "-frames:v", "1")
    make_clip(root / "data_src.webp", *plain("red", "64x48", 1), "-frames:v", "1")
    make_clip(root / "data_src.m4a", "-f", "lavfi", "-i", "sine=duration=0.2")
    shutil.copy(clip, root / "data_src.mp4")
    with caplog.at_level("INFO"):
        assert find_film(side).name == "data_src.mp4"
    others = dict(look_beside(side).others)
    assert set(others) == {f"data_src.{ending}" for ending in (*LEFT, "jpg", "webp", "m4a")}
    assert others["data_src.m4a"] == "sound" and others["data_src.jpg"] == "a picture"
    assert all(name in caplog.text for name in others)


@pytest.mark.parametrize("ending", list(LEFT))
def test_what_is_no_film_is_not_drawn_as_one(side, ending):
    (side.workspace.root / f"data_src.{ending}").write_text(LEFT[ending])
    with pytest.raises(InputError, match="no video") as caught:
        find_film(side)
    assert f"data_src.{ending}" in caught.value.why


@pytest.mark.parametrize("name", ["data_src.xyz", "DATA_SRC.MP4", "data_src.txt"])
def test_a_film_with_any_ending(side, clip, name):
    shutil.copy(clip, side.workspace.root / name)
    assert find_film(side).name == name


def test_a_damaged_film_is_not_hidden_by_another(side, clip):
    shutil.copy(clip, side.workspace.root / "data_src.mkv")
    (side.workspace.root / "data_src.mp4").touch()
    with pytest.raises(InputError, match="more than one video"):
        find_film(side)


def two(path, *dispositions, sizes=("128x96", "64x48")):
    inputs = [part for size in sizes for part in plain("red", size, 5)]
    return make_clip(path, *inputs, "-map", "0", "-map", "1", "-pix_fmt", "yuv420p", *dispositions)


def test_the_default_stream_is_read(tmp_path):
    path = two(tmp_path / "a.mp4", "-disposition:0", "0", "-disposition:1", "default")
    info = probe(path)
    assert (info.stream, info.width) == (1, 64) and next(read_frames(info)).shape == (48, 64, 3)
    assert "2 video streams: 1 is read, not 0 (h264 128 x 96)" in describe(info)


def test_else_the_largest(tmp_path):
    path = two(tmp_path / "a.mkv", "-disposition:0", "0", "-disposition:1", "0", sizes=("64x48", "128x96"))
    assert (probe(path).stream, probe(path).width) == (1, 128)


def test_never_a_cover_picture(tmp_path, clip):
    cover = make_clip(tmp_path / "cover.png", *plain("blue", "300x300", 1), "-frames:v", "1")
    marked = ("-map", "1", "-map", "0", "-c", "copy", "-disposition:0", "attached_pic")
    path = make_clip(tmp_path / "a.mp4", "-i", str(clip), "-i", str(cover), *marked)
    info = probe(path)
    assert (info.width, info.others) == (64, ())
