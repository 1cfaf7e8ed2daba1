"""Batches made ahead by worker processes that never import a deep-learning framework.

A batch is made by the worker that has the fewest under way and lies in a slot of shared memory that has no name, so
nothing is left behind however the run ends. A worker ends when the pipe to its parent closes, thus also after kill -9
of the parent. One that dies is started again and asked again: batches are a function of their number, so nobody can
tell. Nor does it show how many workers there are: there become more while batches are not ready when asked for.
"""

import logging
import math
import multiprocessing
import signal
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from mmap import mmap
from multiprocessing import connection
from typing import Any

import numpy as np

from core.data.batches import Array, BatchMaker, BatchSettings, TrainingBatch, batch_arrays, cache_for
from core.data.face_cache import FaceCache
from core.data.shared import SharedMemory
from core.errors import EnvironmentFault, PipelineError

log = logging.getLogger(__name__)

_AHEAD = 2  # batches that each worker has under way
_PATIENCE = 300.0  # seconds that a batch may take
_RESTARTS = 5  # of workers that died, in one run: memory that runs out kills them for ever
# More workers, half as many again, where more than two of so many batches were not ready when they were asked for.
_WATCHED, _LATE = 24, 2
_UP = "up"  # what a worker says first


@contextmanager
def open_batches(
    settings: BatchSettings, start: int, workers: int, most: int | None = None
) -> Iterator[Iterator[TrainingBatch]]:
    """An endless iterator of batches from number ``start`` on. The arrays of one are valid until the next is asked for.

    Another thread may ask for batches, but not once this context is left.

    workers: processes to begin with; 0 makes the batches in this one.
    most: how many processes there may become; by default no more.

    Raises:
        InputError: none of the faces of a side can be read.
        EnvironmentFault: workers died again and again, one hangs, or failed in an unforeseen way.
    """
    if workers == 0:
        maker = BatchMaker(settings)
        yield (maker.make(number) for number in _count(start))
        return
    ring = _Ring(settings, workers, max(workers, most or 0))
    try:
        yield ring.batches(start)
    finally:
        ring.close()


@dataclass(frozen=True)
class _Job:
    """What every worker gets. memory: slots one after the other, a batch in each. cache: of prepared faces."""

    settings: BatchSettings
    memory: SharedMemory
    cache: FaceCache


@dataclass
class _Worker:
    """One process.

    up: it has said that it is ready.
    asked: (number, slot) of the batches that it was asked for and has not answered, by number.
    """

    process: Any
    pipe: connection.Connection
    up: bool = False
    asked: deque[tuple[int, int]] = field(default_factory=deque)


class _Ring:
    """The parent's end. There is one slot more than batches under way, so the one in use is never overwritten."""

    def __init__(self, settings: BatchSettings, workers: int, most: int):
        # Not fork: it would copy the framework with its threads and its hold on the GPU into every worker.
        self._context = multiprocessing.get_context("spawn")
        self._most, slots = most, most * _AHEAD + 1
        self._job = _Job(settings, SharedMemory(slots * _bytes(settings)), cache_for(settings))
        self._memory = self._job.memory.mapped()
        self._free = deque(range(slots))
        self._names = _count(0)
        self._workers = [self._new() for _ in range(workers)]
        # Those that came later are asked only when they are up: until then the others are quicker.
        self._first = workers
        self._restarts = self._watched = self._late = 0
        self._closed = False

    def batches(self, start: int) -> Iterator[TrainingBatch]:
        """The batches in their order; each is a view of the shared memory."""
        ahead = _count(start)
        for number in _count(start):
            self._ask(ahead)
            slot, answer = self._receive(number)
            if isinstance(answer, BaseException):
                raise answer
            yield TrainingBatch(number, **_views(self._memory, self._job.settings, slot), skipped=answer)
            self._free.append(slot)
            self._grow()

    def _ask(self, ahead: Iterator[int]) -> None:
        """Give every worker as many batches as it may have under way, those first that have the fewest."""
        ready = [worker for number, worker in enumerate(self._workers) if number < self._first or _is_up(worker)]
        while True:
            worker = min(ready, key=lambda worker: len(worker.asked))
            if len(worker.asked) == _AHEAD:
                return
            worker.asked.append((next(ahead), self._free.popleft()))
            with suppress(OSError):  # it has died: who receives will see that
                worker.pipe.send(worker.asked[-1])

    def _receive(self, number: int) -> tuple[int, Any]:
        """(slot, answer) of the batch ``number``, which is the oldest that its worker has not answered."""
        worker = next(worker for worker in self._workers if worker.asked and worker.asked[0][0] == number)
        self._watched += 1
        self._late += not worker.pipe.poll()
        answer = _answer(worker)
        while answer is None:
            self._restart(worker)
            answer = _answer(worker)
        return worker.asked.popleft()[1], answer

    def _grow(self) -> None:
        """Start more workers where those that there are do not keep up."""
        if self._watched < _WATCHED:
            return
        # One that died before it was up is forgotten.
        self._workers = [worker for worker in self._workers if worker.up or worker.process.is_alive() or worker.asked]
        count = len(self._workers)
        if self._late > _LATE and count < self._most and all(worker.up for worker in self._workers):
            self._workers += [self._new() for _ in range(min(-(-count // 2), self._most - count))]
            log.info("%d workers prepare batches", len(self._workers))
        self._watched = self._late = 0

    def _restart(self, worker: _Worker) -> None:
        """Start a worker again that has died, and ask it everything again that it has not answered.

        Raises:
            EnvironmentFault: they die again and again.
        """
        if self._closed:
            raise EnvironmentFault("the workers have ended")  # told to a thread that nobody listens to any more
        fault = _died(worker.process)
        self._restarts += 1
        if self._restarts > _RESTARTS:
            raise fault
        log.warning("%s: %s; it is started again", fault.what, fault.why)
        worker.pipe.close()
        again = self._new()
        worker.process, worker.pipe, worker.up = again.process, again.pipe, False
        with suppress(OSError):
            for question in worker.asked:
                worker.pipe.send(question)

    def _new(self) -> _Worker:
        here, there = self._context.Pipe()
        name = f"batches-{next(self._names)}"
        process = self._context.Process(target=_work, args=(there, self._job), name=name, daemon=True)
        process.start()
        # The worker has its own end; were this one kept open, the death of a worker would not end the pipe.
        there.close()
        return _Worker(process, here)

    def close(self) -> None:
        self._closed = True
        for worker in self._workers:
            worker.pipe.close()
        for worker in self._workers:
            # A worker notices the closed pipe when it has made the batch in hand.
            worker.process.join(timeout=5)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()


def _is_up(worker: _Worker) -> bool:
    """Whether a worker has said that it is ready; asks nothing of one that has died, which is seen when it is asked."""
    with suppress(EOFError, OSError):
        worker.up = worker.up or (worker.pipe.poll() and worker.pipe.recv() == _UP)
    return worker.up


def _answer(worker: _Worker) -> Any:
    """What a worker answers to the oldest question; None when it has died."""
    while True:
        # The sentinel is ready when the process has ended, however it ended: waiting for the pipe alone could hang.
        ready = connection.wait([worker.pipe, worker.process.sentinel], timeout=_PATIENCE)
        if not ready:
            raise _hangs()
        try:
            # The pipe first: what a worker answered before it died still counts.
            answer = worker.pipe.recv() if worker.pipe in ready else None
        except (EOFError, OSError):
            return None
        if answer != _UP:
            return answer
        worker.up = True


def _work(pipe: connection.Connection, job: _Job) -> None:
    """A worker's life: make what is asked for until the pipe closes."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # the parent decides when it is over
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    import cv2

    cv2.setNumThreads(1)  # there is a worker for each core
    with suppress(EOFError, OSError):
        pipe.send(_UP)
        _serve(pipe, job)


def _serve(pipe: connection.Connection, job: _Job) -> None:
    maker, memory = None, job.memory.mapped()
    while True:
        number, slot = pipe.recv()
        try:
            # Within the try, so that what fails here is an answer, too.
            maker = maker or BatchMaker(job.settings, job.cache)
            answer: object = maker.make(number, _views(memory, job.settings, slot)).skipped
        except PipelineError as error:
            answer = error
        except Exception as error:  # whatever it is, the parent must hear of it
            why = f"{type(error).__name__}: {error}"
            answer = EnvironmentFault("a worker could not make a batch", where=f"batch {number}", why=why)
        # The pixels lie in the shared memory by now; only this little goes through the pipe.
        pipe.send(answer)


def _views(memory: mmap, settings: BatchSettings, slot: int) -> dict[str, Array]:
    """The arrays of one slot, as in ``TrainingBatch``."""
    views, start = {}, slot * _bytes(settings)
    for name, (shape, dtype) in batch_arrays(settings).items():
        views[name] = np.ndarray(shape, dtype, memory, start)
        start += views[name].nbytes
    return views


def _bytes(settings: BatchSettings) -> int:
    """What a batch takes."""
    return sum(math.prod(shape) * np.dtype(dtype).itemsize for shape, dtype in batch_arrays(settings).values())


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
