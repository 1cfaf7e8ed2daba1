"""Small pictures of faces, made when they are first asked for and kept in ``.thumbs/<side>.db``: a cache, no more.

A thumb belongs to the size and time of the file that it shows, so it survives renaming and goes with a new picture.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2

from core import parallel
from core.errors import PipelineError
from core.faceset.thumbnails import thumbnail
from core.imaging.codec import encode_jpeg
from core.safe_paths import own_folder

_QUALITY = 82
_COLUMNS = "face TEXT PRIMARY KEY, key TEXT NOT NULL, jpeg BLOB NOT NULL, color INTEGER NOT NULL"
_TABLE = f"CREATE TABLE IF NOT EXISTS thumbs ({_COLUMNS})"


@dataclass(frozen=True)
class Shown:
    """A picture to be shown small. key: changes with its contents. read: gives its bytes."""

    key: str
    read: Callable[[], bytes]


class ThumbStore:
    """The thumbs of a side. May be used by several threads."""

    def __init__(self, path: Path):
        self._path = path
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(max(2, min(8, parallel.cores())), "thumbs")

    def get(self, shown: Mapping[str, Shown]) -> dict[str, bytes]:
        """Face -> JPEG of 96 x 96, of these faces; those that cannot be read have none."""
        with self._opened() as store:
            found = _kept(store, shown)
        missing = [face for face in shown if face not in found]
        results = self._pool.map(_made, [shown[face] for face in missing])
        made = {face: thumb for face, thumb in zip(missing, results, strict=True) if thumb is not None}
        self._keep(shown, made)
        return found | {face: jpeg for face, (jpeg, _) in made.items()}

    def make(self, shown: Mapping[str, Shown]) -> int:
        """Make those of these that there are not, in this thread alone; returns how many."""
        with self._opened() as store:
            places = ", ".join("?" * len(shown))
            kept = dict(store.execute(f"SELECT face, key FROM thumbs WHERE face IN ({places})", list(shown)))
        missing = [face for face in shown if kept.get(face) != shown[face].key]
        self._keep(shown, {face: thumb for face in missing if (thumb := _made(shown[face])) is not None})
        return len(missing)

    def colors(self) -> dict[str, int]:
        """Face -> mean colour, red * 65536 + green * 256 + blue, of the faces that have a thumb."""
        with self._opened() as store:
            return dict(store.execute("SELECT face, color FROM thumbs"))

    def _keep(self, shown: Mapping[str, Shown], made: Mapping[str, tuple[bytes, int]]) -> None:
        rows = [(face, shown[face].key, jpeg, color) for face, (jpeg, color) in made.items()]
        if rows:
            with self._opened() as store, store:
                store.executemany("INSERT OR REPLACE INTO thumbs VALUES (?, ?, ?, ?)", rows)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            own_folder(self._path.parent)
            try:
                store = _connected(self._path)
            except sqlite3.DatabaseError:
                # It is a cache: damage costs the time of making it again.
                self._path.unlink(missing_ok=True)
                store = _connected(self._path)
            with closing(store):
                yield store


def _connected(path: Path) -> sqlite3.Connection:
    store = sqlite3.connect(path, timeout=30)
    store.execute("PRAGMA trusted_schema = OFF")
    store.execute("PRAGMA synchronous = OFF")
    store.execute(_TABLE)
    # So that the colours of all faces are read without their pictures.
    store.execute("CREATE INDEX IF NOT EXISTS thumbs_color ON thumbs (face, color)")
    return store


def _kept(store: sqlite3.Connection, shown: Mapping[str, Shown]) -> dict[str, bytes]:
    places = ", ".join("?" * len(shown))
    rows = store.execute(f"SELECT face, key, jpeg FROM thumbs WHERE face IN ({places})", list(shown))
    return {face: jpeg for face, key, jpeg in rows if shown[face].key == key}


def _made(shown: Shown) -> tuple[bytes, int] | None:
    try:
        image = thumbnail(shown.read())
    except (PipelineError, OSError):
        return None
    blue, green, red = (round(value) for value in cv2.mean(image)[:3])
    return encode_jpeg(image, _QUALITY, "420"), red << 16 | green << 8 | blue


def packed(jpegs: Sequence[bytes]) -> bytes:
    """Several pictures in one answer: uint32 count, uint32 length of each (0: there is none), then the JPEGs."""
    lengths = b"".join(len(jpeg).to_bytes(4, "little") for jpeg in jpegs)
    return len(jpegs).to_bytes(4, "little") + lengths + b"".join(jpegs)
