"""Whatever a request says, the answer is a refusal in words or the deed, and the database stays whole."""

import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from starlette.testclient import TestClient
from workbench_kit import small_workspace

from core import stages
from core.faceset.database.connection import open_database
from core.workbench.app import new_keys, workbench_app
from core.workbench.bench import Bench

KEYS = new_keys(8600)
HOME = "http://127.0.0.1:8600"
ANSWERS = {200, 304, 400, 404, 409, 422}
NUMBERS = some.integers(-(2**70), 2**70) | some.floats(allow_nan=False, allow_infinity=False)
JSON = some.recursive(
    some.none() | some.booleans() | NUMBERS | some.text(max_size=20),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
NAMES = some.sampled_from(["status", "mark", "frame", "size", "yaw", "sort", "group", "columns", "person", "x"])
VALUES = some.text(max_size=12) | some.sampled_from(
    ["kept", "..", "-1..", "1..nan", "inf", "1e999", "-size", "frame,mark"]
)


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Bench(small_workspace(tmp_path_factory.mktemp("bench") / "work", trained=False), stages, 0)


@pytest.fixture(scope="module")
def client(bench):
    made = TestClient(workbench_app(bench, KEYS), base_url=HOME, headers={"origin": HOME})
    made.post("/enter", content=KEYS.token)
    return made


FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(query=some.lists(some.tuples(NAMES, VALUES), max_size=4))
def test_queries(client, query):
    assert client.get("/api/v1/dst/view", params=query).status_code in ANSWERS


@FUZZ
@given(
    path=some.sampled_from(["src/edits", "src/undo", "src/apply", "jobs", "form", "jobs/x/stop", "training/request"]),
    body=JSON,
)
def test_bodies(client, path, body):
    assert client.post(f"/api/v1/{path}", json=body).status_code in ANSWERS


@FUZZ
@given(data=some.data())
def test_operations(client, bench, data):
    ids = [f"{int(number):016x}" for number in bench.sides["src"].table()[1].ids]
    faces = some.lists(some.sampled_from([*ids, "0" * 16]) | some.text(max_size=3), max_size=3)
    operation = data.draw(
        some.fixed_dictionaries(
            {"op": some.sampled_from(["set_mark", "set_person", "undo", ""]), "faces": faces},
            optional={"mark": some.sampled_from(["", "keep", "trash", "x"]) | JSON, "person": some.text(max_size=90)},
        )
    )
    body = {"id": str(uuid.uuid4()), "operations": [operation], "base": data.draw(some.none() | some.text(max_size=5))}
    assert client.post("/api/v1/src/edits", json=body).status_code in ANSWERS
    with open_database(bench.sides["src"].side.database) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT COUNT(*) FROM faces WHERE status = 'kept'").fetchone() == (12,)


@pytest.mark.parametrize("path", ["form?stage=%00", "form?stage=alignments", "jobs/%00/log", "src/frame/٣.jpg"])
def test_odd_characters(client, path):
    assert client.get(f"/api/v1/{path}").status_code in ANSWERS
