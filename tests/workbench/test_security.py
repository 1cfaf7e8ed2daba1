"""Who gets in: every threat that the design names has its row here."""

import re
import socket
import stat
import struct
import uuid
import zlib

import cv2
import numpy as np
import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from workbench_kit import small_workspace

from core import stages
from core.errors import InputError, UsageError
from core.options import parse
from core.stages.workbench import Options
from core.web.server import bound, bound_to_file
from core.workbench.app import new_keys, workbench_app
from core.workbench.bench import Bench
from core.workspace import Workspace

KEYS = new_keys(8600)
HOME = "http://127.0.0.1:8600"
OURS = {"origin": HOME}
EVENTS = "ws://127.0.0.1:8600/api/v1/events"


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    return workbench_app(Bench(small_workspace(tmp_path_factory.mktemp("work"), trained=False), stages, 0), KEYS)


@pytest.fixture
def stranger(app):
    return TestClient(app, base_url=HOME)


@pytest.fixture
def client(stranger):
    assert stranger.post("/enter", content=KEYS.token, headers=OURS).status_code == 200
    return stranger


@pytest.mark.parametrize(
    "path", ["/", "/api/v1/state", "/api/v1/src/view", "/static/main.js", "/api/v1/jobs", "/nothing"]
)
def test_nothing_without_the_cookie(stranger, path):
    assert stranger.get(path).status_code == 401
    stranger.cookies.set(KEYS.cookie, KEYS.token)
    assert stranger.get(path).status_code == 401


def test_the_page_that_takes_the_token_knows_no_secret(stranger):
    for path in ("/enter", "/static/enter.js", "/static/theme.css"):
        answer = stranger.get(path)
        assert answer.status_code == 200
        assert not any(secret in answer.text for secret in (KEYS.token, KEYS.session, KEYS.outside))


@pytest.mark.parametrize("token", ["", "wrong", KEYS.token[:-1], "x" * 5000], ids=["empty", "wrong", "cut", "long"])
def test_a_wrong_token_gets_no_cookie(stranger, token):
    answer = stranger.post("/enter", content=token, headers=OURS)
    assert answer.status_code == 401 and "set-cookie" not in answer.headers


def test_the_cookie(stranger):
    cookie = stranger.post("/enter", content=KEYS.token, headers=OURS).headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie and "forge_workbench_8600" in cookie


def test_the_link_is_new_at_every_start():
    assert new_keys(8600).token != KEYS.token and len(KEYS.token) >= 43
    assert KEYS.link == f"http://127.0.0.1:8600/enter#{KEYS.token}"


@pytest.mark.parametrize("host", ["evil.example:8600", "127.0.0.1:9999", "127.0.0.1", "localhost.evil.example:8600"])
def test_another_name_of_this_server_is_refused(client, host):
    assert client.get("/", headers={"host": host}).status_code == 421
    assert client.post("/api/v1/src/undo", json={}, headers={"host": host, **OURS}).status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1:8600", "localhost:8600", "[::1]:8600"])
def test_the_names_of_this_server(client, host):
    assert client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:9999"},  # another port is the same site for cookies
        {"origin": "null"},
        {"origin": HOME, "sec-fetch-site": "cross-site"},
        {"origin": HOME, "sec-fetch-site": "same-site"},
    ],
)
def test_requests_of_other_pages_are_refused(client, headers):
    assert client.get("/api/v1/state", headers=headers).status_code == 403
    assert client.post("/api/v1/jobs", json={}, headers=headers).status_code == 403
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(EVENTS, headers=headers):
        pass


LINK = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


def test_the_link_may_be_clicked_anywhere(stranger):
    """Such as in a terminal that is a page itself; it opens what has no secret, and nothing else."""
    assert stranger.get("/enter", headers=LINK).status_code == 200
    assert stranger.get("/", headers=LINK).status_code == 403
    assert stranger.post("/enter", content=KEYS.token, headers=LINK | OURS).status_code == 403
    for more in ({"sec-fetch-dest": "iframe"}, {"sec-fetch-mode": "no-cors"}):
        assert stranger.get("/enter", headers=LINK | more).status_code == 403


def test_what_changes_things_must_say_where_it_comes_from(client):
    assert client.post("/api/v1/src/undo", json={}).status_code == 403
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(EVENTS):
        pass


def test_nothing_changes_by_looking(client):
    for path in ("src/undo", "src/redo", "src/edits", "src/apply", "jobs/x/stop", "training/request"):
        assert client.get(f"/api/v1/{path}").status_code in (404, 405)


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static//etc/passwd",
        "/static/vendor/../../app.py",
        "/static/lib",
        "/static/",
        "/api/v1/src/face/..%2f..%2f..%2fetc%2fpasswd.jpg",
        "/api/v1/jobs/..%2f..%2fmodel/log",
        "/api/v1/..%2fsrc/faces",
        "/api/v1/training/preview.jpg?model=..%2f..&iteration=1",
    ],
)
def test_no_request_names_a_path(client, path):
    assert client.get(path).status_code in (404, 422)


def test_scripts_and_styles_are_ours_alone(client):
    answer = client.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert policy.count("'sha256-") == 1 and "connect-src 'self' ws://127.0.0.1:8600 ws://localhost:8600;" in policy
    assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert client.get("/api/v1/nothing").headers["content-security-policy"] == policy
    assert not re.findall(r"https?://", answer.text) and "style=" not in answer.text


def test_a_body_that_is_too_long_is_not_read(client):
    answer = client.post("/api/v1/src/edits", content=b"x" * (5 << 20), headers=OURS)
    assert answer.status_code == 422 and "4 MB" in answer.text


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[]", b"\xff", b"[" * 100_000, b'{"id": 1e999}'])
def test_bodies_that_make_no_sense(client, body):
    for path in ("src/edits", "jobs", "src/undo", "training/request"):
        assert client.post(f"/api/v1/{path}", content=body, headers=OURS).status_code == 422


def test_a_socket_is_for_its_owner(tmp_path):
    path = tmp_path / "bench.sock"
    with bound_to_file(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


def test_a_socket_takes_no_place_of_another(tmp_path):
    path = tmp_path / "bench.sock"
    path.write_text("mine")
    with pytest.raises(InputError, match="something else"), bound_to_file(path):
        pass
    assert path.read_text() == "mine"
    path.unlink()
    with bound_to_file(path) as first:
        first.listen()
        with pytest.raises(InputError, match="another server"), bound_to_file(path):
            pass
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    with bound_to_file(path):
        assert path.is_socket()


def test_only_this_computer_is_listened_to():
    with bound(0) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"
    assert "host" not in Options.model_fields and "address" not in Options.model_fields
    with pytest.raises(UsageError):
        parse(Options, "workbench", ["--socket", "x.sock", "--port", "0"])


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "set_mark", "faces": [f"{number:016x}" for number in range(100_001)], "mark": "keep"},
        {
            "op": "set_polygons",
            "face": "0" * 16,
            "base": "",
            "polygons": [{"include": True, "points": [[0, 0]] * 10_001}],
        },
        {
            "op": "set_polygons",
            "face": "0" * 16,
            "base": "",
            "polygons": [{"include": True, "points": 3 * [[0, 0]]}] * 501,
        },
    ],
    ids=("faces", "points", "polygons"),
)
def test_an_edit_has_an_end(client, operation):
    body = {"id": str(uuid.uuid4()), "operations": [operation]}
    answer = client.post("/api/v1/src/edits", json=body, headers=OURS)
    assert answer.status_code == 422 and "at most" in answer.text


def test_hostile_names_stay_text():
    """No module of the page makes HTML of a text."""
    folder = stages.FOLDER.parent / "workbench" / "static"
    ours = [path for path in folder.rglob("*.js") if path.parent.name != "vendor"]
    assert len(ours) > 10
    for path in ours:
        text = path.read_text(encoding="utf-8")
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|dangerously|document\.write|eval\(|https?://", text
        )


def test_the_workspace_is_not_made_in_a_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(InputError), Workspace(tmp_path).locked("x", "x"):
        pass


def declared(width: int, height: int) -> bytes:
    """A small PNG that says that it is this large."""
    png = bytearray(cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes())
    png[16:24] = struct.pack(">II", width, height)
    png[29:33] = struct.pack(">I", zlib.crc32(bytes(png[12:29])))
    return bytes(png)


@pytest.mark.parametrize("content", [declared(60_000, 60_000), b"\xff\xd8\xff\xe0" + b"x" * 99, b"", b"GIF89a" * 20])
def test_hostile_pictures_are_answered(tmp_path, content):
    side = small_workspace(tmp_path / "work", trained=False).side("src")
    app = workbench_app(Bench(side.workspace, stages, 0), KEYS)
    client = TestClient(app, base_url=HOME)
    assert client.post("/enter", content=KEYS.token, headers=OURS).status_code == 200
    frames, faces = sorted(side.frames.glob("*.png")), sorted(side.aligned.glob("*.jpg"))
    ids = client.get("/api/v1/src/frames").json()
    for path in (*frames, *faces):
        path.write_bytes(content)
    assert ids and frames and faces
    answer = client.get("/api/v1/src/frame/0.jpg")
    assert answer.status_code == 422 and answer.json()["error"], "in words: it is known what is wrong"
    for route in ("placed?from=0&count=1", "view", "masks", "faces"):
        assert client.get(f"/api/v1/src/{route}").status_code < 500, route
    assert client.get("/api/v1/state").status_code == 200
