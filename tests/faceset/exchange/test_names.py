"""Names of frames: pictures keep theirs, frames of films go by number, names that lead elsewhere are refused."""

import pytest

from core.faceset.exchange.names import key_of, names_here

NUMBERED = ["00001.png", "00002.png"]


@pytest.mark.parametrize(
    ("keys", "known", "names", "film"),
    [
        (["a.png", "b.png"], ["a.png"], ["a.png", "b.png"], ""),
        (["holiday_000001.mp4", "holiday_000002.mp4"], NUMBERED, NUMBERED, "holiday.mp4"),
        (["holiday_000002.png"], NUMBERED, ["00002.png"], "holiday.png"),
        (["holiday_000001.mp4"], [], ["00001.png"], "holiday.mp4"),
        (["my_film_123456.mkv"], [], ["123456.png"], "my_film.mkv"),
        (["holiday_000001.mp4"], ["000001.jpg"], ["000001.jpg"], "holiday.mp4"),
        (
            ["holiday_000001.png", "holiday_000002.png"],
            ["holiday_000001.png"],
            ["holiday_000001.png", "holiday_000002.png"],
            "",
        ),
        (["x_000001.mp4", "y_000001.mp4"], NUMBERED, ["x_000001.mp4", "y_000001.mp4"], ""),
        (["holiday_000001.mp4"], ["other.png"], ["holiday_000001.mp4"], ""),
        ([], NUMBERED, [], ""),
    ],
)
def test_names(keys, known, names, film):
    found = names_here(keys, known)
    assert (list(found.names.values()), found.film, found.refused) == (names, film, ())


def test_names_that_lead_elsewhere_are_refused():
    found = names_here(["a.png", "../a.png", "/etc/passwd", "", "a\\..\\b", "c:\\x"], [])
    assert list(found.names) == ["a.png"] and len(found.refused) == 5


def test_keys():
    assert key_of("00012.png", "holiday.mp4") == "holiday_000012.mp4"
    assert key_of("00012.png", "") == "00012.png"
    assert key_of("scene_00012.png", "holiday.mp4") == "scene_00012.png"
