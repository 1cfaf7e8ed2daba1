"""What is read of a training run, and asked of it."""

import json
import math

import pytest
from starlette.testclient import TestClient
from workbench_kit import training_files

from core import stages
from core.training.requests import FILE
from core.workbench.app import new_keys, workbench_app
from core.workbench.bench import Bench
from core.workbench.training.metrics import Metrics, curve, latest
from core.workspace import Workspace

KEYS = new_keys(8600)
HOME = "http://127.0.0.1:8600"


def line(number, **more):
    return json.dumps(
        {"model": "m", "iter": number, "src_loss": 1 / number, "dst_loss": 2, "ms": 10, "wait_ms": 1} | more
    )


def write(path, *lines):
    path.write_text("".join(f"{one}\n" for one in lines))


def test_lines_are_read_on(tmp_path):
    path = tmp_path / "metrics.jsonl"
    metrics = Metrics(path)
    assert metrics.read_on() == 0
    write(path, *map(line, range(1, 11)))
    metrics.read_on()
    with open(path, "a") as stream:
        stream.write(line(11, held_src=0.5, held_dst=0.6) + "\n" + line(12)[:20])
    metrics.read_on()
    rows = metrics.columns("m")
    assert list(rows[:, 0]) == list(range(1, 12)) and math.isnan(rows[0, 5]) and rows[10, 5] == 0.5
    with open(path, "a") as stream:
        stream.write(line(12)[20:] + "\n")
    metrics.read_on()
    assert len(metrics.columns("m")) == 12


def test_lines_that_were_taken_back_are_gone(tmp_path):
    path, other = tmp_path / "metrics.jsonl", tmp_path / "other"
    metrics = Metrics(path)
    write(path, *map(line, range(1, 11)))
    metrics.read_on()
    write(other, *map(line, range(1, 5)))
    other.replace(path)  # as training does it
    metrics.read_on()
    assert len(metrics.columns("m")) == 4


@pytest.mark.parametrize("bad", ["", "{", "[]", "null", '{"iter": "x"}', '{"iter": [1]}', "[" * 5000, "\xff"])
def test_damaged_lines_are_passed_over(tmp_path, bad):
    path = tmp_path / "metrics.jsonl"
    write(path, line(1), bad, line(2))
    metrics = Metrics(path)
    metrics.read_on()
    found = metrics.columns("m")
    assert 1 in found[:, 0] and 2 in found[:, 0]


def test_models_are_kept_apart(tmp_path):
    path = tmp_path / "metrics.jsonl"
    write(path, line(1), line(1, model="other"), line(2))
    metrics = Metrics(path)
    metrics.read_on()
    assert metrics.models() == ["m", "other"] and len(metrics.columns("m")) == 2 and metrics.newest == "m"


def test_a_curve_keeps_mean_and_range(tmp_path):
    path = tmp_path / "metrics.jsonl"
    write(path, *(line(number, src_loss=number % 2, held_src=0.1) for number in range(1, 1001)))
    metrics = Metrics(path)
    metrics.read_on()
    found = curve(metrics.columns("m"), 10)
    assert found["x"] == list(range(100, 1001, 100)) and found["src"] == [0.5] * 10
    assert found["src_low"] == [0] * 10 and found["src_high"] == [1] * 10 and len(found["held"][0]) == 1000
    assert latest(metrics.columns("m")) == {
        "iter": 1000,
        "src": 0.5,
        "dst": 2,
        "ms": 10,
        "wait": 0.1,
        "held_src": 0.1,
        "held_dst": None,
    }
    assert curve(metrics.columns("nobody"), 10)["x"] == [] and latest(metrics.columns("nobody")) == {}


@pytest.fixture
def workspace(tmp_path):
    made = Workspace(tmp_path / "work").create()
    training_files(made, iterations=1200)
    return made


@pytest.fixture
def client(workspace):
    made = TestClient(workbench_app(Bench(workspace, stages, 0), KEYS), base_url=HOME, headers={"origin": HOME})
    made.post("/enter", content=KEYS.token)
    return made


def test_summary_and_previews(client):
    found = client.get("/api/v1/training/summary?points=50").json()
    assert found["model"] == "swap_SAEHD" and found["history"] == [400, 800, 1200] and len(found["curve"]["x"]) == 50
    assert [phase["start"] for phase in found["phases"]] == [0, 1500, 3000]
    newest = client.get("/api/v1/training/preview.jpg")
    old = client.get("/api/v1/training/preview.jpg?model=swap_SAEHD&iteration=400")
    assert newest.headers["content-type"] == "image/jpeg" and old.content != newest.content
    for query in ("model=swap_SAEHD&iteration=401", "model=nobody&iteration=400", "model=../x&iteration=400"):
        answer = client.get(f"/api/v1/training/preview.jpg?{query}")
        assert answer.status_code == 404 or answer.content == newest.content


def test_nothing_is_asked_of_nobody(client, workspace):
    assert client.post("/api/v1/training/request", json={"save": True}).status_code == 409
    assert not (workspace.model / FILE).exists()


def test_what_is_asked_reaches_the_run(client, workspace):
    with workspace.locked("train.swap", "the model swap"):
        body = {"save": True, "numbers": {"learning_rate": 2e-5, "preview_every": 50}}
        assert client.post("/api/v1/training/request", json=body).status_code == 200
    asked = json.loads((workspace.model / FILE).read_text())
    assert asked == {"save": True, "learning_rate": 2e-5, "preview_every": 50}


@pytest.mark.parametrize(
    ("numbers", "field"), [({"learning_rate": 7}, "learning_rate"), ({"preview_every": -1}, "preview_every")]
)
def test_numbers_that_cannot_be(client, workspace, numbers, field):
    with workspace.locked("train.swap", "the model swap"):
        answer = client.post("/api/v1/training/request", json={"numbers": numbers})
    assert answer.status_code == 422 and list(answer.json()["fields"]) == [field]
    assert not (workspace.model / FILE).exists()


def test_what_does_not_change_while_training(client, workspace):
    with workspace.locked("train.swap", "the model swap"):
        answer = client.post("/api/v1/training/request", json={"numbers": {"batch_size": 8}})
    assert answer.status_code == 422 and "preview_every" in answer.text
