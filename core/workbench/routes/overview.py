"""State of the project, disk and card; the WebSocket of events."""

import asyncio
import json
from contextlib import suppress
from typing import Any

from starlette.requests import Request
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from core import __version__
from core.workbench import machine
from core.workbench.answers import API, get
from core.workbench.bench import Bench
from core.workbench.events import Event
from core.workbench.state import state
from core.workbench.summary import summary


def routes(bench: Bench) -> list[BaseRoute]:
    """The routes."""

    def show_state(request: Request) -> Any:
        revisions = {name: side.revision() for name, side in bench.sides.items()}
        number = bench.events.number
        return {
            **state(bench.workspace),
            "version": __version__,
            "run": bench.events.run,
            "event": number,
            "revisions": revisions,
            "jobs": bench.jobs.jobs(),
            "machine": show_machine(request),
        }

    def show_machine(request: Request) -> Any:
        return {"disk": machine.disk(bench.workspace, bench.reserve), "cards": bench.cards.now()}

    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        sending = asyncio.create_task(_send_events(socket, bench))
        # A page says nothing; what comes is the end.
        with suppress(WebSocketDisconnect, RuntimeError):
            while True:
                await socket.receive_text()
        sending.cancel()

    return [
        get("/state", show_state),
        get("/machine", show_machine),
        get("/summary", lambda request: {"text": summary(bench)}),
        WebSocketRoute(f"{API}/events", talk),
    ]


async def _send_events(socket: WebSocket, bench: Bench) -> None:
    """Events after the one that the page knows; a page of another run, or one that missed too much, is told to look."""
    events = bench.events
    asked = socket.query_params
    known = asked.get("after", "")
    number = int(known) if known.isdigit() and len(known) < 16 and asked.get("run") == events.run else -1
    with suppress(WebSocketDisconnect, RuntimeError):
        if number < 0 or events.after(number) is None:
            number = events.number
            await socket.send_text(json.dumps({"reset": True, "run": events.run, "number": number}))
        else:
            await socket.send_text(json.dumps({"reset": False, "run": events.run, "number": number}))
        while True:
            found = await events.wait_after(number)
            if found is None:
                number = events.number
                await socket.send_text(json.dumps({"reset": True, "run": events.run, "number": number}))
                continue
            for event in found:
                await socket.send_text(_text(event))
            number = found[-1].number


def _text(event: Event) -> str:
    return json.dumps({"number": event.number, "kind": event.kind, "data": event.data})
