"""Operations on faces, many and at random: undo and redo, a server that is killed, requests that make no sense."""

import json
import random
import signal
import threading
import time
import uuid
from contextlib import suppress

import httpx2
import numpy as np
import pytest
from frames_kit import BOX, POINTS, Client, copied, planted_workspace
from workbench_kit import FRAMES, NO_FACE
from workbench_server import Server

from core.faceset.database import faces as face_rows
from core.faceset.database.connection import open_database

STEPS = 60


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    return planted_workspace(tmp_path_factory.mktemp("frames") / "work")


@pytest.fixture
def client(planted, tmp_path):
    made = Client(copied(planted, tmp_path / "work"))
    yield made
    made.bench.vision.close()


def something(client, chance):
    """An operation that can be carried out now."""
    frame = chance.randint(1, FRAMES)
    there = client.frame(frame)
    if not there:
        points = (POINTS + (chance.uniform(-9, 9), chance.uniform(-9, 9))).tolist()
        return {"op": "add_face", "frame": f"{frame:05d}.png", "box": BOX, "points": points}
    face = chance.choice(there)
    place = {"face": face["id"], "base": face["base"]}
    points = np.array(face["points"]) + np.random.default_rng(chance.randint(0, 9999)).uniform(-4, 4, (68, 2))
    kinds = [
        place | {"op": "move_points", "points": points.tolist()},
        place | {"op": "move_square", "points": points.tolist(), "box": [value + 2 for value in face["box"]]},
        place | {"op": "move_box", "box": [value - 3 for value in face["box"]]},
        place | {"op": "delete_face"},
        {"op": "set_person", "faces": [face["id"]], "person": chance.choice(["Ann", "Bob", ""])},
        {"op": "copy", "frame": f"{NO_FACE:05d}.png", "source": face["id"], "box": BOX, "points": points.tolist()},
    ]
    return chance.choice(kinds)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_random_walk_can_be_walked_back_and_on_again(client, seed):
    chance = random.Random(seed)
    states, place = [client.places()], 0
    for _ in range(STEPS):
        way = chance.random()
        if way < 0.3 and place > 0:
            assert client.post("dst/undo").status_code == 200
            place -= 1
        elif way < 0.45 and place < len(states) - 1:
            assert client.post("dst/redo").status_code == 200
            place += 1
        else:
            answer = client.edit(something(client, chance))
            assert answer.status_code == 200, answer.text
            if answer.json()["faces"]:
                place += 1
                states[place:] = [client.places()]
        assert client.places() == states[place]
    # Another server knows it all.
    again = Client(client.bench.workspace)
    while place > 0:
        assert again.post("dst/undo").status_code == 200
        place -= 1
        assert again.places() == states[place]


CHOICES = [None, 0, -1, 1e300, "", "x" * 3000, "../../x", [], {}, [[1]], True, "0" * 16, float("nan")]


@pytest.mark.parametrize("seed", range(3))
def test_requests_that_make_no_sense_are_answered(client, seed):
    """Never with a 500, and nothing is changed by one that is refused."""
    chance = random.Random(seed)
    for _ in range(40):
        operation = something(client, chance)
        name = chance.choice([*operation, "more"])
        broken = operation | {name: chance.choice(CHOICES)}
        if chance.random() < 0.3 and "points" in operation:
            broken = operation | {"points": [[chance.choice([0.0, 5.0])] * 2] * chance.choice([67, 68, 69])}
        before = client.places()
        body = {"id": str(uuid.uuid4()), "operations": [broken]}
        headers = {"content-type": "application/json"}
        answer = client.client.post("/api/v1/dst/edits", content=json.dumps(body), headers=headers)
        assert answer.status_code in (200, 400, 404, 409, 422), (broken, answer.text)
        assert answer.status_code == 200 or client.places() == before


@pytest.mark.parametrize("body", [{}, {"page": "x"}, {"page": "x", "frame": 0, "box": [1, 2, 0, 0]}])
@pytest.mark.parametrize("route", ["landmarks", "follow"])
def test_questions_that_make_no_sense(client, route, body):
    assert client.post(f"dst/{route}", body).status_code == 422


def test_questions_about_what_is_not_there(client):
    asked = {"page": "x", "frame": 999, "box": BOX}
    assert client.post("dst/landmarks", asked).status_code == 404
    asked = {"page": "x", "face": "0" * 16, "source": 0, "frame": 1}
    assert client.post("dst/follow", asked).status_code == 404


def test_a_killed_server_loses_nothing_that_it_has_acknowledged(planted, tmp_path):
    workspace = copied(planted, tmp_path / "work")
    chance = random.Random(7)
    for _ in range(2):
        server = Server(workspace, "--port", "0")
        with server.entered() as page:
            for number in range(chance.randint(1, 6)):
                (now,) = page.get("/api/v1/dst/placed").json()["frames"][0]["faces"]
                points = [*now["points"][:30], [200.0 + number, chance.uniform(200, 260)], *now["points"][31:]]
                assert page.post("/api/v1/dst/edits", json=moved(now, points)).status_code == 200
            # One more is under way.
            (again,) = page.get("/api/v1/dst/placed").json()["frames"][0]["faces"]
            last = [[x + 1, y] for x, y in points]
            sending = threading.Thread(target=sent_in_vain, args=(page, moved(again, last)))
            sending.start()
            time.sleep(chance.uniform(0, 0.02))
            server.end(signal.SIGKILL)
            sending.join()
        with open_database(workspace.side("dst").database) as connection:
            kept = face_rows.find_face(connection, now["id"]).landmarks
        assert np.array_equal(kept, points) or np.array_equal(kept, last)


def moved(face, points):
    """The request that moves a face there."""
    operation = {"op": "move_points", "face": face["id"], "base": face["base"], "points": points}
    return {"id": str(uuid.uuid4()), "operations": [operation]}


def sent_in_vain(page, body):
    """The server ends before its answer, or just after."""
    with suppress(httpx2.HTTPError):
        page.post("/api/v1/dst/edits", json=body)
