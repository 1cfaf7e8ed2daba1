"""How alike faces are: cosines of their identity vectors, all at once."""

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.faceset.database import measured
from core.faceset.database.connection import open_database
from core.faceset.scores.measures import IDENTITY_SIZE
from core.faceset.scores.persons import EMBEDDER
from core.workbench.answers import headed
from core.workbench.sides.side_view import SideView
from core.workbench.sides.table import FaceTable

# What a column is called that says how alike faces are to one of them: ``like.`` and its id.
LIKE = "like."
# From here on two pictures are usually of one person; below the other number nobody wants to see them.
SAME, LEAST = 0.45, 0.2


@dataclass(frozen=True, eq=False)
class Vectors:
    """Identity vectors. ids: (n,) uint64, ascending. unit: (n, 128) float32, of length 1."""

    ids: NDArray[np.uint64]
    unit: NDArray[np.float32]

    def likeness(self, faces: Sequence[int]) -> NDArray[np.float32]:
        """(n,) cosines to the mean of some faces; NaN where none of them has a vector."""
        chosen = self.unit[np.isin(self.ids, np.array(faces, np.uint64))]
        if not len(chosen):
            return np.full(len(self.ids), np.nan, np.float32)
        mean = chosen.mean(axis=0)
        return self.unit @ (mean / max(float(np.linalg.norm(mean)), 1e-6))


class Likeness:
    """The vectors of a side, in memory as long as they do not change."""

    def __init__(self, view: SideView):
        self._view = view
        self._lock = threading.Lock()
        self._revision = ""
        self._kept: tuple[int, Vectors] | None = None

    def vectors(self) -> Vectors:
        with self._lock:
            revision = self._view.revision()
            if self._kept is None or revision != self._revision:
                with open_database(self._view.side.database) as connection:
                    stamp = _stamp(connection)
                    # Most changes of the database are others: reading the vectors takes a while.
                    if self._kept is None or self._kept[0] != stamp:
                        self._kept = (stamp, _read(connection))
                self._revision = revision
            return self._kept[1]

    def similar(self, faces: Sequence[str]) -> bytes:
        """What a page gets (``answers.headed``): the ids of the faces that are like these, uint64, the most alike
        first, and their cosines, float32; none where these have no vector. unknown: how many faces have none.
        """
        vectors = self.vectors()
        cosines = vectors.likeness([int(face, 16) for face in faces])
        chosen = np.flatnonzero(cosines >= LEAST)
        chosen = chosen[np.argsort(-cosines[chosen], kind="stable")]
        table = self._view.table()[1]
        unknown = int(len(table) - np.isin(table.ids, vectors.ids).sum())
        head = {"count": len(chosen), "same": SAME, "least": LEAST, "unknown": unknown}
        return headed(head, vectors.ids[chosen].astype("<u8").tobytes(), cosines[chosen].astype("<f4").tobytes())

    def with_columns(self, table: FaceTable, names: Iterable[str]) -> FaceTable:
        """The table with the columns ``like.ID`` that are among the names."""
        numbers = dict(table.numbers)
        for name in names:
            if not name.startswith(LIKE) or name in numbers:
                continue
            vectors = self.vectors()
            try:
                cosines = vectors.likeness([int(name.removeprefix(LIKE)[:16], 16)])
            except ValueError:
                continue  # it is told that there is no such column
            if not len(vectors.ids):
                numbers[name] = np.full(len(table), np.nan, np.float32)
                continue
            places = np.minimum(np.searchsorted(vectors.ids, table.ids), len(vectors.ids) - 1)
            known = vectors.ids[places] == table.ids
            numbers[name] = np.where(known, cosines[places], np.nan).astype(np.float32)
        return replace(table, numbers=numbers)


def _stamp(connection: sqlite3.Connection) -> int:
    """Another number when any vector is another one."""
    query = "SELECT face || geometry FROM vectors WHERE embedder = ?"
    return hash(tuple(row[0] for row in connection.execute(query, (EMBEDDER,))))


def _read(connection: sqlite3.Connection) -> Vectors:
    # Also of points that moved: they still show the same person.
    faces, rows = measured.vector_matrix(connection, EMBEDDER, IDENTITY_SIZE)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return Vectors(np.array([int(face, 16) for face in faces], np.uint64), rows / np.maximum(lengths, 1e-6))
