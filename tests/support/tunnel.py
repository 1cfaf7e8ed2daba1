"""A slow and unreliable way to a server, as ``ssh -L`` over a bad line: late, narrow, and cut now and then."""

import asyncio
import threading
from contextlib import contextmanager, suppress

PIECE = 4096  # bytes


class Tunnel:
    """One that runs in a thread. target: the port that it leads to. port: its own, of 127.0.0.1.

    late: seconds that everything takes each way. width: bytes a second, each way.
    """

    def __init__(self, late: float = 0.15, width: float = 2e6 / 8):
        self.late, self.width = late, width
        self.target = self.port = 0
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.StreamWriter] = set()
        self._free_at = {"up": 0.0, "down": 0.0}
        self._cut = self._silent = False

    def cut(self) -> None:
        """All connections end, and there are no new ones, as when ssh has ended."""
        self._loop.call_soon_threadsafe(self._end_all)

    def silence(self) -> None:
        """Nothing passes any more, and nobody is told, as when a cable was pulled."""
        self._silent = True

    def mend(self) -> None:
        """It leads to the server again."""
        self._cut = self._silent = False

    def _end_all(self) -> None:
        self._cut = True
        for writer in list(self._open):
            writer.transport.abort()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._cut:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self.target)
        ours = {writer, back}
        self._open |= ours
        await asyncio.gather(self._pass(reader, back, "up"), self._pass(there, writer, "down"), return_exceptions=True)
        self._open -= ours
        for end in ours:
            end.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: str) -> None:
        """From one end to the other. What was read waits for its time, and later pieces are read meanwhile."""
        pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        writing = asyncio.ensure_future(self._write(pieces, writer, way))
        with suppress(ConnectionError):
            while data := await reader.read(PIECE):
                pieces.put_nowait((self._loop.time() + self.late, data))
        pieces.put_nowait((self._loop.time() + self.late, b""))
        await writing

    async def _write(self, pieces: asyncio.Queue, writer: asyncio.StreamWriter, way: str) -> None:
        with suppress(ConnectionError):
            while True:
                due, data = await pieces.get()
                free = self._free_at[way] = max(self._free_at[way], due) + len(data) / self.width
                await asyncio.sleep(max(0.0, free - self._loop.time()))
                while self._silent:
                    await asyncio.sleep(0.02)
                if not data:
                    writer.write_eof()
                    return
                writer.write(data)
                await writer.drain()

    def run(self, ready: threading.Event) -> None:
        """Until ``end``."""
        self._loop.run_until_complete(self._serve(ready))

    async def _serve(self, ready: threading.Event) -> None:
        self._ended = asyncio.Event()
        async with await asyncio.start_server(self._take, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            ready.set()
            await self._ended.wait()
        for task in (others := asyncio.all_tasks() - {asyncio.current_task()}):
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def end(self) -> None:
        """Everything ends."""
        self._loop.call_soon_threadsafe(self._ended.set)


@contextmanager
def tunnelled(**how):
    """A tunnel; give it to ``served(..., through=...)``."""
    tunnel, ready = Tunnel(**how), threading.Event()
    thread = threading.Thread(target=tunnel.run, args=[ready], daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield tunnel
    finally:
        tunnel.end()
        thread.join(10)
