"""Keeping the metadata of faces in ``faces.db``, so that pictures may go through an image editor, which drops it from the files.

Table ``face_metadata``: origin (name of the file before any sort), name (when it was saved), sha256 (of the file), pixels_sha256 (of the compressed
picture alone), metadata (pickled ``{"shape": (height, width), "meta": dict of the face file}``). A file is found again by its picture, whatever its
name, else by its name; sorts in between are taken into account.
"""

import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError, PipelineError
from core.faceset.database import open_database
from core.faceset.journal import ALIGNED
from core.faceset.transform import resized_record
from core.formats import dfl_image
from core.formats.face_metadata import from_dict, to_dict
from core.formats.pickle import safe_pickle
from core.imaging.codec import decode_image
from core.progress import progress
from core.types import FaceRecord

_TABLES = """
CREATE TABLE IF NOT EXISTS face_metadata(
  origin TEXT PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, pixels_sha256 TEXT NOT NULL, metadata BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS face_metadata_name ON face_metadata(name);
CREATE INDEX IF NOT EXISTS face_metadata_pixels ON face_metadata(pixels_sha256);
"""
_BATCH = 500


@dataclass(frozen=True)
class Outcome:
    """done: faces saved or restored; kept: files that needed nothing; scaled: restored to a picture of another size; problems: (name, reason)."""

    done: int
    kept: int
    scaled: int
    problems: tuple[tuple[str, str], ...]


def origins(names: Sequence[str], moved: Mapping[str, str]) -> dict[str, str]:
    """Name of each file in the aligned folder -> its name before any sort; moved: see :func:`core.faceset.journal.original_names`.

    A file that an editor saved with another suffix counts as the one that it was made from. A file that came later, under a name that a sorted
    file once had, is left out: nobody could tell the two apart.
    """
    before = {Path(now).name: Path(old).name for now, old in moved.items() if Path(now).parent == Path(ALIGNED)}
    stems = {Path(now).stem: old for now, old in before.items()}
    found = {name: before.get(name) or stems.get(Path(name).stem, name) for name in names}
    claimed = {origin for name, origin in found.items() if origin != name}
    return {
        name: origin
        for name, origin in found.items()
        if name in before or Path(name).stem in stems or name not in claimed
    }


def _origin(names: Mapping[str, str], path: Path) -> str:
    if path.name not in names:
        raise InputError(
            "two faces of one name",
            where=path,
            why="a face that was sorted since had this name before",
            hint="rename this file",
        )
    return names[path.name]


def save(database: Path, paths: Sequence[Path], moved: Mapping[str, str]) -> Outcome:
    """Put the metadata of the faces into ``database``, replacing what it holds for them. Committed in batches. moved: see :func:`origins`."""
    problems: list[tuple[str, str]] = []
    done, names = 0, origins([path.name for path in paths], moved)
    with open_database(database, create=True) as connection:
        connection.executescript(_TABLES)
        for number, path in enumerate(progress(paths, description="saving metadata", unit="face"), 1):
            try:
                connection.execute(
                    "INSERT OR REPLACE INTO face_metadata VALUES (?, ?, ?, ?, ?)", (_origin(names, path), *_row(path))
                )
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
    return path.name, hashlib.sha256(data).hexdigest(), dfl_image.image_digest(data), blob


def restore(database: Path, paths: Sequence[Path], moved: Mapping[str, str]) -> Outcome:
    """Give files that lost their metadata what ``database`` has for them; files that have it are left alone. moved: see :func:`origins`.

    Pixels are not touched: where an editor changed the size of a picture, the metadata is scaled to it (its aspect must be the same).
    """
    problems: list[tuple[str, str]] = []
    done, kept, scaled = 0, 0, 0
    names = origins([path.name for path in paths], moved)
    with open_database(database) as connection:
        connection.executescript(_TABLES)
        for path in progress(paths, description="restoring metadata", unit="face"):
            try:
                result = _restore_one(connection, path, names)
                done, kept, scaled = done + (result != "kept"), kept + (result == "kept"), scaled + (result == "scaled")
            except PipelineError as error:
                problems.append((path.name, error.why or error.what))
    return Outcome(done, kept, scaled, tuple(problems))


def _restore_one(connection: sqlite3.Connection, path: Path, names: Mapping[str, str]) -> str:
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
    if abs(record.shape[0] * shape[1] - record.shape[1] * shape[0]) > max(shape):
        raise InputError(
            "the points of a face are lost",
            where=path,
            why=f"the picture was cropped: it was {record.shape[1]} x {record.shape[0]}, now {shape[1]} x {shape[0]}",
        )
    dfl_image.write(path, data, resized_record(record, (shape[0], shape[1])))
    return "scaled"


def _find(connection: sqlite3.Connection, path: Path, data: bytes, names: Mapping[str, str]) -> FaceRecord:
    """The saved record: of the same picture first, then of the same name, then of the same name with another suffix."""
    row = connection.execute(
        "SELECT metadata FROM face_metadata WHERE pixels_sha256 = ? ORDER BY rowid DESC",
        (dfl_image.image_digest(data),),
    ).fetchone()
    blob = row[0] if row else _by_name(connection, path, names)
    if blob is None:
        raise InputError(
            "no saved metadata",
            where=path,
            why="nothing was saved for this picture or this name",
            hint="python -m core save-metadata SIDE comes before editing",
        )
    return _record(blob, path)


def _by_name(connection: sqlite3.Connection, path: Path, names: Mapping[str, str]) -> bytes | None:
    """By the name before any sort; by the name when it was saved only where that row belongs to none of the other files."""
    origin = _origin(names, path)
    row = connection.execute("SELECT metadata FROM face_metadata WHERE origin = ?", (origin,)).fetchone()
    if row:
        return row[0]
    stem = Path(origin).stem
    found = connection.execute(
        "SELECT origin, metadata FROM face_metadata WHERE origin > ? AND origin < ?", (f"{stem}.", f"{stem}/")
    ).fetchall()
    same = [blob for name, blob in found if Path(name).stem == stem]
    if not same:
        others = set(names.values())
        found = connection.execute("SELECT origin, metadata FROM face_metadata WHERE name = ?", (path.name,)).fetchall()
        same = [blob for name, blob in found if name not in others]
    return same[0] if len(same) == 1 else None


def _record(blob: bytes, path: Path) -> FaceRecord:
    stored = safe_pickle.loads(blob, where=path)
    height, width = stored["shape"]
    return from_dict(stored["meta"], path.name, (height, width), path)
