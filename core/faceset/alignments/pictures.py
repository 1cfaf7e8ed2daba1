"""Where the files of each face are, as the database and the disk have it."""

import sqlite3

from core.faceset.database.cells import NAME, TEXT, checked_name, checked_rows, restored
from core.faceset.database.images import PAK

# Face -> (folder relative to the side, name) of its files.
Pictures = dict[str, list[tuple[str, str]]]


def pictures_of(connection: sqlite3.Connection) -> Pictures:
    """All files that the database knows, by face."""
    found: Pictures = {}
    query = connection.execute("SELECT face, folder, name FROM images ORDER BY image")
    for face, folder, stored in checked_rows(query, (TEXT, TEXT, NAME), "images"):
        name = checked_name(restored(stored), "images", levels=2 if folder == PAK else 1)
        found.setdefault(face, []).append((folder, name))
    return found
