"""What is known of the masks of a side, as columns of its faces: read from the face files a while at a time, and kept
as long as they stay as they are.
"""

import threading
import time
from dataclasses import dataclass

import numpy as np

from core.errors import PipelineError
from core.faceset.database.connection import open_database
from core.faceset.database.masks import MaskRow, MaskTable, checksum
from core.faceset.masks.labels import doubt
from core.formats import dfl_image
from core.imaging.masks import mask_origin
from core.workbench.faces.columns import TRASHED, Found, coded
from core.workbench.sides.side_view import SideView
from core.workbench.sides.table import FaceTable, hexadecimal
from core.workbench.sides.thumbs import Shown

_AT_ONCE = 1.0  # seconds that one look may take


@dataclass(frozen=True)
class Fact:
    """Of one face. key: changes with the file and its mask. polygons: how many. origin: of its mask. doubt: how much
    the mask needs a look. checksum: of the stored mask; None where there is none.
    """

    key: str
    polygons: int
    origin: str
    doubt: float
    checksum: int | None


class MaskFacts:
    """Of one side. May be asked from any thread."""

    def __init__(self, view: SideView):
        self._view = view
        self._known: dict[str, Fact] = {}
        self._lock = threading.Lock()

    def look(self) -> tuple[str, FaceTable, Found, int]:
        """(revision, the table of faces, columns of those that are known, how many are not yet).

        Columns: ``polygons``, how many; ``doubt``; ``mask_stale``, 1 where the stored mask was made from other points;
        ``mask``, where the mask comes from, in words.

        Raises:
            InputError: there is no database yet.
        """
        with self._lock:
            revision, table = self._view.table()
            there = [face for face, picture in table.pictures.items() if picture.folder != TRASHED]
            shown = self._view.faces(there)
            with open_database(self._view.side.database) as connection:
                rows = MaskTable(connection).rows
            left = self._read(shown, rows)
            return revision, table, self._columns(shown, rows, table), left

    def _read(self, shown: dict[str, Shown], rows: dict[str, MaskRow]) -> int:
        """Read files that are new, as many as there is time for; returns how many are left."""
        keys = {face: _key(one, rows.get(face)) for face, one in shown.items()}
        waiting = [face for face, key in keys.items() if face not in self._known or self._known[face].key != key]
        end = time.monotonic() + _AT_ONCE
        for done, face in enumerate(waiting):
            if done and time.monotonic() > end:
                return len(waiting) - done
            self._known[face] = _fact(face, shown[face], rows.get(face), keys[face])
        return 0

    def _columns(self, shown: dict[str, Shown], rows: dict[str, MaskRow], table: FaceTable) -> Found:
        geometry = dict(zip(map(hexadecimal, table.ids), table.geometry.tolist(), strict=True))
        faces = sorted(face for face in shown if face in self._known and face in geometry)
        facts = [self._known[face] for face in faces]
        stale = [_is_stale(fact, rows.get(face), geometry[face]) for face, fact in zip(faces, facts, strict=True)]
        numbers = {
            "polygons": np.array([fact.polygons for fact in facts], np.float32),
            "doubt": np.array([fact.doubt for fact in facts], np.float32),
            "mask_stale": np.array(stale, np.float32),
        }
        words = {"mask": coded(fact.origin for fact in facts)}
        return Found(np.array([int(face, 16) for face in faces], np.uint64), numbers, words)


def _key(shown: Shown, row: MaskRow | None) -> str:
    return f"{shown.key} {row.checksum if row else ''}"


def _fact(face: str, shown: Shown, row: MaskRow | None, key: str) -> Fact:
    try:
        record = dfl_image.parse(shown.read(), face)
    except (PipelineError, OSError):
        return Fact(key, 0, "unreadable", float("inf"), None)
    stored = None if record.xseg_mask is None else checksum(record.xseg_mask)
    known = row if row is not None and row.checksum == stored else None
    return Fact(key, len(record.polygons), mask_origin(record), doubt(record, known), stored)


def _is_stale(fact: Fact, row: MaskRow | None, geometry: str) -> bool:
    return row is not None and row.checksum == fact.checksum and bool(row.geometry) and row.geometry != geometry
