"""Opening ``faces.db``: one SQLite file a side that is never half-written, upgraded on first use."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import CorruptFileError, DiskFullError, EnvironmentFault, InputError
from core.faceset.database import schema, upgrade

_ROOM = 1 << 16  # bytes


@contextmanager
def open_database(path: Path, *, create: bool = False) -> Iterator[sqlite3.Connection]:
    """A connection to ``path``; ``create`` makes the file and its tables where they are missing.

    A database of version 1 is upgraded; the old file is kept beside it as ``faces.db.v1``.

    Raises:
        InputError: it is absent, was made by a newer version, or another program uses it.
        CorruptFileError: it is damaged, or no database.
        DiskFullError, EnvironmentFault: the disk or its permissions.
    """
    if not create and not path.is_file():
        raise InputError("no face database", where=path, hint="the faces step makes it")
    with typed_errors(path):
        connection = sqlite3.connect(path, timeout=30)
        try:
            _prepare(connection, path)
            yield connection
        finally:
            connection.close()


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > schema.VERSION:
        raise InputError(
            "this face database was made by a newer version of the program", where=path, hint="update the program"
        )
    if version == 0:
        create_tables(connection)
    if version == 1:
        upgrade.from_version_1(connection, path)
    connection.execute("PRAGMA foreign_keys = ON")


def is_old(path: Path) -> bool:
    """Whether a database was made by an earlier version and nobody has upgraded it yet."""
    with typed_errors(path):
        connection = sqlite3.connect(path, timeout=30)
        try:
            return 0 < connection.execute("PRAGMA user_version").fetchone()[0] < schema.VERSION
        finally:
            connection.close()


def create_tables(connection: sqlite3.Connection) -> None:
    """All tables, or none."""
    connection.executescript(f"BEGIN; {schema.TABLES} PRAGMA user_version = {schema.VERSION}; COMMIT;")


@contextmanager
def typed_errors(path: Path) -> Iterator[None]:
    """SQLite's errors as ours."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _is_full(path)):
            raise DiskFullError(
                "no space left on the disk",
                where=path,
                hint="free some space and run it again; finished work was kept",
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
        raise CorruptFileError(
            "the face database is not what this program made",
            where=path,
            why=str(error)[:200],
            hint="move it away: the next step makes one from the face files, without what only the database knew",
        ) from None


def _is_full(path: Path) -> bool:
    """Whether the disk has no room for a page: SQLite then speaks of an input or output error."""
    try:
        return shutil.disk_usage(path.parent).free < _ROOM
    except OSError:
        return False
