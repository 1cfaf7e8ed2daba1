"""Small pictures of faces for whoever looks at them: a cache, and what other programs' files bring along."""

import sqlite3

from core.faceset.database.cells import BLOB, TEXT, checked_rows


def note_thumb(connection: sqlite3.Connection, face: str, jpeg: bytes) -> None:
    """Keep the thumbnail of a face as it is now."""
    query = "INSERT OR REPLACE INTO thumbs SELECT face, geometry, ? FROM faces WHERE face = ?"
    connection.execute(query, (jpeg, face))


def thumbs(connection: sqlite3.Connection) -> dict[str, bytes]:
    """Face -> JPEG, of faces whose points are still those that it shows."""
    query = """
    SELECT thumbs.face, jpeg FROM thumbs
    JOIN faces ON faces.face = thumbs.face AND faces.geometry = thumbs.geometry
    """
    return dict(checked_rows(connection.execute(query), (TEXT, BLOB), "thumbs"))
