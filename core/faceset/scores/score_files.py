"""Scores on disk: HDF5 files in ``aligned_scores`` beside the faces, each with the columns of one group for some faces.

Files are only ever added, whole: a run that is killed keeps what it has scored. A face is known by its key, 16 bytes;
of several scores of one face the newest counts.
"""

import io
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptFileError
from core.faceset.scores.measures import COLUMNS, Measures
from core.fsio import write_bytes
from core.safe_paths import own_folder

log = logging.getLogger(__name__)
FOLDER = "aligned_scores"
# Faces in a file at most, and so many files of a group before the small ones become one.
PART, _MERGE_FROM = 4096, 32
_KEY_BYTES = 16


@dataclass(frozen=True)
class Part:
    """What one file has of the faces that were looked for.

    rows: int (k,), which of the faces.
    places: int (k,), where in the file each of them is.
    """

    path: Path
    rows: NDArray[np.intp]
    places: NDArray[np.intp]


def lookup(folder: Path, group: str, keys: Sequence[bytes]) -> list[Part]:
    """Where the scores of the faces with these keys are; faces in none of the parts have none."""
    wanted: dict[bytes, list[int]] = {}
    for index, key in enumerate(keys):
        wanted.setdefault(key, []).append(index)
    found = []
    for path in sorted(folder.glob(f"{group}.*.h5"), reverse=True):
        rows, places = [], []
        for place, key in enumerate(_keys(path, group)):
            for index in wanted.pop(key, ()):
                rows.append(index)
                places.append(place)
        if rows:
            found.append(Part(path, np.array(rows), np.array(places)))
    return found


def read(parts: Sequence[Part], group: str, column: str, count: int) -> NDArray:
    """A column for ``count`` faces, (count, ...); what is in none of the parts is empty (NaN, 0 or "").

    Raises:
        CorruptFileError: a file is damaged in a way that did not show before.
    """
    empty = np.uint8(0) if column == "readable" else COLUMNS[group][column]
    out = np.full((count, *np.shape(empty)), empty, object if isinstance(empty, str) else None)
    for part in parts:
        with _opened(part.path) as file:
            data = file[column]
            values = _texts(data[:]) if isinstance(empty, str) else data[:]
            out[part.rows] = values[part.places]
    return out


def save(folder: Path, group: str, keys: Sequence[bytes], rows: Sequence[Measures | None]) -> None:
    """One more file of scores. A row of None is an image that cannot be decoded."""
    columns: dict[str, Any] = {
        "keys": np.frombuffer(b"".join(keys), np.uint8).reshape(len(keys), -1),
        "readable": np.array([row is not None for row in rows], np.uint8),
    }
    for name, empty in COLUMNS[group].items():
        columns[name] = _stack([empty if row is None else row[name] for row in rows])
    # Names in the order of time: the newest are looked at first.
    _write(folder / f"{group}.{time.time_ns():020d}.h5", columns)
    _merge(folder, group)


def _stack(values: list[Any]) -> NDArray:
    if isinstance(values[0], str):
        # Of one width: where each text has a length of its own, a damaged file may claim gigabytes.
        encoded = [value.encode("utf-8", "surrogateescape") for value in values]
        return np.array(encoded, f"S{max(map(len, encoded)) or 1}")
    return np.stack([np.asarray(value) for value in values])


def _texts(stored: NDArray) -> NDArray:
    return np.array([value.decode("utf-8", "surrogateescape") for value in stored], object)


def _write(path: Path, columns: dict[str, Any]) -> None:
    own_folder(path.parent)
    # In memory first: the file is there whole, or not at all.
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for name, values in columns.items():
            file.create_dataset(name, data=values)
    write_bytes(path, buffer.getvalue())


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    """A file of scores; whatever h5py and NumPy say of damage becomes a typed error."""
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError, IndexError) as error:
        raise CorruptFileError(
            "a damaged score file", where=path, why=str(error)[:200], hint="delete it: those scores are computed again"
        ) from None


def _keys(path: Path, group: str) -> list[bytes]:
    """The keys of the faces in a file; none for a file that cannot be used."""
    try:
        with _opened(path) as file:
            count, most = file["keys"].shape[0], path.stat().st_size
            fits = [_fits(file[name], empty, count, most) for name, empty in COLUMNS[group].items()]
            usable = all(fits) and _fits(file["keys"], np.zeros(_KEY_BYTES, np.uint8), count, most)
            keys = file["keys"][:] if usable else []
    except CorruptFileError as error:
        log.warning("score file %s is damaged (%s): those scores are computed again", path, error.why)
        return []
    return [key.tobytes() for key in keys]


def _fits(data: h5py.Dataset, empty: Any, count: int, most: int) -> bool:
    """Whether a column has the shape and the kind that it should have, and no more bytes than the file, ``most``.

    Files without any image that could be decoded used to be written with a NaN for whatever the column holds.
    """
    kinds = data.dtype.kind == "S" if isinstance(empty, str) else data.dtype.kind in "biuf"
    return kinds and data.shape == (count, *np.shape(empty)) and data.nbytes <= most


def _merge(folder: Path, group: str) -> None:
    """Many small files become one, so that years of small changes do not slow the reading down."""
    paths = sorted(folder.glob(f"{group}.*.h5"))
    if len(paths) <= _MERGE_FROM:
        return
    small = [path for path in paths if 0 < len(_keys(path, group)) < PART]
    if len(small) < 2:
        return
    parts: dict[str, list[NDArray]] = {}
    for path in reversed(small):  # the newest first: a look-up takes the first score of a face in a file
        with _opened(path) as file:
            for name in file:
                parts.setdefault(name, []).append(file[name][:])
    # First written, then the others removed: a run that is killed between has scores twice, never none.
    _write(small[-1], {name: np.concatenate(values) for name, values in parts.items()})
    for path in small[:-1]:
        path.unlink()
