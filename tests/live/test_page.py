"""The page's server: who gets in, pictures there and back, the stream for other programs."""

import asyncio
import json
import re
import socket
import threading

import cv2
import numpy as np
import pytest
from live_kit import new_player, wait_until
from portraits import person
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from core.errors import InputError
from core.formats.provenance import parse_xmp
from core.imaging.codec import encode_jpeg
from core.live.frames import Captured
from core.live.outlet import Outlet
from core.live.page import app as page_app
from core.web.guard import Keys
from core.web.server import bound, new_server

KEYS = Keys("forge_live", 8600)
HOME = "http://127.0.0.1:8600"
TALK = "ws://127.0.0.1:8600/talk"
OURS = {"origin": HOME}


class Live:
    """A player with its page."""

    def __init__(self, folder, takes_camera=True, **more):
        self.player, self.outlet = new_player(folder, **more), Outlet()
        self.player.outputs.append(self.outlet)
        self.app = page_app.live_app(self.player, self.outlet, KEYS, takes_camera=takes_camera)
        self.client = TestClient(self.app, base_url=HOME)

    def enter(self):
        assert self.client.post("/enter", content=KEYS.token, headers=OURS).status_code == 200
        return self.client


@pytest.fixture
def live(tmp_path):
    made = Live(tmp_path)
    with made.player:
        yield made


def test_the_page_is_whole_and_runs_nothing_else(live):
    answer = live.client.get("/")
    assert answer.status_code == 200 and KEYS.token not in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert policy.count("'sha256-") == 2 and "frame-ancestors 'none'" in policy
    assert not re.findall(r"https?://", answer.text)
    assert "src=" not in answer.text and "innerHTML" not in answer.text and "style=" not in answer.text


# Keys are drawn anew in each process: tests are named without them.
@pytest.mark.parametrize(
    "token", ["", "wrong", KEYS.token[:-1], "x" * 5000, "é"], ids=["empty", "wrong", "cut", "long", "accented"]
)
def test_a_wrong_token_gets_no_cookie(live, token):
    answer = live.client.post("/enter", content=token.encode(), headers=OURS)
    assert answer.status_code == 401 and "set-cookie" not in answer.headers


def test_the_cookie_is_for_this_page_only(live):
    cookie = live.client.post("/enter", content=KEYS.token, headers=OURS).headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie and "forge_live_8600" in cookie


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example:8600"}, 421),
        ({"host": "127.0.0.1:9999"}, 421),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:9999"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
    ],
)
def test_other_names_and_other_pages_are_refused(live, headers, status):
    client = live.enter()
    assert client.get("/", headers=headers).status_code == status
    assert client.post("/enter", content=KEYS.token, headers={**OURS, **headers}).status_code == status
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(TALK, headers={**OURS, **headers}):
        pass


def test_what_changes_things_must_say_where_it_comes_from(live):
    assert live.client.post("/enter", content=KEYS.token).status_code == 403
    with pytest.raises(WebSocketDisconnect), live.enter().websocket_connect(TALK):
        pass


@pytest.mark.parametrize(
    "path",
    ["/stream.mjpg", "/stream.mjpg?key=wrong", f"/stream.mjpg?key={KEYS.token}", "/other"],
    ids=["no key", "wrong key", "the page's key", "elsewhere"],
)
def test_nothing_without_the_cookie(live, path):
    assert live.client.get(path).status_code == 401
    live.client.cookies.set(KEYS.cookie, KEYS.token)
    assert live.client.get(path).status_code == 401
    with pytest.raises(WebSocketDisconnect), live.client.websocket_connect(TALK, headers=OURS):
        pass


def messages(socket, wanted):
    """The messages up to the first that ``wanted`` takes; the last one is that."""
    found = []
    while not found or not wanted(found[-1]):
        message = socket.receive()
        found.append(message["bytes"] if message.get("bytes") else json.loads(message["text"]))
    return found


def a_picture(message):
    return isinstance(message, bytes)


def test_a_picture_there_and_back(live):
    with live.enter().websocket_connect(TALK, headers=OURS) as socket:
        hello = socket.receive_json()
        assert hello["camera"] and hello["model"] == "tiny.dfm" and hello["controls"]["badge"]
        socket.send_bytes((41).to_bytes(4) + encode_jpeg(person(0)[0]))
        back = messages(socket, a_picture)[-1]
    assert int.from_bytes(back[:4]) == 41
    image = cv2.imdecode(np.frombuffer(back[4:], np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == person(0)[0].shape
    assert parse_xmp(back).tool.startswith("DFM Forge")
    wait_until(lambda: live.player.status()["with_faces"] == 1)
    wait_until(lambda: live.outlet.viewers == 0)


def test_no_more_than_two_pictures_are_on_their_way(live):
    image = person(0)[0]
    with live.enter().websocket_connect(TALK, headers=OURS) as socket:
        socket.receive_json()
        sent = []
        for number in range(1, 6):
            live.player.put(Captured(image, number))
            wait_until(lambda n=number: live.player.measured.frames == n)
            if number <= 2:
                sent.append(int.from_bytes(messages(socket, a_picture)[-1][:4]))
        socket.send_text('{"seen": true}')
        sent.append(int.from_bytes(messages(socket, a_picture)[-1][:4]))
    assert sent == [1, 2, 5]


def test_controls_and_what_is_refused(live):
    with live.enter().websocket_connect(TALK, headers=OURS) as socket:
        socket.receive_json()
        for text in ("nonsense", "[]", '{"change": 3}', "[" * 100_000):
            socket.send_text(text)
        socket.send_text('{"change": {"opacity": 0.5}}')
        told = messages(socket, lambda m: "error" in m)[-1]
        assert told["controls"]["opacity"] == 0.5 and not told["error"]
        socket.send_text('{"change": {"badge": false}}')
        told = messages(socket, lambda m: "error" in m)[-1]
        assert told["controls"]["badge"] and "consent" in told["error"]


def test_pictures_of_the_page_are_for_that_source_only(tmp_path):
    live = Live(tmp_path, takes_camera=False)
    with live.player, live.enter().websocket_connect(TALK, headers=OURS) as socket:
        assert not socket.receive_json()["camera"]
        socket.send_bytes((1).to_bytes(4) + encode_jpeg(person(0)[0]))
        socket.send_text('{"change": {"opacity": 0.5}}')
        messages(socket, lambda m: "error" in m)
    assert live.player.measured.frames == 0


def test_the_stream_is_jpegs_in_parts(live):
    async def two_parts():
        parts, found = page_app._parts(live.outlet), []
        for number in (1, 2):
            part = asyncio.ensure_future(anext(parts))
            await asyncio.sleep(0.05)
            live.player.put(Captured(person(0)[0], number))
            found.append(await asyncio.wait_for(part, 10))
        await parts.aclose()
        return found

    for part in asyncio.run(two_parts()):
        head, _, body = part.partition(b"\r\n\r\n")
        assert head.startswith(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: ")
        length = int(head.rsplit(b" ", 1)[1])
        assert body[length:] == b"\r\n" and body[:2] == b"\xff\xd8"
        assert cv2.imdecode(np.frombuffer(body[:length], np.uint8), cv2.IMREAD_COLOR) is not None
    assert live.outlet.viewers == 0


def test_nothing_is_encoded_for_nobody(live):
    live.player.put(Captured(person(0)[0], 1))
    wait_until(lambda: live.player.measured.frames == 1)
    assert live.outlet._newest is None


def test_small_answers_go_out_at_once():
    async def asked() -> int:
        accepted = []
        server = await asyncio.start_server(lambda reader, writer: accepted.append(writer), sock=bound(0))
        async with server:
            _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            while not accepted:
                await asyncio.sleep(0.01)
            waits = accepted[0].get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            for each in (writer, *accepted):
                each.close()
        return waits

    assert asyncio.run(asked())


def test_a_port_in_use_is_named():
    with bound(0) as taken:
        taken.listen()
        with pytest.raises(InputError, match="port"):
            bound(taken.getsockname()[1])


def test_the_real_server(live):
    """The same over a socket: it answers, refuses, and ends while a page is connected."""
    listening = bound(0)
    port = listening.getsockname()[1]
    keys = Keys("forge_live", port)
    app = page_app.live_app(live.player, live.outlet, keys, takes_camera=True)
    server = new_server(app, most_bytes=page_app.MOST_BYTES)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    address, cookie = f"ws://127.0.0.1:{port}/talk", {"Cookie": f"{keys.cookie}={keys.session}"}
    for origin, headers in ((f"http://127.0.0.1:{port}", {}), ("http://evil.example", cookie)):
        with pytest.raises(InvalidStatus) as refused, connect(address, origin=origin, additional_headers=headers):
            pass
        assert refused.value.response.status_code == 403
    with connect(address, origin=f"http://127.0.0.1:{port}", additional_headers=cookie) as socket:
        socket.send((5).to_bytes(4) + encode_jpeg(person(0)[0]))
        back = next(message for message in socket if isinstance(message, bytes))
        assert back[:4] == (5).to_bytes(4)
        server.should_exit = True
        thread.join(10)
    assert not thread.is_alive()
    wait_until(lambda: live.outlet.viewers == 0)
