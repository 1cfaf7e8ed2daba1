"""Whole copies of ``faces.db``: before changes that touch many faces, and whenever somebody asks."""

import os
import re
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from core.fsio import temporary_path
from core.safe_paths import own_folder

FOLDER = "faces_backups"
# Of those that are made unasked.
_KEPT = 5
_LONGEST = 40  # letters of why
_NAME = re.compile(r"^(?P<time>\d{4}-\d\d-\d\d_\d\d\.\d\d\.\d\d\.\d+)_(?P<why>[\w-]+)\.db$")
BY_HAND = "by-hand"


@dataclass(frozen=True)
class Copy:
    """A copy of the database.

    name: of its file, which begins with when it was made. why: what it was made before, or ``by-hand``.
    """

    name: str
    why: str
    path: Path
    bytes: int


def copies(database: Path) -> list[Copy]:
    """All copies, oldest first."""
    folder = database.parent / FOLDER
    found = [(path, _NAME.match(path.name)) for path in sorted(folder.glob("*.db"))]
    return [Copy(path.name, match["why"], path, path.stat().st_size) for path, match in found if match]


def back_up(connection: sqlite3.Connection, database: Path, why: str = BY_HAND) -> Copy:
    """Copy the database as it is now; of copies that were made unasked the newest five stay.

    why: a word or two for the name of the file; what a name cannot have becomes dashes.
    """
    folder = own_folder(database.parent / FOLDER)
    stamp = time.strftime("%Y-%m-%d_%H.%M.%S")
    # Several in one second are told apart, and stay in their order.
    numbers = [
        int(copy.name[len(stamp) + 1 :].split("_")[0]) for copy in copies(database) if copy.name.startswith(stamp)
    ]
    word = re.sub(r"[^\w-]+", "-", why).strip("-")[:_LONGEST] or "change"
    path = folder / f"{stamp}.{max(numbers, default=0) + 1:03d}_{word}.db"
    copy_database(connection, path)
    unasked = [copy for copy in copies(database) if copy.why != BY_HAND]
    for copy in unasked[:-_KEPT]:
        copy.path.unlink()
    return next(copy for copy in copies(database) if copy.path == path)


def find_copy(database: Path, name: str) -> Copy:
    """The copy with this name.

    Raises:
        InputError: there is none.
    """
    for copy in copies(database):
        if copy.name == name:
            return copy
    names = ", ".join(copy.name for copy in copies(database)) or "there are none"
    hint = "`alignments restore SIDE` without a name lists them"
    raise InputError("no such copy of the face database", where=name, why=f"copies: {names}", hint=hint)


def copy_database(connection: sqlite3.Connection, path: Path) -> None:
    """A whole copy of an open database under a new name, complete or not there at all."""
    half = temporary_path(path.parent)
    try:
        # Created by us first, which fails where something has that name: SQLite would open whatever is there.
        with open(half, "xb"), closing(sqlite3.connect(half)) as copy:
            connection.backup(copy)
        os.replace(half, path)
    finally:
        half.unlink(missing_ok=True)
