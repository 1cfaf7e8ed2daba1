"""Scores of all pictures of a faceset as columns, computed once and kept in HDF5 files beside it (``aligned_scores``).

Files are only ever added, whole: a run that is killed keeps what it has scored, a second sort reads instead of computing.
"""

import io
import logging
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.faceset.gallery import Gallery
from core.faceset.scores import measures
from core.fsio import write_bytes
from core.progress import Task

log = logging.getLogger(__name__)
SCORES = "aligned_scores"
IDENTITY = "identity-1"
# Identity vectors for some pictures of a gallery: (gallery, indices) -> float32 (k, d), rows of NaN where there is none.
Identities = Callable[[Gallery, Sequence[int]], NDArray[np.float32]]
_PART, _CHUNK, _POOL_FROM, _MERGE_FROM = 4096, 16, 400, 32
_GROUP_OF = {column: group for group, columns in measures.COLUMNS.items() for column in columns} | {
    "identity": IDENTITY
}


class Features:
    """``features["yaw"]`` is a column over all pictures of the gallery, in its order; whatever is missing is computed first.

    Pictures that cannot be read have NaN or zeros in every column and are False in ``readable()``.
    """

    def __init__(
        self,
        gallery: Gallery,
        identities: Identities | None = None,
        workers: int | None = None,
        known: Mapping[str, NDArray[np.float64]] | None = None,
    ):
        self._known = dict(known or {})
        self.gallery = gallery
        self._identities, self._workers = identities, workers or min(os.cpu_count() or 1, 16)
        self._store = gallery.folder.parent / SCORES
        self._rows: dict[str, list[tuple[Path, NDArray[np.intp], NDArray[np.intp]]]] = {}
        self._columns: dict[tuple[str, str], NDArray] = {}

    def __len__(self) -> int:
        return len(self.gallery)

    def __getitem__(self, column: str) -> NDArray:
        if column in self._known:
            return self._known[column]
        return self._column(_GROUP_OF[column], column)

    def readable(self) -> NDArray[np.bool_]:
        """False for pictures that could not be decoded by any group computed so far."""
        columns = [self._column(group, "readable") for group in (list(self._rows) or ["pixels-1"])]
        return np.all([c.astype(bool) for c in columns], axis=0)

    def faces(self) -> NDArray[np.bool_]:
        """Which pictures carry face metadata."""
        return self["is_face"] == 1.0

    def _column(self, group: str, column: str) -> NDArray:
        if (group, column) not in self._columns:
            self._prepare(group)
            self._columns[group, column] = _gather(self._rows[group], column, len(self))
        return self._columns[group, column]

    def _prepare(self, group: str) -> None:
        if group in self._rows:
            return
        found = _lookup(self._store, group, self.gallery.keys)
        missing = np.setdiff1d(np.arange(len(self)), np.concatenate([rows for _, rows, _ in found]) if found else [])
        if len(missing):
            self._compute(group, missing)
            found = _lookup(self._store, group, self.gallery.keys)
        self._rows[group] = found

    def _compute(self, group: str, missing: NDArray[np.intp]) -> None:
        if group == IDENTITY and self._identities is None:
            raise InputError(
                "identity vectors are needed",
                where=self.gallery.folder,
                hint="extract the faces again, or sort with the sort stage",
            )
        name = group.rsplit("-", 1)[0]
        with Task(f"scoring ({name})", "face", total=len(missing)) as task:
            for indices, rows in self._measure(group, missing, task):
                keys = [self.gallery.keys[i] for i in indices]
                _save(self._store, group, keys, rows)

    def _measure(
        self, group: str, missing: NDArray[np.intp], task: Task
    ) -> Iterator[tuple[NDArray[np.intp], list[measures.Measures | None]]]:
        parts = np.array_split(missing, -(-len(missing) // _PART))
        if group == IDENTITY:
            for part in np.array_split(missing, -(-len(missing) // 256)):
                vectors = self._identities(self.gallery, part.tolist())  # type: ignore[misc]
                task.update(len(part))
                yield part, [{"identity": np.asarray(v, np.float32)} for v in vectors]
            return
        if len(missing) < _POOL_FROM or self._workers < 2:
            for part in parts:
                yield part, [_one(group, self.gallery, i, task) for i in part]
            return
        with _pool(self._workers) as pool:
            for part in parts:
                yield part, _spread(pool, group, self.gallery, part, task, self._workers)


def _one(group: str, gallery: Gallery, index: int, task: Task) -> measures.Measures | None:
    task.update()
    return measures.measure(group, gallery.read(index), gallery.names[index])


def _pool(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_start_worker)


def _start_worker() -> None:
    import signal

    import cv2

    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:  # a worker whose parent was killed would wait for work for ever
        threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()


def _leave_with(parent: Any) -> None:
    parent.join()
    os._exit(1)


def _measure_chunk(group: str, items: list[tuple[bytes, str]]) -> list[measures.Measures | None]:
    return [measures.measure(group, data, name) for data, name in items]


def _spread(
    pool: ProcessPoolExecutor, group: str, gallery: Gallery, part: NDArray[np.intp], task: Task, workers: int
) -> list[measures.Measures | None]:
    """Measure a part on all workers with a bounded number of pictures in flight; results in order."""
    waiting: list[Future] = []
    rows: list[measures.Measures | None] = []
    for chunk in np.array_split(part, -(-len(part) // _CHUNK)):
        if len(waiting) >= 3 * workers:
            rows += _take(waiting, task)
        waiting.append(pool.submit(_measure_chunk, group, [(gallery.read(i), gallery.names[i]) for i in chunk]))
    while waiting:
        rows += _take(waiting, task)
    return rows


def _take(waiting: list[Future], task: Task) -> list[measures.Measures | None]:
    rows = waiting.pop(0).result()
    task.update(len(rows))
    return rows


def _lookup(store: Path, group: str, keys: Sequence[bytes]) -> list[tuple[Path, NDArray[np.intp], NDArray[np.intp]]]:
    """For each file of a group: the rows of the gallery it holds, and where in the file."""
    wanted: dict[bytes, list[int]] = {}
    for index, key in enumerate(keys):
        wanted.setdefault(key, []).append(index)
    found = []
    for path in sorted(store.glob(f"{group}.*.h5"), reverse=True):
        rows, places = [], []
        for place, key in enumerate(_keys(path)):
            for index in wanted.pop(key, ()):
                rows.append(index)
                places.append(place)
        if rows:
            found.append((path, np.array(rows), np.array(places)))
    return found


def _keys(path: Path) -> list[bytes]:
    try:
        with h5py.File(path, "r") as file:
            return [row.tobytes() for row in file["keys"][:]]
    except (OSError, KeyError) as error:
        log.warning("score file %s is damaged (%s): those scores are computed again", path, error)
        return []


def _gather(found: list[tuple[Path, NDArray[np.intp], NDArray[np.intp]]], column: str, count: int) -> NDArray:
    out: NDArray | None = None
    for path, rows, places in found:
        with h5py.File(path, "r") as file:
            data = file[column]
            values = (data.asstr()[:] if h5py.check_string_dtype(data.dtype) else data[:])[places]
        if out is None:
            out = np.zeros((count, *values.shape[1:]), values.dtype)
        out[rows] = values
    if out is None:
        raise InputError("no scores", why=f"column {column} of an empty faceset")
    return out


def _save(store: Path, group: str, keys: list[bytes], rows: list[measures.Measures | None]) -> None:
    """One more file of scores. A row of None is a picture that cannot be read."""
    model = next((row for row in rows if row is not None), None)
    columns: dict[str, Any] = {"keys": np.frombuffer(b"".join(keys), np.uint8).reshape(len(keys), -1)}
    columns["readable"] = np.array([row is not None for row in rows], np.uint8)
    for name in model if model is not None else measures.COLUMNS.get(group, ()):
        columns[name] = _stack([row[name] if row is not None else None for row in rows])
    _write(store / f"{group}.{time.time_ns():020d}.h5", columns)
    _merge(store, group)


def _stack(values: list[Any]) -> NDArray:
    example = next((v for v in values if v is not None), measures.NAN)
    if isinstance(example, str):
        return np.array([v or "" for v in values], dtype=h5py.string_dtype())
    fill = np.full_like(np.asarray(example), np.nan if np.asarray(example).dtype.kind == "f" else 0)
    return np.stack([np.asarray(fill if v is None else v) for v in values])


def _write(path: Path, columns: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for name, values in columns.items():
            file.create_dataset(name, data=values)
    write_bytes(path, buffer.getvalue())


def _merge(store: Path, group: str) -> None:
    """Many small files become one, so that years of small changes do not slow the reading down."""
    paths = sorted(store.glob(f"{group}.*.h5"))
    sizes = {path: len(_keys(path)) for path in paths} if len(paths) > _MERGE_FROM else {}
    small = [path for path, size in sizes.items() if size < _PART]
    if len(small) < 2:
        return
    with h5py.File(small[-1], "r") as file:
        names = list(file)
    parts: dict[str, list] = {name: [] for name in names}
    for path in reversed(small):  # newest first: the newest score of a picture is found first
        with h5py.File(path, "r") as file:
            for name in names:
                parts[name].append(file[name][:])
    _write(small[-1], {name: np.concatenate(values) for name, values in parts.items()})
    for path in small[:-1]:
        path.unlink()
