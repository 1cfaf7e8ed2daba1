"""The stage as a process of its own: its link, its socket, and what a killed server leaves."""

import json
import signal
import uuid

import pytest
from workbench_kit import small_workspace, wait_until
from workbench_server import Server

EDIT = {"op": "set_mark", "mark": "trash"}


@pytest.fixture
def workspace(tmp_path):
    return small_workspace(tmp_path / "work", trained=False)


def first_face(client):
    data = client.get("/api/v1/src/view").content
    start = 4 + int.from_bytes(data[:4], "little")
    assert json.loads(data[4:start])["count"] == 12
    return f"{int.from_bytes(data[start : start + 8], 'little'):016x}"


def test_no_acknowledged_edit_is_lost_when_the_server_is_killed(workspace):
    server = Server(workspace, "--port", "0")
    with server.entered() as client:
        face = first_face(client)
        body = {"id": str(uuid.uuid4()), "operations": [EDIT | {"faces": [face]}]}
        assert client.post("/api/v1/src/edits", json=body).json()["faces"] == 1
        assert server.end(signal.SIGKILL) == -signal.SIGKILL
    again = Server(workspace, "--port", "0")
    assert again.link[2] != server.link[2]
    with again.entered() as client:
        assert client.get("/api/v1/src/faces").json()["counts"]["mark"] == {"": 11, "trash": 1}
        assert client.post("/api/v1/src/edits", json=body).json()["repeated"]
        assert client.post("/api/v1/src/undo", json={}).json()["face"] == face
        job = client.post("/api/v1/jobs", json={"stage": "check-faceset", "values": {"side": "src"}}).json()
        wait_until(lambda: client.get("/api/v1/jobs").json()[0]["state"] == "done", 60)
        assert "12" in client.get(f"/api/v1/jobs/{job['id']}/log").json()["text"]
    assert again.end() == 0


def test_through_a_socket(workspace, tmp_path):
    path = tmp_path / "bench.sock"
    server = Server(workspace, "--socket", str(path), "--port", "8600")
    assert "ssh -L 8600:" in server.said and path.is_socket()
    with server.entered(uds=str(path)) as client:
        first_face(client)
    assert server.end() == 0 and not path.exists()
