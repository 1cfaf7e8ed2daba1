"""One function over many items, with results in order: in threads, or in several processes where that pays."""

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import connection, forkserver
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
_PAYS_FROM = 6000  # files: starting the workers takes as long as some thousand faces
_CHUNK = 256  # files that a worker gets at a time
_MOST_WORKERS = 8
_AHEAD = 3  # chunks for each worker that may wait for being taken


def cores() -> int:
    """How many cores this process may use: a container may leave it fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def ahead(pool: Executor, work: Callable[[T], R], items: Iterable[T], most: int) -> Iterator[R]:
    """``work`` of each item by the workers of ``pool``, in the order of the items, whose exceptions arrive here.

    most: how many results may wait for being taken; no item is taken earlier than that asks for.
    """
    waiting: deque[Future[R]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > most:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def in_threads(work: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """``map(work, items)`` in order, computed by ``workers`` threads, never more than a few items ahead."""
    with ThreadPoolExecutor(workers) as pool:
        yield from ahead(pool, work, items, workers + 2)


def prepare(module: str, files: int) -> None:
    """Start the process that starts the workers, if there will be any for so many files.

    It starts while this one has something else to do.

    module: where the work is; it is imported once, not in every worker.
    """
    if _workers(files) > 1:
        multiprocessing.get_context("forkserver").set_forkserver_preload([module])
        forkserver.ensure_running()


def _workers(files: int) -> int:
    return min(_MOST_WORKERS, cores()) if files >= _PAYS_FROM else 1


def spread(work: Callable[[T], R], items: Sequence[T], *, files: int = 1) -> Iterator[R]:
    """``map(work, items)`` in order, in several processes where that pays. Memory: a few chunks.

    work: a function of a module; its exceptions arrive here.
    files: how many small files an item stands for, about.
    """
    workers = _workers(len(items) * files)
    if workers < 2:
        yield from map(work, items)
        return
    prepare(work.__module__, len(items) * files)
    context = multiprocessing.get_context("forkserver")
    chunk = max(1, _CHUNK // files)
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent) as pool:
        chunks = (items[start : start + chunk] for start in range(0, len(items), chunk))
        for results in ahead(pool, partial(_chunk, work), chunks, _AHEAD * workers):
            yield from results


def _end_with_parent() -> None:
    """Watch for the end of the parent: a pool whose parent is killed would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent.sentinel,), daemon=True).start()


def _watch(sentinel: int) -> None:
    connection.wait([sentinel])
    # sys.exit in a thread ends that thread only.
    os._exit(1)


def _chunk(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    return [work(item) for item in items]
