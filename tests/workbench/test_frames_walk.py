"""Operations on faces, many and at random: undo and redo, a server that is killed, requests that make no sense."""

import json
import random
import subprocess
import sys
import threading
import time
import uuid
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

import numpy as np
import pytest
from frames_kit import BOX, POINTS, Client, copied, planted_workspace
from paths import ROOT
from workbench_kit import FRAMES, NO_FACE

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


class Killable:
    """A server of its own process, and a page that has entered it."""

    def __init__(self, workspace):
        command = [sys.executable, "-m", "core", "workbench", "--workspace", str(workspace.root), "--port", "0"]
        self.process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        link = next(line for line in self.process.stderr if "/enter#" in line)
        self.address, _, token = link[link.index("http") :].strip().partition("/enter#")
        answer = self.request("POST", "/enter", token)
        self.cookie = answer.headers["Set-Cookie"].split(";")[0]

    def request(self, method, path, body=None, cookie=""):
        connection = HTTPConnection(urlsplit(self.address).netloc)
        connection.request(method, path, body, {"Origin": self.address, "Cookie": cookie})
        return connection.getresponse()

    def json(self, method, path, body=None):
        answer = self.request(method, f"/api/v1/{path}", None if body is None else json.dumps(body), self.cookie)
        assert answer.status == 200, answer.read()
        return json.loads(answer.read())

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()


def test_a_killed_server_loses_nothing_that_it_has_acknowledged(planted, tmp_path):
    workspace = copied(planted, tmp_path / "work")
    chance = random.Random(7)
    for _ in range(2):
        server = Killable(workspace)
        for number in range(chance.randint(1, 6)):
            (now,) = server.json("GET", "dst/placed")["frames"][0]["faces"]
            points = [*now["points"][:30], [200.0 + number, chance.uniform(200, 260)], *now["points"][31:]]
            operation = {"op": "move_points", "face": now["id"], "base": now["base"], "points": points}
            server.json("POST", "dst/edits", {"id": str(uuid.uuid4()), "operations": [operation]})
        # One more is under way.
        (again,) = server.json("GET", "dst/placed")["frames"][0]["faces"]
        last = [[x + 1, y] for x, y in points]
        operation |= {"base": again["base"], "points": last}
        body = {"id": str(uuid.uuid4()), "operations": [operation]}
        threading.Thread(target=sent_in_vain, args=(server, body)).start()
        time.sleep(chance.uniform(0, 0.02))
        server.kill()
        with open_database(workspace.side("dst").database) as connection:
            kept = face_rows.find_face(connection, now["id"]).landmarks
        assert np.array_equal(kept, points) or np.array_equal(kept, last)


def sent_in_vain(server, body):
    """Nobody waits for the answer."""
    with suppress(OSError, HTTPException):
        server.request("POST", "/api/v1/dst/edits", json.dumps(body), server.cookie)
