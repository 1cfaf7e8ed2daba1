"""One function over very many small files, in several processes where that pays."""

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
_PAYS_FROM = 6000  # starting the workers takes as long as some thousand faces
_CHUNK = 256


def spread(work: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
    """``map(work, items)`` in order. ``work`` must be a function of a module; its exceptions arrive here. Memory: a few chunks."""
    workers = min(8, len(os.sched_getaffinity(0)))
    if len(items) < _PAYS_FROM or workers < 2:
        yield from map(work, items)
        return
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([work.__module__])  # its imports once, not in every worker
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        pending: deque[Future[list[R]]] = deque()
        for start in range(0, len(items), _CHUNK):
            pending.append(pool.submit(_chunk, work, items[start:start + _CHUNK]))
            if len(pending) > 3 * workers:
                yield from pending.popleft().result()
        while pending:
            yield from pending.popleft().result()


def _chunk(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    return [work(item) for item in items]
