"""The verdicts that a person has rejected: the face stays, and is not proposed again for this reason.

They are kept with the face, under ``extra``, as changes that can be undone.
"""

import json
import sqlite3
from collections.abc import Collection, Mapping
from typing import Any

from core.faceset.cleaning.verdicts import VERDICTS
from core.faceset.database import images
from core.faceset.database.cells import NAME, TEXT, checked_rows, restored
from core.faceset.database.changes import Change
from core.faceset.gallery import Gallery
from core.types import Face

KEY = "rejected_verdicts"


def rejected_in(extra: str) -> tuple[str, ...]:
    """The rejected verdicts in a cell of the column ``extra``, in the order of VERDICTS."""
    # Few faces have any, and reading JSON takes a while.
    if f'"{KEY}"' not in extra:
        return ()
    try:
        return _known(json.loads(extra))
    except (ValueError, AttributeError, RecursionError):
        return ()


def reject(change: Change, face: Face, verdicts: Collection[str], *, rejected: bool = True) -> None:
    """Note that somebody rejects these verdicts on a face; rejected=False: that they count again."""
    before = set(_known(face.extra))
    wanted = before | set(verdicts) if rejected else before - set(verdicts)
    rest = {name: value for name, value in face.extra.items() if name != KEY}
    named = [verdict for verdict in VERDICTS if verdict in wanted]
    change.update(face, extra={**rest, KEY: named} if named else rest)


def rejected_of(connection: sqlite3.Connection, gallery: Gallery) -> dict[int, tuple[str, ...]]:
    """The rejected verdicts of the images of a gallery, in its indices; images without any are left out."""
    folder = images.ALIGNED if gallery.pak is None else images.PAK
    query = """
    SELECT images.name, faces.extra FROM faces JOIN images ON images.face = faces.face
    WHERE images.folder = ? AND faces.extra LIKE ?
    """
    rows = checked_rows(connection.execute(query, (folder, f'%"{KEY}"%')), (NAME, TEXT), "faces")
    by_name = {restored(name): rejected_in(extra) for name, extra in rows}
    found = {index: by_name.get(name, ()) for index, name in enumerate(gallery.names)}
    return {index: verdicts for index, verdicts in found.items() if verdicts}


def _known(extra: Mapping[str, Any]) -> tuple[str, ...]:
    named = extra.get(KEY, ())
    return tuple(verdict for verdict in VERDICTS if verdict in named) if isinstance(named, list) else ()
