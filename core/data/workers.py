"""Batches made ahead by worker processes that never import a deep-learning framework.

Batch i is made by worker i modulo their number and lies in a ring of shared memory that has no name, so nothing is left
behind however the run ends. A worker ends when the pipe to its parent closes, thus also after kill -9 of the parent.
One that dies is started again and asked again: batches are a function of their number, so nobody can tell.
"""

import logging
import multiprocessing
import signal
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import connection
from typing import Any

import numpy as np

from core.data.batches import CHANNELS, BatchMaker, BatchSettings, FloatArray, TrainingBatch
from core.errors import EnvironmentFault, PipelineError

log = logging.getLogger(__name__)

_AHEAD = 2  # batches that each worker has under way
_PATIENCE = 300.0  # seconds that a batch may take
_RESTARTS = 5  # of workers that died, in one run: memory that runs out kills them for ever


@contextmanager
def open_batches(settings: BatchSettings, start: int, workers: int) -> Iterator[Iterator[TrainingBatch]]:
    """An endless iterator of batches from number ``start`` on. The arrays of one are valid until the next is asked for.

    workers: processes; 0 makes the batches in this one.

    Raises:
        InputError: none of the faces of a side can be read.
        EnvironmentFault: workers died again and again, one hangs, or failed in an unforeseen way.
    """
    if workers == 0:
        maker = BatchMaker(settings)
        yield (maker.make(number) for number in _count(start))
        return
    ring = _Ring(settings, workers)
    try:
        yield ring.batches(start)
    finally:
        ring.close()


class _Ring:
    """The parent's end. There is one slot more than batches under way, so the one in use is never overwritten."""

    def __init__(self, settings: BatchSettings, workers: int):
        # Not fork: it would copy the framework with its threads and its hold on the GPU into every worker.
        self._context = multiprocessing.get_context("spawn")
        self._settings, self._slots = settings, workers * _AHEAD + 1
        # Without a lock: no two processes ever have the same slot.
        self._memory = self._context.RawArray("f", self._slots * _floats(settings))
        self._workers = [_start(self._context, settings, self._memory, number) for number in range(workers)]
        # What each worker was asked for and has not answered.
        self._asked: list[deque[int]] = [deque() for _ in range(workers)]
        self._restarts = 0

    def batches(self, start: int) -> Iterator[TrainingBatch]:
        """The batches in their order; each is a view of the ring."""
        for number in range(start, start + self._slots - 1):
            self._ask(number)
        for number in _count(start):
            skipped = self._receive(number)
            yield TrainingBatch(number, **_views(self._memory, self._settings, number % self._slots), skipped=skipped)
            self._ask(number + self._slots - 1)

    def _ask(self, number: int) -> None:
        worker = number % len(self._workers)
        self._asked[worker].append(number)
        with suppress(OSError):  # it has died: who receives will see that
            self._workers[worker][1].send((number, number % self._slots))

    def _receive(self, number: int) -> tuple[str, ...]:
        worker = number % len(self._workers)
        answer = self._answer(worker)
        while answer is None:
            self._restart(worker)
            answer = self._answer(worker)
        self._asked[worker].popleft()
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def _answer(self, worker: int) -> Any:
        """What a worker answers to the oldest question; None when it has died."""
        process, pipe = self._workers[worker]
        # The sentinel is ready when the process has ended, however it ended: waiting for the pipe alone could hang.
        ready = connection.wait([pipe, process.sentinel], timeout=_PATIENCE)
        if not ready:
            raise _hangs()
        try:
            # The pipe first: what a worker answered before it died still counts.
            return pipe.recv() if pipe in ready else None
        except (EOFError, OSError):
            return None

    def _restart(self, worker: int) -> None:
        """Start a worker again that has died, and ask it everything again that it has not answered.

        Raises:
            EnvironmentFault: they die again and again.
        """
        process, pipe = self._workers[worker]
        fault = _died(process)
        self._restarts += 1
        if self._restarts > _RESTARTS:
            raise fault
        log.warning("%s: %s; it is started again", fault.what, fault.why)
        pipe.close()
        self._workers[worker] = _start(self._context, self._settings, self._memory, worker)
        with suppress(OSError):
            for number in self._asked[worker]:
                self._workers[worker][1].send((number, number % self._slots))

    def close(self) -> None:
        for _, pipe in self._workers:
            pipe.close()
        for process, _ in self._workers:
            # A worker notices the closed pipe when it has made the batch in hand.
            process.join(timeout=5)
            if process.is_alive():
                process.kill()
                process.join()


def _start(context: Any, settings: BatchSettings, memory: Any, number: int) -> tuple[Any, connection.Connection]:
    here, there = context.Pipe()
    process = context.Process(target=_work, args=(there, settings, memory), name=f"batches-{number}", daemon=True)
    process.start()
    # The worker has its own end; were this one kept open, the death of a worker would not end the pipe.
    there.close()
    return process, here


def _work(pipe: connection.Connection, settings: BatchSettings, memory: Any) -> None:
    """A worker's life: make what is asked for until the pipe closes."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # the parent decides when it is over
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    import cv2

    cv2.setNumThreads(1)  # there is a worker for each core
    try:
        _serve(pipe, settings, memory)
    except (EOFError, OSError):
        return


def _serve(pipe: connection.Connection, settings: BatchSettings, memory: Any) -> None:
    maker = None
    while True:
        number, slot = pipe.recv()
        try:
            # Within the try, so that what fails here is an answer, too.
            maker = maker or BatchMaker(settings)
            answer: object = maker.make(number, _views(memory, settings, slot)).skipped
        except PipelineError as error:
            answer = error
        except Exception as error:  # whatever it is, the parent must hear of it
            why = f"{type(error).__name__}: {error}"
            answer = EnvironmentFault("a worker could not make a batch", where=f"batch {number}", why=why)
        # The pixels lie in the shared memory by now; only this little goes through the pipe.
        pipe.send(answer)


def _views(memory: Any, settings: BatchSettings, slot: int) -> dict[str, FloatArray]:
    """The arrays of one slot of the ring, as in ``TrainingBatch``."""
    size = _floats(settings)
    pixels = 2 * settings.batch_size * settings.resolution**2
    flat = np.frombuffer(memory, np.float32)[slot * size : (slot + 1) * size]
    views = {}
    start = 0
    for name, channels in CHANNELS.items():
        shape = (2, settings.batch_size, settings.resolution, settings.resolution, channels)
        views[name] = flat[start : start + pixels * channels].reshape(shape)
        start += pixels * channels
    return views


def _floats(settings: BatchSettings) -> int:
    """How many numbers a batch has."""
    return 2 * settings.batch_size * settings.resolution**2 * sum(CHANNELS.values())


def _count(start: int) -> Iterator[int]:
    while True:
        yield start
        start += 1


def _died(process: Any) -> EnvironmentFault:
    process.join(timeout=1)
    return EnvironmentFault(
        "a worker that prepares batches died",
        where=process.name,
        why=f"its exit code is {process.exitcode}",
        hint="-9 usually means that memory ran out: use fewer --workers or a smaller --batch-size; "
        "training resumes from its last save",
    )


def _hangs() -> EnvironmentFault:
    return EnvironmentFault(
        "a worker that prepares batches gives no answer",
        why=f"no batch within {_PATIENCE:.0f} s",
        hint="is the disk with the faces still there? --workers 0 makes batches in the main process",
    )
