"""A film of the pictures in a folder."""

from fractions import Fraction

import cv2
import numpy as np
import pytest
from films import EVEN, UNEVEN, make_film, packets, picture, shown

from core.errors import InputError
from core.video.decode import read_frames, write_frames
from core.video.film.encoders import FilmSettings
from core.video.film.pictures import film_of_pictures, ranges
from core.video.probe import probe

SHORT = FilmSettings(part=5)


@pytest.fixture
def extracted(tmp_path):
    """A film and the folder of its frames."""
    film = make_film(tmp_path / "a.mp4", times=UNEVEN, sounds=[("aac", "mono")])
    folder = tmp_path / "frames"
    folder.mkdir()
    write_frames(probe(film), folder, "png")
    return film, folder


def test_times_and_sound_are_those_of_the_reference(extracted, tmp_path):
    film, folder = extracted
    report = film_of_pictures(folder, tmp_path / "b.mp4", SHORT, reference=probe(film))
    assert report.frames == 12 and shown(tmp_path / "b.mp4") == shown(film)
    assert packets(tmp_path / "b.mp4", "audio") == packets(film, "audio")
    for old, new in zip(read_frames(probe(film)), read_frames(probe(tmp_path / "b.mp4")), strict=True):
        assert np.abs(old.astype(int) - new).mean() < 3


def test_missing_and_extra_pictures_are_named(extracted, tmp_path):
    film, folder = extracted
    for number in (3, 7, 8):
        (folder / f"{number:05d}.png").unlink()
    cv2.imwrite(str(folder / "00014.png"), picture(14))
    with pytest.raises(InputError) as caught:
        film_of_pictures(folder, tmp_path / "b.mp4", SHORT, reference=probe(film))
    assert "missing: 3, 7-8; too many: 14" in str(caught.value)
    with pytest.raises(InputError, match="not the 14 frames") as caught:
        film_of_pictures(folder, tmp_path / "b.mp4", SHORT, rate=Fraction(25))
    assert "missing: 3, 7-8, 13" in str(caught.value)
    assert not (tmp_path / "b.mp4").exists()


def test_a_rate_without_a_reference(extracted, tmp_path):
    _, folder = extracted
    film_of_pictures(folder, tmp_path / "b.mp4", SHORT, rate=Fraction(30000, 1001))
    assert shown(tmp_path / "b.mp4") == [Fraction(1001 * number, 30000) for number in range(12)]
    assert probe(tmp_path / "b.mp4").colors.matrix == 1
    with pytest.raises(InputError, match="--reference"):
        film_of_pictures(folder, tmp_path / "c.mp4", SHORT)


def test_pictures_of_sixteen_bits(tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in range(1, 4):
        cv2.imwrite(str(folder / f"f_{number}.png"), picture(number).astype(np.uint16) * 257)
    report = film_of_pictures(folder, tmp_path / "a.mp4", FilmSettings(codec="hevc"), rate=Fraction(25))
    assert report.pixels == "yuv420p10le"
    with pytest.raises(InputError, match="--bits 8"):
        film_of_pictures(folder, tmp_path / "a.webm", SHORT, rate=Fraction(25))
    flat = film_of_pictures(folder, tmp_path / "a.webm", FilmSettings(bits="8"), rate=Fraction(25))
    assert flat.pixels == "yuv420p"


def test_a_deep_film_is_not_made_of_flat_pictures(tmp_path):
    film = make_film(tmp_path / "a.mkv", encoder="ffv1", pixels="yuv420p10le", times=EVEN[:2])
    folder = tmp_path / "frames"
    folder.mkdir()
    write_frames(probe(film), folder, "png")
    with pytest.raises(InputError, match="8 bits and the film has more"):
        film_of_pictures(folder, tmp_path / "b.mkv", SHORT, reference=probe(film))


@pytest.mark.parametrize(
    ("names", "said"), [([], "no pictures"), (["a.png"], "without a number"), (["1.png", "01.png"], "one number")]
)
def test_folders_that_are_no_film(tmp_path, names, said):
    for name in names:
        cv2.imwrite(str(tmp_path / name), picture(0))
    with pytest.raises(InputError, match=said):
        film_of_pictures(tmp_path, tmp_path / "b.mp4", SHORT, rate=Fraction(25))


def test_numbers_for_people():
    assert ranges([1, 2, 3, 7, 9, 10]) == "1-3, 7, 9-10"
    assert ranges(list(range(0, 100, 2))).endswith("and 30 more")
