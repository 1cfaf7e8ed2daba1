"""The training loop of the mask network: batch -> step -> hooks, until the target or a request to stop."""

import math
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from core.data.xseg_samples import XSegBatch, XSegSamples
from core.errors import DivergedError, OutOfMemoryFault
from core.training.ending import beside_the_step, saved_at_the_end
from core.training.hardware.machine import is_out_of_memory
from core.training.loop import save
from core.training.xseg.session import XSegSession


def train(session: XSegSession, samples: XSegSamples, hooks: Sequence[Any], *, threads: int) -> None:
    """Train until ``session.target`` and save. threads: that prepare batches.

    Raises:
        Interrupted: when asked to stop, after saving.
        DivergedError: for a loss that is no number.
    """
    with saved_at_the_end(session, lambda: save(session, hooks), session.save, hooks):
        with prefetched(samples, session.iteration, threads) as batches:
            while not session.done:
                _iterate(session, batches, hooks)
        save(session, hooks)


def _iterate(session: XSegSession, batches: Iterator[XSegBatch], hooks: Sequence[Any]) -> None:
    start = time.perf_counter()
    with beside_the_step():
        batch = next(batches)
    session.waited = time.perf_counter() - start
    loss = _step(session, batch)
    session.spent = time.perf_counter() - start
    if not math.isfinite(loss):
        raise DivergedError(
            f"training diverged at iteration {session.iteration + 1}: the loss is no number",
            hint="the last save is untouched; try a larger --batch-size",
        )
    session.iteration += 1
    session.history.append([loss])
    with beside_the_step():
        for hook in hooks:
            hook.after_step(session, batch)


def _step(session: XSegSession, batch: XSegBatch) -> float:
    try:
        return session.trainer.step(batch)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemoryFault(
            "the device's memory is used up",
            where=f"iteration {session.iteration + 1}",
            why=f"{type(error).__name__} {error}"[:300],
            hint=f"use a smaller --batch-size (now {session.options['batch_size']}), or begin a new network with a "
            "smaller --base or --resolution",
        ) from error


@contextmanager
def prefetched(samples: XSegSamples, start: int, threads: int) -> Iterator[Iterator[XSegBatch]]:
    """An endless iterator of batches from number ``start`` on, made ahead.

    Threads are enough: nearly all of the work is done outside Python.
    """
    threads = max(1, threads)
    pool = ThreadPoolExecutor(threads, "xseg-batches")
    # One more than threads: none of them waits while the newest is taken.
    ahead: deque[Future[XSegBatch]] = deque(pool.submit(samples.batch, start + i) for i in range(threads + 1))

    def batches() -> Iterator[XSegBatch]:
        number = start + len(ahead)
        while True:
            batch = ahead.popleft().result()
            ahead.append(pool.submit(samples.batch, number))
            number += 1
            yield batch

    try:
        yield batches()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
