"""Merging by eye, without a browser: frames, options, cues, what is missing."""

import json

import cv2
import numpy as np
import pytest
from frames_kit import Client
from merge_page import CUT, FRAMES, NO_FACE, TWO_FACES, merge_workspace

from core.jobs.merge.choices import MergeChoices
from core.jobs.merge.merge import merge
from core.merge.settings import MergeSettings
from core.stages.merge import LOOK, Options
from core.video.film.encoders import FilmSettings
from core.video.film.frames import read_film
from core.video.probe import probe

PLAIN = {"mask": "hull", "color": "none"}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    made = Client(merge_workspace(tmp_path_factory.mktemp("merge") / "work"))
    yield made
    made.bench.previewer.close()


@pytest.fixture(autouse=True)
def without_cues(client):
    yield
    for path in client.bench.workspace.root.glob("convert.toml*"):
        path.unlink()


def shown(client, number, values=PLAIN, **more):
    """(head, merged, target, mask) of a frame; number: from 1."""
    answer = client.post("merge/preview", {"page": "test", "frame": number - 1, "values": values, **more})
    assert answer.status_code == 200, answer.text
    data = answer.content
    length = int.from_bytes(data[:4], "little")
    head, place, pictures = json.loads(data[4 : 4 + length]), 4 + length, []
    for size in head["lengths"]:
        pictures.append(cv2.imdecode(np.frombuffer(data[place : place + size], np.uint8), cv2.IMREAD_COLOR).astype(int))
        place += size
    return head, *pictures


def swapped(merged, target):
    """Whether the face on the left, and the one on the right, is another one than in the film."""
    differs = np.abs(merged - target).max(axis=2) > 30
    return bool(differs[60:140, 80:180].any()), bool(differs[60:140, 215:290].any())


def test_the_film_its_shots_and_people(client):
    film = client.json("merge/film")
    assert (film["frames"], film["scenes"], film["persons"]) == (FRAMES, [0, CUT - 1], ["ann", "bob"])
    assert film["lacks"] == [] and film["films"] == [] and film["models"] == ["swap_SAEHD_model.dfm"]
    fields = {field["name"]: field for group in film["groups"] for field in group["fields"]}
    assert set(fields) == set(LOOK) and fields["erode"]["default"] == Options.model_fields["erode"].default
    assert fields["erode"]["cue"] and not fields["calm"]["cue"] and "seamless" in fields["mode"]["suggested"]


def test_a_frame_is_what_the_merge_makes(client):
    """The film, without what is calmed over time, has the same pictures but for its encoding."""
    workspace = client.bench.workspace
    settings = MergeSettings(**PLAIN, erode=6)
    output = workspace.root / "test.mkv"
    merge(workspace, "dst", MergeChoices(settings=settings, calm=0, output=output, film=FilmSettings(codec="ffv1")))
    film = [frame.image.astype(int) for frame in read_film(probe(output))]
    for number in (1, NO_FACE, TWO_FACES):
        head, merged, target, mask = shown(client, number, {**PLAIN, "erode": 6, "calm": 0})
        assert np.abs(merged - film[number - 1]).mean() < 3
        assert len(head["faces"]) == (0 if number == NO_FACE else 2 if number == TWO_FACES else 1)
        assert swapped(merged, target) == (number != NO_FACE, number == TWO_FACES)
        assert (mask.max() > 200) == (number != NO_FACE)
    output.unlink()


def test_options_change_the_picture(client):
    _, usual, target, mask = shown(client, 1)
    _, same, _, _ = shown(client, 1)
    _, smaller, _, less = shown(client, 1, {**PLAIN, "erode": 20})
    _, none, _, _ = shown(client, 1, {**PLAIN, "opacity": 0})
    assert np.array_equal(usual, same) and less.sum() < mask.sum() and not np.array_equal(usual, smaller)
    assert np.abs(none - target).mean() < 1
    _, exact, _, _ = shown(client, 1, {"exact": True, "mode": "overlay", "mask": "dst"})
    assert swapped(exact, target)[0]


@pytest.mark.parametrize(
    ("values", "words"),
    [({"erode": "much"}, "erode"), ({"mode": "x"}, "unknown mode"), ({"mask": "a +"}, "mask expression")],
)
def test_options_that_cannot_be_are_named(client, values, words):
    answer = client.post("merge/preview", {"page": "test", "frame": 0, "values": values})
    assert answer.status_code == 422 and words in answer.text


def test_a_frame_that_is_not_there(client):
    assert client.post("merge/preview", {"page": "test", "frame": 10**6}).status_code == 404


def test_a_cue_is_tried_then_written_then_obeyed(client):
    draft = {"where": {"person": "bob"}, "changes": {"swap": False}}
    _, merged, target, _ = shown(client, TWO_FACES, draft=draft)
    assert swapped(merged, target) == (True, False)
    state = client.json("merge/cues")
    assert state["cues"] == [] and not state["undo"]
    state = client.post("merge/cues", {**draft, "base": state["revision"]}).json()
    assert state["cues"] == [draft] and state["undo"]
    head, merged, target, _ = shown(client, TWO_FACES)
    assert swapped(merged, target) == (True, False) and head["cues"] == [1]
    _, merged, target, _ = shown(client, TWO_FACES, cues=False)
    assert swapped(merged, target) == (True, True)
    again = client.post("merge/cues/change", {"base": state["revision"], "number": 1}).json()
    assert again["cues"] == [] and again["error"] is None
    back = client.post("merge/cues/change", {"base": again["revision"]}).json()
    assert back["cues"] == [draft]


def test_cues_that_cannot_be(client):
    base = client.json("merge/cues")["revision"]
    for where, changes, status in (
        ({"person": "zoe"}, {"erode": 1}, 400),
        ({"scene": 3}, {"erode": 1}, 400),
        ({"frames": "9-2"}, {"erode": 1}, 422),
        ({}, {"erode": 1000}, 422),
        ({}, {}, 422),
    ):
        assert client.post("merge/cues", {"base": base, "where": where, "changes": changes}).status_code == status
    assert client.post("merge/cues", {"base": "older", "changes": {"erode": 1}}).status_code == 409
    assert client.post("merge/cues/change", {"base": base}).status_code == 400
    assert not (client.bench.workspace.root / "convert.toml").exists()


def test_a_file_that_cannot_be_read_is_said_and_kept(client):
    path = client.bench.workspace.root / "convert.toml"
    path.write_text("[[cue]]\nopacty = 1\n")
    state = client.json("merge/cues")
    assert "opacty" in state["error"]["what"]
    answer = client.post("merge/cues", {"base": state["revision"], "changes": {"erode": 1}})
    assert answer.status_code == 422 and path.read_text() == "[[cue]]\nopacty = 1\n"


def test_a_process_that_ends_is_started_anew(client):
    shown(client, 1)
    client.bench.previewer._process.kill()
    client.bench.previewer._process.join()
    shown(client, 1)


def test_without_a_model_or_faces_it_is_said(tmp_path):
    client = Client(merge_workspace(tmp_path / "work", model=False))
    assert client.json("merge/film")["lacks"] == ["model"]
    answer = client.post("merge/preview", {"page": "test", "frame": 0})
    assert answer.status_code == 400 and "no exported model" in answer.text
    client.bench.workspace.side("dst").database.unlink()
    assert client.json("merge/film")["lacks"] == ["model", "faces"]
    client.bench.previewer.close()


def test_only_films_of_the_stages_are_given(client):
    root = client.bench.workspace.root
    assert client.get("merge/films/result.mp4").status_code == 404
    assert client.get("merge/films/data_dst.mp4").status_code == 404
    (root / "result.mp4").write_bytes(b"film")
    answer = client.get("merge/films/result.mp4")
    assert answer.content == b"film" and "attachment" in answer.headers["content-disposition"]
    (root / "result.mp4").unlink()
