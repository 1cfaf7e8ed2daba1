"""Where viewers get the newest picture: each at its own speed, so that a slow one delays nobody."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from core.formats.provenance import label_jpeg
from core.imaging.codec import encode_jpeg
from core.live.frames import Shown

QUALITY = 80


@dataclass(frozen=True)
class Picture:
    """A labelled JPEG. number: of the picture as it was captured. order: counts what the outlet gave out, from 1."""

    number: int
    order: int
    jpeg: bytes


class Outlet:
    """An output of the player for viewers in an event loop.

    viewers: how many there are; pictures are encoded only for them.
    """

    def __init__(self) -> None:
        self.viewers = 0
        self._newest: Picture | None = None
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        self._lock = threading.Lock()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """As long as somebody watches."""
        self.viewers += 1
        try:
            yield
        finally:
            self.viewers -= 1

    def __call__(self, shown: Shown) -> None:
        """Give a picture to all who wait."""
        if not self.viewers:
            return
        jpeg = label_jpeg(encode_jpeg(shown.image, QUALITY, "420"))
        with self._lock:
            order = self._newest.order + 1 if self._newest else 1
            self._newest = Picture(shown.number, order, jpeg)
            waiting, self._waiting = self._waiting, []
        for loop, event in waiting:
            with suppress(RuntimeError):  # the loop has been closed
                loop.call_soon_threadsafe(event.set)

    async def after(self, order: int) -> Picture:
        """The newest picture, as soon as there is one that came later than that with this order."""
        while True:
            event = asyncio.Event()
            with self._lock:
                if self._newest is not None and self._newest.order > order:
                    return self._newest
                self._waiting.append((asyncio.get_running_loop(), event))
            await event.wait()
