"""Keeping the metadata of faces in ``faces.db``, so that pictures may go through an image editor, which drops it from the files.

Table ``face_metadata``: name (of the file), sha256 (of the file), pixels_sha256 (of the compressed picture alone), metadata (pickled
``{"shape": (height, width), "meta": dict of the face file}``). A file is found again by its picture, whatever its name, else by its name.
"""

import hashlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError, PipelineError
from core.faceset.database import open_database
from core.faceset.transform import resized_record
from core.formats import dfl_image, safe_pickle
from core.formats.face_metadata import from_dict, to_dict
from core.imaging.codec import decode_image
from core.progress import progress
from core.types import FaceRecord

_TABLE = "CREATE TABLE IF NOT EXISTS face_metadata(name TEXT PRIMARY KEY, sha256 TEXT NOT NULL, pixels_sha256 TEXT NOT NULL, metadata BLOB NOT NULL)"
_BATCH = 500


@dataclass(frozen=True)
class Outcome:
    """done: faces saved or restored; kept: files that needed nothing; scaled: restored to a picture of another size; problems: (name, reason)."""

    done: int
    kept: int
    scaled: int
    problems: tuple[tuple[str, str], ...]


def save(database: Path, paths: Sequence[Path]) -> Outcome:
    """Put the metadata of the faces into ``database``, replacing what it holds under their names. Committed in batches."""
    problems: list[tuple[str, str]] = []
    done = 0
    with open_database(database, create=True) as connection:
        connection.execute(_TABLE)
        for number, path in enumerate(progress(paths, desc="saving metadata", unit="face"), 1):
            try:
                connection.execute("INSERT OR REPLACE INTO face_metadata VALUES (?, ?, ?, ?)", _row(path))
                done += 1
            except PipelineError as error:
                problems.append((path.name, error.why or error.what))
            if number % _BATCH == 0:
                connection.commit()
        connection.commit()
    return Outcome(done, 0, 0, tuple(problems))


def _row(path: Path) -> tuple[str, str, str, bytes]:
    data = path.read_bytes()
    record = dfl_image.parse(data, path.name, where=path)
    blob = safe_pickle.dumps({"shape": tuple(record.shape), "meta": to_dict(record)})
    return path.name, hashlib.sha256(data).hexdigest(), dfl_image.picture_digest(data), blob


def restore(database: Path, paths: Sequence[Path]) -> Outcome:
    """Give files that lost their metadata what ``database`` has for them; files that have it are left alone.

    Pixels are not touched: where an editor changed the size of a picture, the metadata is scaled to it (its aspect must be the same).
    """
    problems: list[tuple[str, str]] = []
    done, kept, scaled = 0, 0, 0
    with open_database(database) as connection:
        connection.execute(_TABLE)
        for path in progress(paths, desc="restoring metadata", unit="face"):
            try:
                result = _restore_one(connection, path)
                done, kept, scaled = done + (result != "kept"), kept + (result == "kept"), scaled + (result == "scaled")
            except PipelineError as error:
                problems.append((path.name, error.why or error.what))
    return Outcome(done, kept, scaled, tuple(problems))


def _restore_one(connection: sqlite3.Connection, path: Path) -> str:
    data = path.read_bytes()
    try:
        dfl_image.parse(data, path.name)
        return "kept"
    except dfl_image.NotAFaceError:
        shape = decode_image(data, path).shape[:2]
    record = _find(connection, path, data)
    if record.shape == shape:
        dfl_image.write(path, data, record)
        return "done"
    if abs(record.shape[0] * shape[1] - record.shape[1] * shape[0]) > max(shape):
        raise InputError("the points of a face are lost", where=path,
                         why=f"the picture was cropped: it was {record.shape[1]} x {record.shape[0]}, now {shape[1]} x {shape[0]}")
    dfl_image.write(path, data, resized_record(record, (shape[0], shape[1])))
    return "scaled"


def _find(connection: sqlite3.Connection, path: Path, data: bytes) -> FaceRecord:
    """The saved record: of the same picture first, then of the same name, then of the same name with another suffix."""
    for query, value in (("pixels_sha256 = ?", dfl_image.picture_digest(data)), ("name = ?", path.name)):
        row = connection.execute(f"SELECT metadata FROM face_metadata WHERE {query} LIMIT 1", (value,)).fetchone()
        if row:
            return _record(row[0], path)
    stem = connection.execute("SELECT name, metadata FROM face_metadata WHERE name LIKE ? ESCAPE '\\'", (_like(path.stem) + ".%",)).fetchall()
    same = [blob for name, blob in stem if Path(name).stem == path.stem]
    if len(same) != 1:
        raise InputError("no saved metadata", where=path, why="nothing was saved for this picture or this name",
                         hint="python -m core save-metadata SIDE comes before editing")
    return _record(same[0], path)


def _like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _record(blob: bytes, path: Path) -> FaceRecord:
    stored = safe_pickle.loads(blob, where=path)
    height, width = stored["shape"]
    return from_dict(stored["meta"], path.name, (height, width), path)
