"""Opening ``faces.db``: one SQLite file a side that is never half-written, upgraded on first use."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import CorruptFileError, DiskFullError, EnvironmentFault, InputError
from core.faceset.database import schema, upgrade

_ROOM = 1 << 16  # bytes
_SMALLEST = 512  # bytes of a database
_LARGEST_CELL = 1 << 27  # bytes
_CACHE = 64  # MiB of pages: changes of many faces go all over the file
# Instructions of SQLite without a change of the database: many times what reading all of it takes.
_STEP, _STEPS, _STEPS_PER_BYTE = 1_000_000, 500_000_000, 500


@contextmanager
def open_database(path: Path, *, create: bool = False) -> Iterator[sqlite3.Connection]:
    """A connection to ``path``; ``create`` makes the file and its tables where they are missing.

    A database of an earlier version is upgraded; the old file is kept beside it as ``faces.db.v1`` or ``.v2``.

    Raises:
        InputError: it is absent, was made by a newer version, or another program uses it.
        CorruptFileError: it is damaged, no database, one that computes things by itself, or a link to another place.
        DiskFullError, EnvironmentFault: the disk or its permissions.
    """
    if not create and not path.is_file():
        raise InputError("no face database", where=path, hint="extract the faces first: step 3 or 4")
    with typed_errors(path):
        connection = _connected(path)
        try:
            _prepare(connection, path)
            yield connection
        finally:
            connection.close()


def _connected(path: Path) -> sqlite3.Connection:
    """A connection to a file that may be anybody's."""
    if path.is_symlink():
        raise _damaged(path, "it is a link; what it leads to is not touched")
    # SQLite takes a file of a few bytes for an empty database, and writes over it.
    if path.exists() and (not path.is_file() or 0 < path.stat().st_size < _SMALLEST):
        raise _damaged(path, "it is no SQLite file")
    connection = sqlite3.connect(path, timeout=30)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST_CELL)
    # A schema from elsewhere must not call functions with side effects.
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute(f"PRAGMA cache_size = {-1024 * _CACHE}")
    _bound_reading(connection, path)
    return connection


def _bound_reading(connection: sqlite3.Connection, path: Path) -> None:
    """Stop a query whose tables lead in circles, as damaged ones may: nothing changes, and it goes on and on."""
    steps, changes = 0, 0

    def stop() -> bool:
        nonlocal steps, changes
        if connection.total_changes != changes:
            steps, changes = 0, connection.total_changes
        steps += _STEP
        return steps > _STEPS + _STEPS_PER_BYTE * path.stat().st_size

    connection.set_progress_handler(stop, _STEP)


def _require_plain(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse what makes a database compute things by itself. We make tables and indices of columns, nothing else."""
    objects = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    for kind, name, sql in objects:
        if kind not in ("table", "index") or str(sql).upper().startswith("CREATE VIRTUAL"):
            raise _damaged(path, f"it has a {kind}, {str(name)[:80]!r}: it was not made by this program")
    for table in (name for kind, name, _ in objects if kind == "table"):
        # What SQLite calls "hidden": 0 for plain columns only.
        if any(column[6] for column in connection.execute("SELECT * FROM pragma_table_xinfo(?)", (table,))):
            raise _damaged(path, f"the table {str(table)[:80]!r} has columns that are computed")


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    _require_plain(connection, path)
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > schema.VERSION:
        raise InputError(
            "this face database was made by a newer version of the program", where=path, hint="update the program"
        )
    # A new file: SQLite begins with 0.
    if version == 0:
        create_tables(connection)
    if version == 1:
        upgrade.from_version_1(connection, path)
    if version == 2:
        upgrade.from_version_2(connection, path)
    # No file keeps this setting: every connection has to ask for it, or nothing is deleted in cascade.
    connection.execute("PRAGMA foreign_keys = ON")


def is_old(path: Path) -> bool:
    """Whether a database was made by an earlier version and nobody has upgraded it yet."""
    with typed_errors(path):
        connection = _connected(path)
        try:
            return 0 < connection.execute("PRAGMA user_version").fetchone()[0] < schema.VERSION
        finally:
            connection.close()


def create_tables(connection: sqlite3.Connection) -> None:
    """All tables, or none."""
    # The transaction stands in the script: executescript commits before it, and then each statement by itself.
    connection.executescript(f"BEGIN; {schema.TABLES} PRAGMA user_version = {schema.VERSION}; COMMIT;")


@contextmanager
def typed_errors(path: Path) -> Iterator[None]:
    """SQLite's errors as ours."""
    try:
        yield
    except UnicodeDecodeError as error:  # of SQLite's own messages, where names of tables are damaged
        raise _damaged(path, str(error)) from None
    except sqlite3.Error as error:
        # The low byte is the kind of error, the rest is detail.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _is_full(path)):
            raise DiskFullError(
                "no space left on the disk",
                where=path,
                hint="free some space and run it again; finished work was kept",
            ) from None
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise _damaged(path, str(error)) from None
        # Nobody interrupts but the progress handler above.
        if code == sqlite3.SQLITE_INTERRUPT:
            raise _damaged(path, "its tables lead in circles") from None
        if code == sqlite3.SQLITE_NOMEM:
            raise MemoryError(str(error)) from None
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


def path_of(connection: sqlite3.Connection) -> Path:
    """The file of an open database."""
    return Path(connection.execute("PRAGMA database_list").fetchone()[2])


def _damaged(path: Path, why: str) -> CorruptFileError:
    return CorruptFileError(
        "the face database is damaged",
        where=path,
        why=why,
        hint="restore it from a backup, or extract the faces again",
    )


def _is_full(path: Path) -> bool:
    """Whether the disk has no room for a page: SQLite then speaks of an input or output error."""
    try:
        return shutil.disk_usage(path.parent).free < _ROOM
    except OSError:
        return False
