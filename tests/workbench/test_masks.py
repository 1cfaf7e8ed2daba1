"""Polygons over the routes that the page uses: in the face file, undone, found back by labelme, suggested."""

import numpy as np
import pytest
from frames_kit import Client, copied
from mask_networks import write_xseg
from workbench_kit import FAULTS, FRAMES, small_workspace

from core.faceset.database.changes import undo, unsettled
from core.faceset.database.connection import open_database
from core.formats import dfl_image, labelme
from core.jobs.masks.labels import export_labels, import_labels

INCLUDE = {"include": True, "points": [[20.25, 20.5], [70.5, 22.0], [66.0, 80.75], [25.0, 78.0]]}
EXCLUDE = {"include": False, "points": [[40.0, 50.0], [55.0, 50.0], [48.0, 62.0]]}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return small_workspace(tmp_path_factory.mktemp("masks") / "work", trained=False)


@pytest.fixture
def client(made, tmp_path):
    client = Client(copied(made, tmp_path / "work"))
    yield client
    client.bench.vision.close()


def face_of(client, number=1):
    """(id, what the page is told) of a target face."""
    identity = client.frame(number)[0]["id"]
    return identity, client.json(f"dst/masks/{identity}")


def draw(client, *polygons, number=1, base=None):
    identity, said = face_of(client, number)
    operation = {"op": "set_polygons", "face": identity, "base": base or said["base"], "polygons": list(polygons)}
    return client.edit(operation)


def stored(client, number=1):
    """The polygons in the face file, as JSON values."""
    record = dfl_image.read(client.bench.workspace.side("dst").aligned / f"{number:05d}_0.jpg")
    return [{"include": one.include, "points": one.points.tolist()} for one in record.polygons]


def test_polygons_are_those_of_the_file_and_of_labelme(client, tmp_path):
    assert draw(client, EXCLUDE, INCLUDE).status_code == 200
    # Includes come first, as everybody has them.
    assert stored(client) == [INCLUDE, EXCLUDE] == face_of(client)[1]["polygons"]
    exported = export_labels(client.bench.workspace, "dst", "labelme", folder=tmp_path / "labels")
    assert exported.written == ("00001_0.jpg",)
    image = labelme.read(tmp_path / "labels" / "00001_0.json")
    assert [{"include": one.include, "points": one.points.tolist()} for one in image.polygons] == [INCLUDE, EXCLUDE]


def test_undo_and_redo_go_through_the_file(client):
    draw(client, INCLUDE)
    draw(client, INCLUDE, EXCLUDE)
    for word, polygons in (("undo", [INCLUDE]), ("undo", []), ("redo", [INCLUDE]), ("redo", [INCLUDE, EXCLUDE])):
        assert client.post(f"dst/{word}").status_code == 200
        assert stored(client) == polygons


def test_undo_brings_back_what_another_program_had_drawn(client, tmp_path):
    draw(client, INCLUDE)
    workspace = client.bench.workspace
    export_labels(workspace, "dst", "labelme", folder=tmp_path / "labels")
    path = tmp_path / "labels" / "00001_0.json"
    path.write_text(path.read_text().replace("20.25", "31.0"))
    assert import_labels(workspace, "dst", tmp_path / "labels", overwrite=True).imported.changed == 1
    theirs = stored(client)
    assert theirs != [INCLUDE]
    # A mark, and its undoing, leave it alone.
    client.edit({"op": "set_mark", "faces": [face_of(client)[0]], "mark": "keep"})
    client.post("dst/undo")
    assert stored(client) == theirs
    draw(client, EXCLUDE)
    client.post("dst/undo")
    assert stored(client) == theirs


def test_a_killed_server_leaves_nothing_half_done(client):
    draw(client, INCLUDE)
    with open_database(client.bench.sides["dst"].side.database) as connection:
        undo(connection)  # as far as a server comes that is killed before the files follow
        assert unsettled(connection) and stored(client) == [INCLUDE]
    draw(client, EXCLUDE, number=2)
    assert stored(client) == [] and stored(client, 2) == [EXCLUDE]


def test_what_somebody_else_has_drawn_is_not_written_over(client):
    before = face_of(client)[1]["base"]
    draw(client, INCLUDE)
    answer = draw(client, EXCLUDE, base=before)
    assert answer.status_code == 409 and stored(client) == [INCLUDE]


@pytest.mark.parametrize(
    "polygon",
    [
        {"include": True, "points": [[1, 2], [3, 4]]},
        {"include": True, "points": [[1, 2], [3, 4], [1e9, 0]]},
        {"include": True, "points": [[1, 2], [3, 4], [None, 0]]},
        {"points": [[1, 2], [3, 4], [5, 6]]},
    ],
)
def test_what_is_no_polygon_is_refused(client, polygon):
    assert draw(client, polygon).status_code == 422 and stored(client) == []


def test_more_than_a_face_file_can_hold_is_refused_whole(client):
    points = np.random.default_rng(0).uniform(0, 95, (5000, 2)).round(2).tolist()
    answer = draw(client, *[{"include": True, "points": points}] * 3)
    assert answer.status_code == 400 and stored(client) == []
    assert client.post("dst/undo").status_code == 400


def test_filters_and_the_least_certain_first(client):
    draw(client, INCLUDE)
    said = client.json("dst/masks")
    assert said["left"] == 0
    assert said["counts"] == {"all": FRAMES, "labelled": 1, "unlabelled": FRAMES - 1, "stale": 0}
    obstructed = next(number for number, fault in FAULTS.items() if fault == "obstructed")
    assert view(client, "polygons=0&sort=-doubt&doubt=..1000")[0] == face_of(client, obstructed)[0]
    assert view(client, "polygons=1..") == [face_of(client)[0]]


def view(client, query):
    data = client.get(f"dst/masks/view?{query}").content
    head = 4 + int.from_bytes(data[:4], "little")

    ids = np.frombuffer(data, "<u8", offset=head, count=(len(data) - head) // (8 + 5 * 4))
    return [f"{int(number):016x}" for number in ids]


def test_the_mask_as_a_picture(client):
    answer = client.get(f"dst/masks/{face_of(client)[0]}/mask.png")
    assert answer.status_code == 200 and answer.content[:4] == b"\x89PNG"


def test_suggestions_come_from_the_stored_mask_with_a_tolerance(client):
    identity, said = face_of(client)
    assert said["stored"]
    counts = []
    for tolerance in (0.5, 8.0):
        asked = {"page": "p", "face": identity, "source": "stored", "tolerance": tolerance}
        answer = client.post("dst/masks/suggest", asked).json()
        assert answer["source"] == said["mask"]
        counts.append(sum(len(one["points"]) for one in answer["polygons"]))
    assert counts[0] > counts[1] >= 3


def test_the_network_suggests_or_says_what_is_missing(client):
    identity, _ = face_of(client)
    asked = {"page": "p", "face": identity, "source": "network"}
    answer = client.post("dst/masks/suggest", asked)
    assert answer.status_code == 400 and "no mask network" in answer.json()["error"]["what"]
    write_xseg(client.bench.workspace.model, seed=1)
    answer = client.post("dst/masks/suggest", asked)
    assert answer.status_code == 200 and answer.json()["source"] == "network"
    assert isinstance(answer.json()["polygons"], list)
