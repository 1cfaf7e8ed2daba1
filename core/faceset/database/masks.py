"""Which masker made the mask of which face: a second run does only what is new, and the least certain are known."""

import sqlite3
import time
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from core.faceset.database.cells import BLOB, NUMBER, TEXT, WHOLE, checked
from core.faceset.identity import face_id, record_geometry
from core.imaging.masks import BY_HAND
from core.types import FaceRecord

# Rows that a killed run loses are made again; a commit waits for the disk.
_COMMIT_SECONDS = 1.0


@dataclass(frozen=True)
class MaskRow:
    """The mask of a face.

    face: its id.
    kind: who made it: ``xseg``, a landmark masker such as ``hull``, ``custom``.
    masker: all that decides what the mask looks like, weights and style included.
    checksum: of the stored mask's bytes.
    area: share of the image. uncertainty: of the soft mask, 0..1.
    geometry: of the points that it was made with.
    pending: the mask itself while it is not yet in the faceset.
    """

    face: str
    kind: str
    masker: str
    checksum: int
    area: float
    uncertainty: float
    geometry: str
    pending: bytes | None = None


def checksum(mask: bytes) -> int:
    """Of the bytes of a stored mask."""
    return zlib.crc32(mask)


_KINDS = (TEXT, TEXT, TEXT, WHOLE, NUMBER, NUMBER, TEXT, WHOLE)


class MaskTable:
    """The masks of a side by face.

    A context manager: rows are on the disk within a second, at the latest when it ends.
    """

    def __init__(self, connection: sqlite3.Connection):
        self._connection = connection
        self._committed = time.monotonic()
        query = "SELECT face, kind, masker, checksum, area, uncertainty, geometry, pending IS NOT NULL FROM masks"
        found = connection.execute(query).fetchall()
        for values in found:
            checked(values, _KINDS, "masks")
        self._pending = {face for face, *_, pending in found if pending}
        self.rows = {values[0]: MaskRow(*values[:7]) for values in found}

    def row(self, record: FaceRecord, face: str = "") -> MaskRow | None:
        """What is known of the mask that a face carries; None when another program or a person made it.

        face: its id, where it is known.
        """
        row = self.rows.get(face or face_id(record))
        if row is None or record.xseg_mask is None or row.checksum != checksum(record.xseg_mask):
            return None
        return row

    def done(self, record: FaceRecord, masker: str, face: str = "") -> bool:
        """Whether the face carries the mask that this masker makes of it as it is now."""
        row = self.row(record, face)
        if row is None or row.masker != masker:
            return False
        return record.source_landmarks is None or row.geometry == record_geometry(record)

    def by_hand(self, record: FaceRecord, face: str = "") -> bool:
        """Whether the face carries a mask that a person drew or brought."""
        row = self.row(record, face)
        return row is not None and row.kind == BY_HAND

    def pending(self, face: str, masker: str) -> bytes | None:
        """The mask that this masker made for the face and that is not yet in the faceset."""
        if face not in self._pending or self.rows[face].masker != masker:
            return None
        row = self._connection.execute("SELECT pending FROM masks WHERE face = ?", (face,)).fetchone()
        return checked(row, (BLOB,), "masks")[0]

    def add(self, row: MaskRow) -> None:
        """Note a mask, in place of the one before."""
        values = (
            row.face,
            row.kind,
            row.masker,
            row.checksum,
            row.area,
            row.uncertainty,
            row.geometry,
            row.pending,
        )
        self._connection.execute("INSERT OR REPLACE INTO masks VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
        self.rows[row.face] = row
        if row.pending is None:
            self._pending.discard(row.face)
        else:
            self._pending.add(row.face)
        if time.monotonic() - self._committed > _COMMIT_SECONDS:
            self._commit()

    def settle(self, masker: str) -> None:
        """The pending masks are in the faceset now: ``masker`` made them."""
        query = "UPDATE masks SET pending = NULL, masker = ? WHERE pending IS NOT NULL"
        self._connection.execute(query, (masker,))
        self._pending.clear()
        self._commit()
        # After the commit: SQLite refuses it within a transaction.
        self._connection.execute("VACUUM")  # the masks took much room

    def remove(self, faces: Iterable[str]) -> None:
        """Forget the masks of these faces."""
        self._connection.executemany("DELETE FROM masks WHERE face = ?", [(face,) for face in faces])
        self._commit()

    def _commit(self) -> None:
        self._connection.commit()
        self._committed = time.monotonic()

    def __enter__(self) -> "MaskTable":
        return self

    # Also after an error: what is noted are masks that are made.
    def __exit__(self, *_: object) -> None:
        self._commit()
