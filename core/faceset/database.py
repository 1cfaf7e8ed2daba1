"""``faces.db``: everything known about the faces of one side, in one SQLite file that is never half-written.

Tables: ``settings`` (how the extraction was asked for), ``frames`` (what became of each frame), ``faces`` (one row a face file). A frame and
its faces arrive in one transaction, after the face files are there. Other modules may keep tables of their own in the same file.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptFileError, DiskFullError, EnvironmentFault, InputError

VERSION = 1
_SCHEMA = """
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE frames (name TEXT PRIMARY KEY, status TEXT NOT NULL, error TEXT NOT NULL, dropped TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE faces (
  name TEXT PRIMARY KEY, frame TEXT NOT NULL REFERENCES frames(name), face_index INTEGER NOT NULL, status TEXT NOT NULL,
  face_type TEXT NOT NULL, size INTEGER NOT NULL, "left" REAL NOT NULL, top REAL NOT NULL, "right" REAL NOT NULL, bottom REAL NOT NULL,
  score REAL NOT NULL, sure REAL NOT NULL, pitch REAL NOT NULL, yaw REAL NOT NULL, roll REAL NOT NULL, sharpness REAL NOT NULL,
  sha256 TEXT NOT NULL, landmarks BLOB NOT NULL, identity BLOB
);
CREATE INDEX faces_frame ON faces(frame);
"""


@dataclass(frozen=True)
class FrameRow:
    """A frame that was looked at. status: ``done`` or ``corrupt``; error: why it could not be read; dropped: faces not kept, by name of the filter."""

    name: str
    status: str
    error: str
    dropped: dict[str, int]


@dataclass(frozen=True)
class FaceRow:
    """A face. name: file name as extracted; frame: file name of its frame; status: ``extracted``; size: pixels of the aligned image;
    left, top, right, bottom: the detector's box in the frame; score, sure: 0..1, of the detector and the landmarker; pitch, yaw: radians, as in
    core.geometry.pose; roll: radians, clockwise turn of the head in the frame; sharpness: larger is sharper; sha256: of the file as extracted;
    landmarks: float64 (68, 2), frame pixels; identity: float32 unit vector, or None."""

    name: str
    frame: str
    face_index: int
    status: str
    face_type: str
    size: int
    left: float
    top: float
    right: float
    bottom: float
    score: float
    sure: float
    pitch: float
    yaw: float
    roll: float
    sharpness: float
    sha256: str
    landmarks: NDArray[np.float64]
    identity: NDArray[np.float32] | None


_NAMES = tuple(field.name for field in fields(FaceRow))
_COLUMNS = ", ".join(f'"{name}"' for name in _NAMES)
_PLACES = ", ".join("?" for _ in _NAMES)


@contextmanager
def open_database(path: Path, *, create: bool = False) -> Iterator[sqlite3.Connection]:
    """A connection to ``path``; ``create`` makes the file and its tables where they are missing.

    Raises InputError (absent, made by a newer version, in use), CorruptFileError, DiskFullError, EnvironmentFault.
    """
    if not create and not path.is_file():
        raise InputError("no face database", where=path, hint="the faces step makes it")
    with _typed(path):
        connection = sqlite3.connect(path, timeout=30)
        try:
            _prepare(connection, path)
            yield connection
        finally:
            connection.close()


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise InputError(
            "this face database was made by a newer version of the program", where=path, hint="update the program"
        )
    if version == 0:
        connection.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")


@contextmanager
def _typed(path: Path) -> Iterator[None]:
    """SQLite's errors as ours."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            raise DiskFullError(
                "no space left on the disk", where=path, hint="free some space and run it again; finished work was kept"
            ) from None
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise CorruptFileError(
                "the face database is damaged",
                where=path,
                why=str(error),
                hint="restore it from a backup, or extract the faces again",
            ) from None
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise InputError(
                "another program is using the face database", where=path, hint="close it and run this again"
            ) from None
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM):
            raise EnvironmentFault(
                "cannot use the face database",
                where=path,
                why=str(error),
                hint="check the owner and mode of its folder",
            ) from None
        raise


def read_settings(connection: sqlite3.Connection) -> dict[str, Any]:
    """How the extraction was asked for; empty in a new file."""
    return {key: json.loads(value) for key, value in connection.execute("SELECT key, value FROM settings ORDER BY key")}


def write_settings(connection: sqlite3.Connection, settings: dict[str, Any]) -> None:
    """Replace the recorded settings (JSON values)."""
    with connection:
        connection.execute("DELETE FROM settings")
        connection.executemany(
            "INSERT INTO settings VALUES (?, ?)", [(key, json.dumps(value)) for key, value in settings.items()]
        )


def add(connection: sqlite3.Connection, results: Iterable[tuple[FrameRow, list[FaceRow]]]) -> None:
    """Frames with their faces, all or none; a frame that is there is replaced."""
    with connection:
        for frame, found in results:
            connection.execute("DELETE FROM faces WHERE frame = ?", (frame.name,))
            connection.execute(
                "INSERT OR REPLACE INTO frames VALUES (?, ?, ?, ?)",
                (frame.name, frame.status, frame.error, json.dumps(frame.dropped)),
            )
            connection.executemany(
                f"INSERT INTO faces ({_COLUMNS}) VALUES ({_PLACES})", [_stored(face) for face in found]
            )


def _stored(face: FaceRow) -> tuple:
    *plain, landmarks, identity = (getattr(face, name) for name in _NAMES)
    return (
        *plain,
        np.asarray(landmarks, "<f8").tobytes(),
        None if identity is None else np.asarray(identity, "<f4").tobytes(),
    )


def forget(connection: sqlite3.Connection) -> None:
    """Drop every frame and face row; files are not touched."""
    with connection:
        connection.execute("DELETE FROM faces")
        connection.execute("DELETE FROM frames")


def frames(connection: sqlite3.Connection) -> Iterator[FrameRow]:
    """All frames that were looked at, by name."""
    for name, status, error, dropped in connection.execute(
        "SELECT name, status, error, dropped FROM frames ORDER BY name"
    ):
        yield FrameRow(name, status, error, json.loads(dropped))


def faces(connection: sqlite3.Connection) -> Iterator[FaceRow]:
    """All faces, by frame and index."""
    for row in connection.execute(f"SELECT {_COLUMNS} FROM faces ORDER BY frame, face_index"):
        landmarks = np.frombuffer(row[-2], "<f8").reshape(68, 2)
        identity = None if row[-1] is None else np.frombuffer(row[-1], "<f4")
        yield FaceRow(**dict(zip(_NAMES, (*row[:-2], landmarks, identity), strict=True)))


def faces_by_frame(connection: sqlite3.Connection) -> dict[str, int]:
    """How many faces each frame that was looked at gave, by name of the frame."""
    query = "SELECT frames.name, COUNT(faces.name) FROM frames LEFT JOIN faces ON faces.frame = frames.name GROUP BY frames.name ORDER BY frames.name"
    return dict(connection.execute(query))
