"""Which frames are looked at, under which names, and when they are shown."""

import json

import cv2
import numpy as np
import pytest
from clips import make_clip, pattern

from core.errors import InputError
from core.jobs.extract.frame_source import Pick, frames_of_film, frames_of_folder, joined
from core.jobs.extract.settings import ExtractSettings
from core.jobs.extract.sources import frames_of, origin
from core.jobs.frame_receipt import Receipt, identity, write_receipt
from core.workspace import Workspace


@pytest.fixture
def film(tmp_path):
    """Twelve frames, ten a second."""
    return make_clip(tmp_path / "night.mp4", *pattern(1.2), "-c:v", "libx264", "-pix_fmt", "yuv420p")


@pytest.fixture
def folder(tmp_path):
    """Images 00001 to 00008."""
    place = tmp_path / "day"
    place.mkdir()
    for number in range(1, 9):
        cv2.imwrite(str(place / f"{number:05d}.png"), np.full((20, 30, 3), number, np.uint8))
    return place


def names_read(source):
    ended = []
    names = [name for name, _ in source.frames(ended.append)]
    assert len(ended) == 1
    return names


def test_a_film_by_number_and_by_time(film):
    every = frames_of_film(film, Pick(every=5))
    assert list(every.names) == names_read(every) == ["00001.png", "00006.png", "00011.png"]
    assert every.times() == pytest.approx({"00001.png": 0, "00006.png": 0.5, "00011.png": 1.0})
    assert every.rate == pytest.approx(2)
    timed = frames_of_film(film, Pick(fps=4))
    assert list(timed.names) == names_read(timed) == ["00001.png", "00004.png", "00006.png", "00009.png", "00011.png"]
    assert timed.rate == 4


def test_a_folder_with_a_receipt(folder):
    write_receipt(folder, Receipt(options={"format": "png", "fps": 4.0, "start": 10.0, "end": None}))
    (folder / "00002.png").unlink()
    source = frames_of_folder(folder, Pick(fps=2))
    assert list(source.names) == names_read(source) == ["00001.png", "00003.png", "00005.png", "00007.png"]
    assert source.times()["00005.png"] == 11


def test_a_folder_of_every_frame_of_the_film_beside_it(folder, film):
    options = {"format": "png", "fps": None, "start": 0.35, "end": None}
    write_receipt(folder, Receipt(video=identity(film), options=options))
    times = frames_of_folder(folder, Pick()).times()
    assert times["00001.png"] == pytest.approx(0.4) and times["00008.png"] == pytest.approx(1.1)
    film.write_bytes(film.read_bytes() + b"x")
    assert frames_of_folder(folder, Pick()).times() == {}


def test_times_that_nobody_knows(folder):
    with pytest.raises(InputError, match="not known when") as caught:
        frames_of_folder(folder, Pick(fps=2))
    assert "--every" in caught.value.hint
    (folder / ".frames.json").write_text(json.dumps({"options": {"fps": "fast", "start": 0}}))
    assert frames_of_folder(folder, Pick()).times() == {}


def test_several_sources_have_their_names_in_front(film, folder, tmp_path):
    side = Workspace(tmp_path / "w").create().side("src")
    settings = ExtractSettings(sources=(film, folder), every=4)
    source = frames_of(settings, side)
    expected = ["night_00001.png", "night_00005.png", "night_00009.png", "day_00001.png", "day_00005.png"]
    assert list(source.names) == names_read(source) == expected
    assert source.times() == pytest.approx({"night_00001.png": 0, "night_00005.png": 0.4, "night_00009.png": 0.8})
    assert source.rate is None
    made_from = origin(settings, side)["sources"]
    assert made_from == [{"video": identity(film)}, {"folder": "day", "video": None, "options": None}]
    json.dumps(settings.recorded(origin(settings, side)))


def test_sources_that_are_missing_or_have_one_name(film, folder, tmp_path):
    side = Workspace(tmp_path / "w").create().side("src")
    with pytest.raises(InputError, match="no such film"):
        frames_of(ExtractSettings(sources=(film, tmp_path / "nothing.mp4")), side)
    (tmp_path / "night").mkdir()
    with pytest.raises(InputError, match="two sources of one name"):
        frames_of(ExtractSettings(sources=(film, tmp_path / "night")), side)


def test_rates_that_agree(film):
    assert joined([frames_of_film(film, Pick(), "a_"), frames_of_film(film, Pick(), "b_")]).rate == pytest.approx(10)


def test_defaults_are_recorded_as_older_versions_did():
    recorded = ExtractSettings().recorded({})
    assert set(recorded) == {
        *("face_type", "image_size", "jpeg_quality", "max_faces", "min_face_size", "every", "from_video", "detector"),
        *("detect_score", "detect_size", "rotations", "landmarker", "embedder", "dfl_exact", "source"),
        "mesh_points",  # which is not the one of older versions any more
    }
    assert "mesh_points" not in ExtractSettings(mesh_points=1).recorded({})
    assert recorded["min_face_size"] == 40 and recorded["face_type"] == "whole_face"
    assert ExtractSettings(min_face_size="5%", refeed=3).recorded({})["min_face_size"] == "5%"
    assert ExtractSettings(refeed=3).recorded({})["refeed"] == 3
