"""A film made of another: times, sound, subtitles, chapters and colors are the old ones, whatever the container."""

import av
import numpy as np
import pytest
from films import EVEN, NTSC, STEP, UNEVEN, make_film, packets, shown

from core.errors import InputError
from core.video.decode import read_frames
from core.video.film.edit import edit_film, side_by_side
from core.video.film.encoders import FilmSettings
from core.video.film.frames import read_film
from core.video.info import Colors
from core.video.probe import probe

LATE = tuple(6990 + STEP * i for i in range(12))
STEREO = ("aac", "stereo")
CORPUS = {
    "uneven.mp4": {"times": UNEVEN, "sounds": [STEREO]},
    "late.mp4": {"times": LATE, "sounds": [("aac", "mono")], "options": {"bf": "3"}},
    "edit list.mp4": {"times": tuple(STEP * i for i in range(-4, 8)), "sounds": [STEREO]},
    "surround.mp4": {"sounds": [("ac3", "5.1")]},
    "two sounds.mov": {"sounds": [STEREO, ("pcm_s16le", "mono")]},
    "words.mp4": {"subtitles": "mov_text", "chapters": True, "sounds": [STEREO]},
    "silent.mp4": {},
    "one frame.mp4": {"times": EVEN[:1]},
    "one late frame.mp4": {"times": LATE[:1], "sounds": [STEREO]},
    "turned.mp4": {"turned": 270},
    "opus.webm": {"encoder": "libvpx-vp9", "times": UNEVEN, "sounds": [("libopus", "stereo")]},
}


def same(number, image):
    return image


def difference(path, other):
    """Mean difference of the frames of two films, which have equally many, of one size."""
    pairs = zip(read_frames(probe(path)), read_frames(probe(other)), strict=True)
    return max(np.abs(a.astype(int) - b).mean() for a, b in pairs)


@pytest.mark.parametrize("name", CORPUS)
def test_everything_is_kept(tmp_path, name):
    source = make_film(tmp_path / name, tags={"title": "a title"}, **CORPUS[name])
    target = tmp_path / f"new {name}"
    report = edit_film(source, target, same)
    assert report.notes == () and report.frames == len(shown(source))
    assert shown(target) == shown(source)
    for kind in ("audio", "subtitle"):
        assert packets(target, kind) == packets(source, kind)
    if name in ("late.mp4", "edit list.mp4"):
        assert difference(source, target) < 3
    with av.open(str(source)) as old, av.open(str(target)) as new:
        assert [stream.type for stream in new.streams] == [stream.type for stream in old.streams]
        assert new.metadata["title" if "title" in new.metadata else "TITLE"] == "a title"
        assert chapters(new) == chapters(old)
        for before, after in zip(old.streams, new.streams, strict=True):
            assert after.language == before.language
            if before.duration and before.type in ("audio", "video") and "uneven" not in name:
                assert after.duration * after.time_base == before.duration * before.time_base
    assert sorted(tmp_path.glob(".*")) == []


def chapters(film):
    return [(c["start"] * c["time_base"], c["end"] * c["time_base"], c["metadata"]) for c in film.chapters()]


def test_into_matroska_and_back(tmp_path):
    """Matroska counts milliseconds; what is in its milliseconds stays so."""
    source = make_film(tmp_path / "a.mp4", times=UNEVEN, sounds=[STEREO], options={"bf": "3"})
    edit_film(source, tmp_path / "a.mkv", same)
    inside = shown(tmp_path / "a.mkv")
    assert max(abs(a - b) for a, b in zip(inside, shown(source), strict=True)) <= 0.0005
    sums = [[checksum for _, checksum in stream] for stream in packets(source, "audio")]
    assert [[checksum for _, checksum in stream] for stream in packets(tmp_path / "a.mkv", "audio")] == sums
    edit_film(tmp_path / "a.mkv", tmp_path / "b.mp4", same)
    assert shown(tmp_path / "b.mp4") == inside
    assert [[checksum for _, checksum in stream] for stream in packets(tmp_path / "b.mp4", "audio")] == sums


def test_attachments_and_words_stay_in_matroska_and_are_missed_elsewhere(tmp_path):
    source = make_film(tmp_path / "a.mkv", subtitles="subrip", attachment=b"a font", sounds=[STEREO], chapters=True)
    assert edit_film(source, tmp_path / "b.mkv", same).notes == ()
    assert packets(tmp_path / "b.mkv", "subtitle") == packets(source, "subtitle")
    with av.open(str(tmp_path / "b.mkv")) as film:
        (font,) = film.streams.attachments
        assert (font.data, font.mimetype) == (b"a font", "font/ttf")
        assert len(film.chapters()) == 2
        assert film.streams.subtitles[0].language == "deu"
    notes = " ".join(edit_film(source, tmp_path / "b.webm", same).notes)
    assert all(word in notes for word in ("sound 1 (aac", "subtitles 2 (srt", "attachment 3")), notes
    assert "subtitles" in " ".join(edit_film(source, tmp_path / "b.mp4", same).notes)
    assert len(packets(tmp_path / "b.mp4", "audio")) == 1


def test_the_change_is_in_the_film(tmp_path):
    source = make_film(tmp_path / "a.mp4")
    seen = []

    def white(number, image):
        seen.append(number)
        return np.full_like(image, 255) if number == 4 else image

    edit_film(source, tmp_path / "b.mp4", white)
    frames = list(read_frames(probe(tmp_path / "b.mp4")))
    assert seen == list(range(1, 13))
    assert [number for number, frame in enumerate(frames, 1) if frame.min() > 240] == [4]


@pytest.mark.parametrize(("matrix", "values"), [(1, 1), (2, 0), (6, 2), (7, 1), (9, 2)])
def test_colors_come_back_and_are_said(tmp_path, matrix, values):
    said = {"colorspace": matrix, "color_primaries": 1, "color_trc": 13, "color_range": values}
    source = make_film(tmp_path / "a.mkv", encoder="ffv1", pixels="yuv444p", colors=said, times=EVEN[:1])
    edit_film(source, tmp_path / "b.mkv", same)
    assert probe(tmp_path / "b.mkv").colors == Colors(transfer=13, primaries=1, matrix=matrix, range=values)
    old, new = next(read_frames(probe(source))), next(read_frames(probe(tmp_path / "b.mkv")))
    assert np.abs(old.astype(int) - new).max() <= 3
    assert np.abs((old.astype(int) - new).mean(axis=(0, 1))).max() < 0.15


@pytest.mark.parametrize("values", [1, 2])
@pytest.mark.parametrize("pixels", ["yuv420p", "yuv420p10le"])
def test_no_color_moves(tmp_path, pixels, values):
    source = make_film(
        tmp_path / "a.mkv", encoder="ffv1", pixels=pixels, colors={"colorspace": 1, "color_range": values}
    )
    edit_film(source, tmp_path / "b.mkv", same)
    with av.open(str(source)) as old, av.open(str(tmp_path / "b.mkv")) as new:
        pairs = zip(old.decode(video=0), new.decode(video=0), strict=True)
        moved = [[(stored(a, i) - stored(b, i)).mean() for i in range(3)] for a, b in pairs]
    # The library's white of 10 bits is a thousandth off where all values are used.
    assert np.abs(np.mean(moved, axis=0)).max() < (1.6 if (pixels, values) == ("yuv420p10le", 2) else 0.12)


def test_white_is_white_in_deep_pictures(tmp_path):
    source = make_film(tmp_path / "a.mkv", encoder="ffv1", pixels="yuv420p10le", times=EVEN[:2])
    edit_film(source, tmp_path / "b.mkv", lambda number, image: np.full_like(image, 65535))
    with av.open(str(tmp_path / "b.mkv")) as film:
        luma = stored(next(film.decode(video=0)), 0)
    assert luma.min() == luma.max() == 940
    assert set(np.unique(next(read_film(probe(tmp_path / "b.mkv"), deep=True)).image)) == {65535}


def test_an_mp4_says_its_colors(tmp_path):
    said = {"colorspace": 1, "color_primaries": 1, "color_trc": 1, "color_range": 1}
    source = make_film(tmp_path / "a.mp4", colors=said)
    edit_film(source, tmp_path / "b.mp4", same)
    assert probe(tmp_path / "b.mp4").colors == Colors(1, 1, 1, 1)
    assert b"colrnclx" in (tmp_path / "b.mp4").read_bytes()


def test_films_of_red_green_blue(tmp_path):
    source = make_film(tmp_path / "a.mkv", encoder="ffv1", pixels="bgr0")
    report = edit_film(source, tmp_path / "b.mp4", same, FilmSettings(codec="h264", quality=4))
    assert report.pixels == "yuv444p"
    assert difference(source, tmp_path / "b.mp4") < 1.5


@pytest.mark.parametrize(("codec", "suffix"), [("hevc", "mp4"), ("av1", "mkv"), ("prores", "mov"), ("ffv1", "mkv")])
def test_ten_bits_stay_ten(tmp_path, codec, suffix):
    source = make_film(tmp_path / "a.mkv", encoder="ffv1", pixels="yuv420p10le", colors={"colorspace": 9})
    deep = []

    def look(number, image):
        deep.append(image.dtype)
        return image

    report = edit_film(source, tmp_path / f"b.{suffix}", look, FilmSettings(codec=codec, quality=4))
    assert set(deep) == {np.dtype(np.uint16)} and report.pixels.endswith("10le")
    with av.open(str(source)) as old, av.open(str(tmp_path / f"b.{suffix}")) as new:
        for before, after in zip(old.decode(video=0), new.decode(video=0), strict=True):
            luma = [stored(frame, 0) for frame in (before, after)]
            assert np.abs(luma[0] - luma[1]).mean() < (0.6 if codec == "ffv1" else 6)
    if codec != "prores":
        assert shown(tmp_path / f"b.{suffix}") == shown(source)


def stored(frame, number):
    """A plane of a frame as it is stored."""
    plane = frame.planes[number]
    kind = np.uint16 if "le" in frame.format.name else np.uint8
    return np.frombuffer(plane, kind).reshape(plane.height, -1)[:, : plane.width].astype(int)


def test_a_high_dynamic_range_is_kept_or_mapped_never_cut(tmp_path):
    hdr = {"color_trc": 16, "color_primaries": 9, "colorspace": 9, "color_range": 1}
    source = make_film(tmp_path / "a.mkv", encoder="ffv1", pixels="yuv420p10le", colors=hdr, times=EVEN[:3])
    edit_film(source, tmp_path / "b.mp4", same, FilmSettings(codec="hevc"))
    assert probe(tmp_path / "b.mp4").colors == Colors(16, 9, 9, 1)
    assert probe(tmp_path / "b.mp4").pixel_format == "yuv420p10le"
    with pytest.raises(InputError, match="--bits 8"):
        edit_film(source, tmp_path / "c.webm", same)
    report = edit_film(source, tmp_path / "d.webm", same, FilmSettings(bits="8"))
    assert "mapped down" in " ".join(report.notes)
    assert probe(tmp_path / "d.webm").colors == Colors(1, 1, 1, 1)
    assert difference(source, tmp_path / "d.webm") < 3


@pytest.mark.parametrize(("pixels", "size"), [("yuv420p", (64, 48)), ("yuv444p", (65, 49)), ("yuv422p", (64, 49))])
def test_odd_sizes_are_cut_where_chroma_has_half_of_them(tmp_path, pixels, size):
    source = make_film(tmp_path / "a.mkv", encoder="ffv1", pixels=pixels, size=(65, 49), times=EVEN[:2])
    report = edit_film(source, tmp_path / "b.mp4", same, FilmSettings(codec="h264", quality=1))
    assert (report.width, report.height) == size
    assert ("cut from 65 x 49" in " ".join(report.notes)) == (size != (65, 49))
    new, old = next(read_frames(probe(report.path))), next(read_frames(probe(source)))
    assert np.abs(new.astype(int) - old[: size[1], : size[0]]).mean() < 3


def test_turned_films_are_written_upright(tmp_path):
    source = make_film(tmp_path / "a.mp4", turned=90)
    report = edit_film(source, tmp_path / "b.mp4", same)
    info = probe(tmp_path / "b.mp4")
    assert (report.width, report.height) == (48, 64) == (info.width, info.height)
    assert info.rotation == 0 and info.stored == (48, 64)


def test_interlaced_films_are_refused_or_made_whole(tmp_path):
    source = make_film(tmp_path / "a.mp4", options={"x264-params": "tff=1"})
    with pytest.raises(InputError, match="--deinterlace"):
        edit_film(source, tmp_path / "b.mp4", same)
    edit_film(source, tmp_path / "b.mp4", same, FilmSettings(deinterlace=True))
    assert shown(tmp_path / "b.mp4") == shown(source)
    assert not probe(tmp_path / "b.mp4").interlaced


def test_a_damaged_film_gives_the_frames_that_decode(tmp_path):
    source = make_film(tmp_path / "a.mp4", options={"g": "3", "bf": "0"}, size=(320, 240))
    source.write_bytes(source.read_bytes()[: source.stat().st_size * 6 // 10])
    report = edit_film(source, tmp_path / "b.mp4", same)
    assert report.frames == len(list(read_frames(probe(source)))) == len(shown(tmp_path / "b.mp4"))
    assert "damaged" in " ".join(report.notes)


def test_two_films_side_by_side(tmp_path):
    left = make_film(tmp_path / "a.mp4", times=UNEVEN, sounds=[STEREO])
    right = make_film(tmp_path / "b.mp4", size=(32, 24), times=EVEN[:5], options={"qp": "0"})
    report = side_by_side(left, right, tmp_path / "c.mp4")
    assert (report.width, report.height, report.frames) == (128, 48, 12)
    assert shown(tmp_path / "c.mp4") == shown(left)
    last = list(read_frames(probe(tmp_path / "c.mp4")))[-1]
    partner = list(read_frames(probe(right)))[-1]
    assert np.abs(last[::2, 64::2].astype(int) - partner).mean() < 12


def test_the_clock_of_a_film_is_kept(tmp_path):
    source = make_film(tmp_path / "a.mp4")
    edit_film(source, tmp_path / "b.mp4", same)
    with av.open(str(tmp_path / "b.mp4")) as film:
        assert film.streams.video[0].time_base == NTSC
        assert film.streams.video[0].average_rate * 1001 == 30000
