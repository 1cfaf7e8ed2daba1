"""Lanes, places of faces and the operations that move them, over the routes that the page uses."""

import numpy as np
import pytest
from frames_kit import BOX, MISALIGNED, PLANTED, POINTS, Client, copied, planted_workspace
from workbench_kit import FRAMES, NO_FACE, OTHER_PERSON, TWO_FACES

from core import stages
from core.faceset.database import images, measured
from core.faceset.database.connection import open_database
from core.faceset.scores.persons import EMBEDDER
from core.workspace import Workspace


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    return planted_workspace(tmp_path_factory.mktemp("frames") / "work")


@pytest.fixture
def client(planted, tmp_path):
    made = Client(copied(planted, tmp_path / "work"))
    yield made
    made.bench.vision.close()


def moved(face, x, y):
    """The points of a face, moved."""
    return (np.array(face["points"]) + (x, y)).tolist()


def usual(client, frame):
    """The face of the one long track in a frame."""
    return next(face for face in client.frame(frame) if face["track"] == 1)


@pytest.mark.parametrize("name", PLANTED)
def test_filters_find_what_is_planted(client, name):
    assert client.flagged(name) == [PLANTED[name]]


def test_lanes(client):
    head, columns = client.lanes()
    assert head["frames"] == FRAMES and head["counts"]["none"] == 1
    assert columns["faces"][TWO_FACES - 1] == 2 and columns["faces"][NO_FACE - 1] == 0
    assert np.isnan(columns["lowest"][NO_FACE - 1]) and columns["who"][NO_FACE - 1] == 0


def test_limits_of_filters_are_the_page_s(client):
    assert client.flagged("small", "small=40") == []
    assert len(client.flagged("small", "small=300")) == FRAMES - 1
    assert client.get("dst/lanes?small=x").status_code == 422


def test_a_gap_of_a_track_is_where_it_shows_no_face(client):
    assert client.flagged("gap") == [NO_FACE]


def test_somebody_else_is_found_by_name(client):
    other, usual = client.frame(OTHER_PERSON)[0]["id"], [client.frame(n)[0]["id"] for n in (1, 2)]
    client.edit(
        {"op": "set_person", "faces": [other], "person": "Bob"}, {"op": "set_person", "faces": usual, "person": "Ann"}
    )
    assert client.flagged("person") == [OTHER_PERSON]
    head, columns = client.lanes()
    assert head["persons"] == ["Ann", "Bob"] and list(columns["who"][[0, 1, OTHER_PERSON - 1]]) == [1, 1, 2]


def test_a_track_that_shows_another_person(client):
    side = client.bench.sides["dst"].side
    assert client.flagged("identity") == []
    another = client.frame(OTHER_PERSON)[0]["id"]
    vectors = {face: np.eye(2, 128, dtype=np.float32)[int(face == another)] for face in client.places()}
    with open_database(side.database) as connection, connection:
        measured.note_vectors(connection, EMBEDDER, vectors)
    # There, and where the track is again who it was.
    assert client.flagged("identity") == [OTHER_PERSON, OTHER_PERSON + 1]


def test_a_face_beyond_the_edge_is_cut_off(client):
    assert client.flagged("cutoff") == []
    face = client.frame(1)[0]
    client.edit({"op": "move_square", "face": face["id"], "base": face["base"], "points": moved(face, -250, 0)})
    assert client.flagged("cutoff") == [1] == client.flagged("edited")


def test_moving_points_makes_the_picture_stale_and_undo_makes_it_good_again(client):
    face = client.frame(1)[0]
    assert not face["stale"] and face["picture"]
    points = moved(face, 3, -2)
    answer = client.edit({"op": "move_points", "face": face["id"], "base": face["base"], "points": points})
    assert answer.json()["faces"] == 1
    (now,) = client.frame(1)
    assert np.allclose(now["points"], points, atol=0.001)
    assert now["stale"] and now["origin"] == "hand" and now["person"] == face["person"] and 1 in client.flagged("stale")
    client.post("dst/undo")
    assert client.frame(1)[0] == face


def test_a_box_alone_makes_nothing_stale(client):
    face = client.frame(1)[0]
    client.edit({"op": "move_box", "face": face["id"], "base": face["base"], "box": [10, 20, 200, 220]})
    (now,) = client.frame(1)
    assert now["box"] == [10, 20, 200, 220] and not now["stale"] and now["points"] == face["points"]


def test_a_new_face_and_taking_it_back(client):
    points = POINTS.tolist()
    add = {"op": "add_face", "frame": f"{NO_FACE:05d}.png", "box": BOX, "points": points}
    assert client.edit(add).status_code == 200
    (face,) = client.frame(NO_FACE)
    assert face["points"] == points and face["stale"] and not face["picture"]
    assert client.flagged("none") == []
    client.post("dst/undo")
    assert client.frame(NO_FACE) == []
    client.edit(add)
    assert [one["id"] for one in client.frame(NO_FACE)] == [face["id"]]


def test_a_deleted_face_takes_its_picture_along_and_brings_it_back(client):
    side = client.bench.workspace.side("dst")
    first, second = client.frame(TWO_FACES)
    client.edit({"op": "delete_face", "face": second["id"], "base": second["base"]})
    assert [face["id"] for face in client.frame(TWO_FACES)] == [first["id"]]
    with open_database(side.database) as connection:
        names = images.names_of_faces(connection, "aligned_trash")
    assert (side.frames / "aligned_trash" / names[second["id"]]).is_file()
    client.post("dst/undo")
    assert len(client.frame(TWO_FACES)) == 2
    assert (side.aligned / names[second["id"]]).is_file()


def test_a_face_that_somebody_has_moved_is_a_conflict(client):
    face = client.frame(1)[0]
    move = {"op": "move_points", "face": face["id"], "base": face["base"], "points": moved(face, 3, 0)}
    assert client.edit(move).status_code == 200
    answer = client.edit(move | {"points": moved(face, 9, 9)})
    assert answer.status_code == 409 and answer.json()["error"]["where"] == face["id"]
    assert client.frame(1)[0]["points"] == pytest.approx(np.array(move["points"]), abs=0.001)


def test_interpolating_a_gap(client):
    before, after = usual(client, NO_FACE - 1), usual(client, NO_FACE + 1)
    asked = {"op": "interpolate", "first": before["id"], "last": after["id"]}
    asked |= {"first_base": before["base"], "last_base": after["base"]}
    assert client.edit(asked).json()["faces"] == 1
    (made,) = client.frame(NO_FACE)
    assert made["origin"] == "interpolated" and made["track"] == 1 and 0 < made["confidence"] <= 1
    low, high = np.minimum(before["points"], after["points"]), np.maximum(before["points"], after["points"])
    assert ((np.array(made["points"]) > low - 8) & (np.array(made["points"]) < high + 8)).all()


def test_there_is_no_gap_between_neighbours(client):
    one, two = client.frame(1)[0], client.frame(2)[0]
    asked = {"op": "interpolate", "first": one["id"], "last": two["id"]}
    assert client.edit(asked | {"first_base": one["base"], "last_base": two["base"]}).status_code == 400


def test_a_move_is_applied_to_a_range_as_one_step(client):
    face, places = client.frame(1)[0], client.places()
    others = [client.frame(number)[0] for number in (2, 4, 5)]
    client.edit({"op": "move_square", "face": face["id"], "base": face["base"], "points": moved(face, 5, 0)})
    now = client.frame(1)[0]
    asked = {"op": "apply_move", "face": face["id"], "base": now["base"], "before": face["points"]}
    assert client.edit(asked | {"faces": [one["id"] for one in others]}).json()["faces"] == 3
    for before, number in zip(others, (2, 4, 5), strict=True):
        shift = np.array(client.frame(number)[0]["points"]) - before["points"]
        assert shift == pytest.approx(np.tile((5, 0), (68, 1)), abs=0.5)
    client.post("dst/undo")
    client.post("dst/undo")
    assert client.places() == places


def test_near_frames_that_show_faces(client):
    near = client.json(f"dst/near/{NO_FACE - 1}")
    assert (near["previous"]["number"], near["next"]["number"]) == (NO_FACE - 2, NO_FACE)
    assert client.json("dst/near/0")["previous"] is None


def test_landmarks_of_a_box(client):
    asked = {"page": "one", "frame": NO_FACE - 1, "box": BOX}
    answer = client.post("dst/landmarks", asked).json()
    assert answer["confidence"] > 0.5
    assert np.linalg.norm(np.array(answer["points"]) - POINTS, axis=1).mean() < 6
    outside = client.post("dst/landmarks", asked | {"box": [5000, 5000, 5100, 5100]})
    assert outside.status_code == 400 and client.post("dst/landmarks", asked).status_code == 200


def test_following_a_face_keeps_what_a_hand_has_corrected(client):
    face = usual(client, NO_FACE - 1)
    points = np.array(face["points"])
    points[30] += (4, 6)
    client.edit({"op": "move_points", "face": face["id"], "base": face["base"], "points": points.tolist()})
    asked = {"page": "one", "face": face["id"], "source": NO_FACE - 2, "frame": NO_FACE - 1}
    answer = client.post("dst/follow", asked).json()
    # The frames of the fixture are alike.
    assert np.abs(np.array(answer["points"]) - points).max() < 1
    copy = {
        "op": "copy",
        "frame": f"{NO_FACE:05d}.png",
        "source": face["id"],
        "box": answer["box"],
        "points": answer["points"],
    }
    assert client.edit(copy).status_code == 200
    (made,) = client.frame(NO_FACE)
    assert made["track"] == 1 and made["origin"] == "hand"


def test_the_stage_that_cuts_anew_uses_what_was_done(client):
    (bad,) = client.frame(MISALIGNED)
    client.edit({"op": "move_points", "face": bad["id"], "base": bad["base"], "points": POINTS.tolist()})
    client.edit({"op": "add_face", "frame": f"{NO_FACE:05d}.png", "box": BOX, "points": POINTS.tolist()})
    root = client.bench.workspace.root
    stage = stages.load("alignments extract")
    stage.run(stage.Options(side="dst"), Workspace(root))
    assert client.flagged("none") == client.flagged("misaligned") == []
    assert all(client.frame(number)[0]["picture"] for number in (MISALIGNED, NO_FACE))
    assert not client.frame(MISALIGNED)[0]["stale"]


@pytest.mark.parametrize(
    "path",
    ["dst/placed?from=999", "dst/placed?from=-1", "dst/placed?count=1000", "dst/near/x", "both/lanes", "both/near/1"],
)
def test_what_is_not_there_or_makes_no_sense(client, path):
    assert client.get(path).status_code in (404, 422)
