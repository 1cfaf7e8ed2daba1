"""What happens, numbered: a page that was cut off asks for what it missed."""

import asyncio
import secrets
import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

KEPT = 2000


@dataclass(frozen=True)
class Event:
    """Something happened. number: from 1, without gaps. kind: such as ``job``. data: JSON values."""

    number: int
    kind: str
    data: Any


class Events:
    """The newest events, and those who wait for more. Any thread may add one.

    run: names this run of the server; the numbers of another run mean nothing here.
    """

    def __init__(self) -> None:
        self.run = secrets.token_hex(8)
        self._kept: deque[Event] = deque(maxlen=KEPT)
        self._number = 0
        self._lock = threading.Lock()
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def add(self, kind: str, data: Any) -> None:
        """Tell everybody."""
        with self._lock:
            self._number += 1
            self._kept.append(Event(self._number, kind, data))
            waiting = list(self._waiting)
        for loop, more in waiting:
            loop.call_soon_threadsafe(more.set)

    @property
    def number(self) -> int:
        """Of the newest event; 0 before the first."""
        return self._number

    def after(self, number: int) -> list[Event] | None:
        """The events after the one of this number; None where some of them are kept no more, or it never was."""
        with self._lock:
            kept = list(self._kept)
        oldest = kept[0].number if kept else self._number + 1
        if number > self._number or number < oldest - 1:
            return None
        return [event for event in kept if event.number > number]

    async def wait_after(self, number: int) -> list[Event] | None:
        """The same, once there is at least one."""
        more = asyncio.Event()
        entry = (asyncio.get_running_loop(), more)
        with self._lock:
            self._waiting.add(entry)
        try:
            while (found := self.after(number)) == []:
                await more.wait()
                more.clear()
            return found
        finally:
            with self._lock:
                self._waiting.discard(entry)
