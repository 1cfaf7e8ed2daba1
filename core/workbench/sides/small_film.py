"""A film as small pictures, made behind everything else: of the film itself any frame takes up to seconds.

A cache beside the thumbs, which any film with another size or time makes anew.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import cv2
import numpy as np

from core.imaging.codec import encode_jpeg
from core.safe_paths import own_folder
from core.workbench.sides.film import Film

WIDTH = 640  # pixels
# About 25 kB each: longer films would take more than a gigabyte.
MOST_FRAMES = 40_000
_QUALITY = 70
_AT_ONCE = 16
_TABLES = (
    "CREATE TABLE IF NOT EXISTS film (key TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS frames (number INTEGER PRIMARY KEY, jpeg BLOB NOT NULL)",
)


class SmallFilm:
    """May be used by several threads."""

    def __init__(self, path: Path):
        """path: of the cache."""
        self._path = path
        self._lock = threading.Lock()

    def get(self, key: str, number: int) -> bytes | None:
        """A JPEG of this frame, ``WIDTH`` wide; None where it is not made yet. key: changes with the film."""
        if not self._path.is_file():
            return None
        with self._opened(key) as store:
            row = store.execute("SELECT jpeg FROM frames WHERE number = ?", (number,)).fetchone()
        return None if row is None else row[0]

    def make(self, key: str, path: Path, pause: Callable[[], bool]) -> int:
        """Make what is missing, some frames at a time; returns how many. path: of the film. pause: says whether to
        stop.
        """
        film = Film(path)
        made = 0
        try:
            if film.info.width <= WIDTH or len(film) > MOST_FRAMES:
                return 0
            with self._opened(key) as store:
                there = {number for (number,) in store.execute("SELECT number FROM frames")}
            missing = [number for number in range(len(film)) if number not in there]
            for start in range(0, len(missing), _AT_ONCE):
                if pause():
                    break
                rows = [(number, _small(film, number)) for number in missing[start : start + _AT_ONCE]]
                with self._opened(key) as store, store:
                    store.executemany("INSERT OR REPLACE INTO frames VALUES (?, ?)", rows)
                made += len(rows)
        finally:
            film.close()
        return made

    @contextmanager
    def _opened(self, key: str) -> Iterator[sqlite3.Connection]:
        with self._lock:
            own_folder(self._path.parent)
            try:
                store = _connected(self._path, key)
            except sqlite3.DatabaseError:
                # It is a cache: damage costs the time of making it again.
                self._path.unlink(missing_ok=True)
                store = _connected(self._path, key)
            with closing(store):
                yield store


def _connected(path: Path, key: str) -> sqlite3.Connection:
    store = sqlite3.connect(path, timeout=30)
    store.execute("PRAGMA trusted_schema = OFF")
    store.execute("PRAGMA synchronous = OFF")
    for table in _TABLES:
        store.execute(table)
    if store.execute("SELECT key FROM film").fetchone() != (key,):
        with store:
            store.execute("DELETE FROM frames")
            store.execute("DELETE FROM film")
            store.execute("INSERT INTO film VALUES (?)", (key,))
    return store


def _small(film: Film, number: int) -> bytes:
    image = film.frame(number)
    height = max(1, round(image.shape[0] * WIDTH / image.shape[1]))
    small = np.asarray(cv2.resize(image, (WIDTH, height), interpolation=cv2.INTER_AREA), np.uint8)
    return encode_jpeg(small, _QUALITY, "420")
