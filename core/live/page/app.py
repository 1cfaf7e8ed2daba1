"""The server's answers: the page, its WebSocket, and the stream for other programs.

Over the WebSocket a picture is four bytes (its number, big-endian) and a JPEG, both ways; everything else is JSON. The
page says which pictures it has shown; more than two are never on their way, so that no buffer between adds delay.
"""

import asyncio
import base64
import hashlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from importlib.resources import files
from typing import Any

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket, WebSocketDisconnect

from core.errors import PipelineError
from core.live.controls import COLORS, MASKS, MODES
from core.live.frames import Captured
from core.live.outlet import Outlet
from core.live.player import Player
from core.web.guard import Doors, Guard, Keys, change_token, protective_headers
from core.web.look import stylesheets

PAGE, ENTER, STREAM = "/", "/enter", "/stream.mjpg"
MOST_BYTES = 4 << 20  # of a message
_ON_THE_WAY = 2  # pictures
_STATUS_EVERY = 0.5  # seconds
_BOUNDARY = "frame"


def live_app(player: Player, outlet: Outlet, keys: Keys, *, takes_camera: bool) -> ASGIApp:
    """The application. takes_camera: whether the pictures come from the page."""
    page = _page()

    async def show_page(request: Request) -> Response:
        return HTMLResponse(page)

    async def enter(request: Request) -> Response:
        return await change_token(request, keys)

    async def stream(request: Request) -> Response:
        return StreamingResponse(_parts(outlet), media_type=f"multipart/x-mixed-replace; boundary={_BOUNDARY}")

    async def talk(socket: WebSocket) -> None:
        await _Talk(socket, player, outlet, keys, takes_camera).run()

    routes = [
        Route(PAGE, show_page),
        Route(ENTER, enter, methods=["POST"]),
        Route(STREAM, stream),
        WebSocketRoute("/talk", talk),
    ]
    doors = Doors(without_key=(PAGE, ENTER), by_key=(STREAM,))
    return Guard(Starlette(routes=routes), keys, doors, protective_headers(_policy(page, keys)))


def _page() -> str:
    """The page with its style: one answer, for a page that is opened on its own."""
    text = files("core.live.page").joinpath("page.html").read_text(encoding="utf-8")
    look = "".join(sheet.decode() for sheet in stylesheets().values())
    return text.replace("<style>", f"<style>\n{look}", 1)


async def _parts(outlet: Outlet) -> AsyncIterator[bytes]:
    order = 0
    with outlet.watched():
        while True:
            picture = await outlet.after(order)
            order = picture.order
            head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture.jpeg)}\r\n\r\n"
            yield head.encode() + picture.jpeg + b"\r\n"


def _policy(page: str, keys: Keys) -> str:
    """Nothing is loaded from anywhere, and only the script and the style of the page itself run."""
    script, style = (_hash_of(page, tag) for tag in ("script", "style"))
    sockets = " ".join(f"ws://{host}" for host in keys.hosts[:2])
    return (
        f"default-src 'none'; script-src {script}; style-src {style}; connect-src 'self' {sockets}; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _hash_of(page: str, tag: str) -> str:
    found = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    text = found[1] if found else ""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


class _Talk:
    """One page that is connected."""

    def __init__(self, socket: WebSocket, player: Player, outlet: Outlet, keys: Keys, takes_camera: bool):
        self._socket, self._player, self._outlet, self._keys = socket, player, outlet, keys
        self._takes_camera = takes_camera
        self._free = asyncio.Semaphore(_ON_THE_WAY)
        self._unseen = 0

    async def run(self) -> None:
        await self._socket.accept()
        await self._tell(
            {
                "camera": self._takes_camera,
                "controls": self._player.controls.shown(),
                "choices": {"mask": MASKS, "color": COLORS, "mode": MODES},
                "morph": self._player.swapper.dfm.takes_morph,
                "model": self._player.swapper.path.name,
                "device": self._player.swapper.dfm.session.device,
                "stream": f"{STREAM}?key={self._keys.outside}",
            }
        )
        with self._outlet.watched():
            async with anyio.create_task_group() as group:
                for work in (self._show, self._report, self._listen):
                    group.start_soon(self._until_it_ends, work, group.cancel_scope)

    async def _until_it_ends(self, work: Callable[[], Awaitable[None]], all_of_it: anyio.CancelScope) -> None:
        """Do one of the things at the same time; when one ends, all do."""
        with suppress(WebSocketDisconnect, RuntimeError):  # the page was closed while it was sent to
            await work()
        all_of_it.cancel()

    async def _tell(self, message: dict[str, Any]) -> None:
        await self._socket.send_text(json.dumps(message))

    async def _show(self) -> None:
        order = 0
        while True:
            await self._free.acquire()
            picture = await self._outlet.after(order)
            order = picture.order
            self._unseen += 1
            await self._socket.send_bytes((picture.number & 0xFFFFFFFF).to_bytes(4) + picture.jpeg)

    async def _report(self) -> None:
        while True:
            await self._tell({"status": self._player.status()})
            await asyncio.sleep(_STATUS_EVERY)

    async def _listen(self) -> None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            data = message.get("bytes")
            if data is None:
                await self._heed(message.get("text") or "")
            elif self._takes_camera and len(data) > 4:
                self._player.put(Captured(data[4:], int.from_bytes(data[:4])))

    async def _heed(self, text: str) -> None:
        """What the page says: ``seen``, a picture was shown; ``change``, other controls."""
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            return
        if not isinstance(said, dict):
            return
        if "seen" in said and self._unseen:
            self._unseen -= 1
            self._free.release()
        if isinstance(said.get("change"), dict):
            await self._change(said["change"])

    async def _change(self, asked: dict[str, Any]) -> None:
        try:
            # In a thread: the receipt of a badge needs the hash of the model.
            await asyncio.to_thread(self._player.change, asked)
            error = ""
        except (PipelineError, OSError) as refused:
            error = str(refused)
        await self._tell({"controls": self._player.controls.shown(), "error": error})
