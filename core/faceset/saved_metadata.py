"""Keeping the metadata of faces in ``faces.db``, so that images may go through an image editor, which drops it from the
files.

Table ``saved_metadata``: face (its id), name (when it was saved), sha256 (of the file), pixels_sha256 (of the
compressed image alone), metadata (pickled ``{"shape": (height, width), "meta": dict of the face file}``). A file is
found again by its image, whatever its name; else by its name, of which the database knows whose it is now.
"""

import hashlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError, PipelineError
from core.faceset.database import images
from core.faceset.database.cells import BLOB, TEXT, checked, stored
from core.faceset.identity import face_id, identified
from core.faceset.store import Faceset
from core.faceset.transform import resized_record
from core.formats import dfl_image
from core.formats.face_metadata import from_kept, to_dict
from core.formats.pickle import safe_pickle
from core.imaging.codec import decode_image
from core.progress import progress
from core.types import FaceRecord

_BATCH = 500


@dataclass(frozen=True)
class Outcome:
    """What became of the faces of a side.

    done: saved or restored.
    kept: files that needed nothing.
    scaled: restored to an image of another size.
    problems: (name, reason).
    """

    done: int
    kept: int
    scaled: int
    problems: tuple[tuple[str, str], ...]


def save(connection: sqlite3.Connection, faceset: Faceset) -> Outcome:
    """Keep the metadata of all faces of a loose faceset, replacing what is kept of them. Committed in batches."""
    problems = list(faceset.problems)
    done = 0
    for index in progress(range(len(faceset)), description="saving metadata", unit="face"):
        path = faceset.path(index)
        try:
            connection.execute("INSERT OR REPLACE INTO saved_metadata VALUES (?, ?, ?, ?, ?)", _row(path))
            done += 1
        except PipelineError as error:
            problems.append((path.name, error.why or error.what))
        if done % _BATCH == 0:
            connection.commit()
    connection.commit()
    return Outcome(done, 0, 0, tuple(problems))


def _row(path: Path) -> tuple[str, str | bytes, str, str, bytes]:
    data = path.read_bytes()
    record = identified(dfl_image.parse(data, path.name, where=path))
    blob = safe_pickle.dumps({"shape": tuple(record.shape), "meta": to_dict(record)})
    return face_id(record), stored(path.name), hashlib.sha256(data).hexdigest(), dfl_image.image_digest(data), blob


def restore(connection: sqlite3.Connection, paths: Sequence[Path]) -> Outcome:
    """Give files that lost their metadata what is kept for them; files that have it are left alone.

    Pixels are not touched: where an editor changed the size of an image, the metadata is scaled to it (its aspect must
    be the same).
    """
    problems: list[tuple[str, str]] = []
    results: list[str] = []
    names = _Names(connection, paths)
    for path in progress(paths, description="restoring metadata", unit="face"):
        try:
            results.append(_restore_one(connection, path, names))
        except PipelineError as error:
            problems.append((path.name, error.why or error.what))
    kept, scaled = results.count("kept"), results.count("scaled")
    return Outcome(len(results) - kept, kept, scaled, tuple(problems))


class _Names:
    """Whose file a name is: the database follows every sort, and an editor may have changed the suffix."""

    def __init__(self, connection: sqlite3.Connection, paths: Sequence[Path]):
        rows = list(images.images(connection, images.ALIGNED))
        there = {path.name for path in paths}
        self._by_name = {row.name: row.face for row in rows}
        # Only a file that is gone can have come back with another suffix.
        self._by_stem = {Path(row.name).stem: row.face for row in rows if row.name not in there}
        self._placed = set(self._by_name.values())

    def face(self, path: Path) -> str:
        """The face that the file showed when the database last saw it, or empty."""
        return self._by_name.get(path.name) or self._by_stem.get(path.stem, "")

    def is_elsewhere(self, face: str) -> bool:
        """Whether the database knows another file of this face."""
        return face in self._placed


def _restore_one(connection: sqlite3.Connection, path: Path, names: _Names) -> str:
    data = path.read_bytes()
    try:
        dfl_image.parse(data, path.name)
        return "kept"
    except dfl_image.NotAFaceError:
        shape = decode_image(data, path).shape[:2]
    record = _find(connection, path, data, names)
    if record.shape == shape:
        dfl_image.write(path, data, record)
        return "done"
    # Rounding moves each new side by half a pixel at most, which the old one multiplies here.
    if abs(record.shape[0] * shape[1] - record.shape[1] * shape[0]) > sum(record.shape) / 2:
        raise InputError(
            "the points of a face are lost",
            where=path,
            why=f"the picture was cropped: it was {record.shape[1]} x {record.shape[0]}, now {shape[1]} x {shape[0]}",
        )
    dfl_image.write(path, data, resized_record(record, (shape[0], shape[1])))
    return "scaled"


def _find(connection: sqlite3.Connection, path: Path, data: bytes, names: _Names) -> FaceRecord:
    """What is kept of the same image, else of the face whose file this is, else under the name when it was saved."""
    digest = dfl_image.image_digest(data)
    blob = _one(connection, "SELECT metadata FROM saved_metadata WHERE pixels_sha256 = ?", digest)
    if blob is None and (face := names.face(path)):
        blob = _one(connection, "SELECT metadata FROM saved_metadata WHERE face = ?", face)
    elif blob is None:
        blob = _by_saved_name(connection, path, names)
    if blob is None:
        raise InputError(
            "no saved metadata",
            where=path,
            why="nothing was saved for this picture or this name",
            hint="save the metadata (step 3.5 or 4.5) before you edit the pictures",
        )
    return _record(blob, path)


def _one(connection: sqlite3.Connection, query: str, value: str) -> bytes | None:
    row = connection.execute(query, (value,)).fetchone()
    return None if row is None else checked(row, (BLOB,), "saved_metadata")[0]


def _by_saved_name(connection: sqlite3.Connection, path: Path, names: _Names) -> bytes | None:
    """By the name when it was saved, unless that face has another file by now: then this one came later."""
    rows = connection.execute(
        "SELECT face, metadata FROM saved_metadata WHERE name = ?", (stored(path.name),)
    ).fetchall()
    if len(rows) != 1:
        return None
    face, blob = checked(rows[0], (TEXT, BLOB), "saved_metadata")
    return None if names.is_elsewhere(face) else blob


def _record(blob: bytes, path: Path) -> FaceRecord:
    return from_kept(safe_pickle.loads(blob, where=path), path.name, path)
