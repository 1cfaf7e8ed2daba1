"""The next batch is taken, and goes to the device, while a step runs."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from core.data.batches import BatchSettings, TrainingBatch
from core.data.workers import open_batches

Ready = Callable[[TrainingBatch], TrainingBatch]


@contextmanager
def open_ready_batches(
    settings: BatchSettings, start: int, workers: tuple[int, int], ready: Ready
) -> Iterator[Iterator[TrainingBatch]]:
    """``open_batches`` of ``workers`` processes, at first and at most, each batch through ``ready`` in another thread.

    A batch stays valid as long as somebody has it: ``ready`` copies what it keeps. Raises as ``open_batches``.
    """
    pool = ThreadPoolExecutor(1, "ready-batches")
    try:
        with open_batches(settings, start, *workers) as batches:
            yield _one_ahead(pool, batches, ready)
    finally:
        # Only now: with its workers gone the thread waits for nobody any more.
        pool.shutdown(cancel_futures=True)


def _one_ahead(pool: ThreadPoolExecutor, batches: Iterator[TrainingBatch], ready: Ready) -> Iterator[TrainingBatch]:
    def take() -> TrainingBatch:
        return ready(next(batches))

    coming = pool.submit(take)
    while True:
        batch = coming.result()
        coming = pool.submit(take)
        yield batch
