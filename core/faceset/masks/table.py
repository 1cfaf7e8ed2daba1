"""Which masker made the mask of which face: so that a second run does only what is new, and the least certain faces are known.

It can be deleted at any time; then all masks are made again.
"""

import sqlite3
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from core.errors import CorruptFileError
from core.types import FaceRecord

_SCHEMA = """CREATE TABLE IF NOT EXISTS masks (
    face TEXT PRIMARY KEY, masker TEXT NOT NULL, checksum INTEGER NOT NULL, area REAL NOT NULL, uncertainty REAL NOT NULL, pending BLOB)"""


@dataclass(frozen=True)
class MaskRow:
    """face: ``person/name``; masker: its identity; checksum: of the stored mask's bytes; area: share of the picture; uncertainty: of the soft
    mask; pending: the mask itself while it is not yet in the faceset."""

    face: str
    masker: str
    checksum: int
    area: float
    uncertainty: float
    pending: bytes | None = None


def face_key(record: FaceRecord) -> str:
    return f"{record.person}/{record.name}" if record.person else record.name


def checksum(mask: bytes) -> int:
    return zlib.crc32(mask)


class MaskTable:
    """Rows by face. Use as a context manager; a row that was added survives the end of the process, however it ends."""

    def __init__(self, path: Path):
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._database = sqlite3.connect(path)
            # A commit then costs no disk flush, so that each row can have its own: a killed run repeats next to nothing.
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=NORMAL")
            self._database.execute(_SCHEMA)
            found = self._database.execute(
                "SELECT face, masker, checksum, area, uncertainty, pending IS NOT NULL FROM masks"
            ).fetchall()
        except sqlite3.DatabaseError as error:
            raise CorruptFileError(
                "the table of masks is damaged",
                where=path,
                why=str(error),
                hint="move that file away: it only remembers what was done, the masks are in the faces",
            ) from None
        self._pending = {face for face, *_, pending in found if pending}
        self.rows = {face: MaskRow(face, masker, number, area, doubt) for face, masker, number, area, doubt, _ in found}

    def done(self, record: FaceRecord, masker: str) -> bool:
        """Whether the face carries the mask that this masker made."""
        row = self.rows.get(face_key(record))
        return (
            row is not None
            and record.xseg_mask is not None
            and row.masker == masker
            and row.checksum == checksum(record.xseg_mask)
        )

    def pending(self, face: str, masker: str) -> bytes | None:
        """The mask that this masker made for the face and that is not yet in the faceset."""
        if face not in self._pending or self.rows[face].masker != masker:
            return None
        return self._database.execute("SELECT pending FROM masks WHERE face = ?", (face,)).fetchone()[0]

    def add(self, row: MaskRow) -> None:
        self._database.execute(
            "INSERT OR REPLACE INTO masks VALUES (?, ?, ?, ?, ?, ?)",
            (row.face, row.masker, row.checksum, row.area, row.uncertainty, row.pending),
        )
        self.rows[row.face] = row
        (self._pending.discard if row.pending is None else self._pending.add)(row.face)
        self._database.commit()

    def settle(self, masker: str) -> None:
        """The pending masks are in the faceset now: ``masker`` made them."""
        self._database.execute("UPDATE masks SET pending = NULL, masker = ? WHERE pending IS NOT NULL", (masker,))
        self._pending.clear()
        self._database.commit()
        self._database.execute("VACUUM")  # the masks took much room

    def remove(self, faces: Iterable[str]) -> None:
        self._database.executemany("DELETE FROM masks WHERE face = ?", [(face,) for face in faces])
        self._database.commit()

    def __enter__(self) -> "MaskTable":
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()
