"""Scores of all images of a faceset as columns, computed once and kept in files beside it."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core import parallel
from core.errors import InputError
from core.faceset.gallery import Gallery
from core.faceset.scores import measures, score_files
from core.faceset.scores.measures import IDENTITY, PIXELS, Measures
from core.progress import Task

# Identity vectors of some images of a gallery: (gallery, indices) -> float32 (k, 128), rows of NaN where there is none.
Identities = Callable[[Gallery, Sequence[int]], NDArray[np.float32]]
# Faces that a worker gets at once; below so many, starting the workers takes longer than the work.
_CHUNK, _POOL_FROM = 16, 400
_IDENTITY_CHUNK = 256
_MOST_WORKERS = 16
_GROUP_OF = {column: group for group, columns in measures.COLUMNS.items() for column in columns}


class Features:
    """``features["yaw"]`` is a column over all images of the gallery, in its order; what is missing is computed first.

    Images that cannot be read have NaN or zeros in every column and are False in ``readable()``.

    gallery: the images.
    identities: where identity vectors come from; without it asking for them is an error.
    workers: processes; None for one a core.
    known: columns that need no computing, float64 (n,) each.
    """

    def __init__(
        self,
        gallery: Gallery,
        identities: Identities | None = None,
        workers: int | None = None,
        known: Mapping[str, NDArray[np.float64]] | None = None,
    ):
        self.gallery = gallery
        self._identities = identities
        self._known = dict(known or {})
        self._workers = workers or min(parallel.cores(), _MOST_WORKERS)
        self._folder = gallery.folder.parent / score_files.FOLDER
        self._parts: dict[str, list[score_files.Part]] = {}
        self._columns: dict[tuple[str, str], NDArray] = {}

    def __len__(self) -> int:
        return len(self.gallery)

    def __getitem__(self, column: str) -> NDArray:
        if column in self._known:
            return self._known[column]
        return self._column(_GROUP_OF[column], column)

    def readable(self) -> NDArray[np.bool_]:
        """False for images that could not be decoded by any group computed so far."""
        # Without any group so far the cheapest one that decodes images is asked.
        columns = [self._column(group, "readable") for group in (list(self._parts) or [PIXELS])]
        return np.all([column.astype(bool) for column in columns], axis=0)

    def faces(self) -> NDArray[np.bool_]:
        """Which images carry face metadata."""
        return self["is_face"] == 1.0

    def _column(self, group: str, column: str) -> NDArray:
        if (group, column) not in self._columns:
            self._columns[group, column] = score_files.read(self._found(group), group, column, len(self))
        return self._columns[group, column]

    def _found(self, group: str) -> list[score_files.Part]:
        """Where the scores of a group are, once all of them are there."""
        if group not in self._parts:
            found = score_files.lookup(self._folder, group, self.gallery.keys)
            missing = np.ones(len(self), bool)
            for part in found:
                missing[part.rows] = False
            if missing.any():
                self._compute(group, np.flatnonzero(missing))
                found = score_files.lookup(self._folder, group, self.gallery.keys)
            self._parts[group] = found
        return self._parts[group]

    def _compute(self, group: str, missing: NDArray[np.intp]) -> None:
        name = group.rsplit("-", 1)[0]
        with Task(f"scoring ({name})", "face", total=len(missing)) as task:
            measured = self._identify(missing, task) if group == IDENTITY else self._measure(group, missing, task)
            for indices, rows in measured:
                keys = [self.gallery.keys[index] for index in indices]
                score_files.save(self._folder, group, keys, rows)

    def _identify(
        self, missing: NDArray[np.intp], task: Task
    ) -> Iterator[tuple[NDArray[np.intp], list[Measures | None]]]:
        if self._identities is None:
            raise InputError(
                "identity vectors are needed",
                where=self.gallery.folder,
                hint="extract the faces again, or sort with the sort stage",
            )
        for part in _split(missing, _IDENTITY_CHUNK):
            vectors = self._identities(self.gallery, part.tolist())
            task.update(len(part))
            yield part, [{"identity": np.asarray(vector, np.float32)} for vector in vectors]

    def _measure(
        self, group: str, missing: NDArray[np.intp], task: Task
    ) -> Iterator[tuple[NDArray[np.intp], list[Measures | None]]]:
        parts = _split(missing, score_files.PART)
        if len(missing) < _POOL_FROM or self._workers < 2:
            for part in parts:
                yield part, [_measure_one(group, self.gallery, index, task) for index in part]
            return
        with _pool(self._workers) as pool:
            for part in parts:
                yield part, _spread(pool, group, self.gallery, part, task, self._workers)


def _split(indices: NDArray[np.intp], size: int) -> list[NDArray[np.intp]]:
    """Parts of at most ``size``, about equally large."""
    return np.array_split(indices, -(-len(indices) // size))


def _measure_one(group: str, gallery: Gallery, index: int, task: Task) -> Measures | None:
    task.update()
    return measures.measure(group, gallery.read(index), gallery.names[index])


def _pool(workers: int) -> ProcessPoolExecutor:
    # Not fork: it would copy the threads of OpenCV and HDF5 in the middle of what they do.
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_start_worker)


def _start_worker() -> None:
    import signal

    import cv2

    cv2.setNumThreads(1)  # there is a process for each core
    # Ctrl-C reaches all of a terminal's processes: the parent takes it, and keeps what is done.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    # A worker whose parent was killed would wait for work for ever.
    if parent is not None:
        threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()


def _leave_with(parent: Any) -> None:
    parent.join()
    # sys.exit in a thread would end only the thread.
    os._exit(1)


def _measure_chunk(group: str, items: list[tuple[bytes, str]]) -> list[Measures | None]:
    return [measures.measure(group, data, name) for data, name in items]


def _spread(
    pool: ProcessPoolExecutor, group: str, gallery: Gallery, part: NDArray[np.intp], task: Task, workers: int
) -> list[Measures | None]:
    """Measure a part on all workers with a bounded number of images in flight; results in order."""
    waiting: list[Future[list[Measures | None]]] = []
    rows: list[Measures | None] = []
    for chunk in _split(part, _CHUNK):
        # Enough that no worker waits for this process to read files.
        if len(waiting) >= 3 * workers:
            rows += _take(waiting, task)
        waiting.append(pool.submit(_measure_chunk, group, [(gallery.read(i), gallery.names[i]) for i in chunk]))
    while waiting:
        rows += _take(waiting, task)
    return rows


def _take(waiting: list[Future[list[Measures | None]]], task: Task) -> list[Measures | None]:
    rows = waiting.pop(0).result()
    task.update(len(rows))
    return rows
