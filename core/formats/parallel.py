"""One function over very many small files, in several processes where that pays."""

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import connection
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
_PAYS_FROM = 6000  # starting the workers takes as long as some thousand faces
_CHUNK = 256


def spread(work: Callable[[T], R], items: Sequence[T], *, files: int = 1) -> Iterator[R]:
    """``map(work, items)`` in order. ``work`` must be a function of a module; its exceptions arrive here. Memory: a few chunks.

    files: how many small files an item stands for, about.
    """
    workers = min(8, len(os.sched_getaffinity(0)))
    if len(items) * files < _PAYS_FROM or workers < 2:
        yield from map(work, items)
        return
    context, chunk = multiprocessing.get_context("forkserver"), max(1, _CHUNK // files)
    context.set_forkserver_preload([work.__module__])  # its imports once, not in every worker
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent) as pool:
        pending: deque[Future[list[R]]] = deque()
        for start in range(0, len(items), chunk):
            pending.append(pool.submit(_chunk, work, items[start:start + chunk]))
            if len(pending) > 3 * workers:
                yield from pending.popleft().result()
        while pending:
            yield from pending.popleft().result()


def _end_with_parent() -> None:
    """Watch for the end of the parent: a pool whose parent is killed would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent.sentinel,), daemon=True).start()


def _watch(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def _chunk(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    return [work(item) for item in items]
