"""Databases of earlier versions become those of today.

Version 2 gets the tables and columns that it lacks. In version 1 every face gets its id, whatever names its files have
by now: it had the name of the extracted file as the key of a face, masks in a file of their own under the names of the
moment, and saved metadata under the names before sorting.
"""

import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import CorruptFileError, PipelineError
from core.faceset.database import faces, schema
from core.faceset.database.backups import copy_database
from core.faceset.database.cells import BLOB, NUMBER, TEXT, WHOLE, checked, damaged, json_value, value_of
from core.faceset.database.faces import FaceRow
from core.faceset.database.frames import FrameRow, add_frame, add_source
from core.faceset.database.images import ImageRow
from core.faceset.database.masks import checksum
from core.faceset.identity import birth_id, face_id, geometry_of, record_geometry
from core.faceset.steps import ALIGNED, original_names
from core.faceset.store import face_key, open_faceset
from core.formats.face_metadata import from_kept
from core.formats.pickle import safe_pickle
from core.types import Face, FaceRecord

_MOST_FACES = 10_000  # in a frame
_OLD_KINDS: dict[str, tuple[type, ...]] = {
    "name": TEXT,
    "frame": TEXT,
    "face_type": TEXT,
    "size": WHOLE,
    "landmarks": BLOB,
    "identity": BLOB,
} | dict.fromkeys(("left", "top", "right", "bottom", "score", "sure", "roll", "pitch", "yaw", "sharpness"), NUMBER)
_OLD_TABLES = ("frames", "faces", "settings", "face_metadata")


def from_version_1(connection: sqlite3.Connection, path: Path) -> None:
    """Upgrade in one transaction; ``faces.db.v1`` beside it keeps what was there, and ``masks.db`` becomes
    ``masks.db.v1``.
    """
    _keep(connection, path, 1)
    side = path.parent
    # The lock for writing at once, so that a second program cannot begin the same upgrade.
    connection.execute("BEGIN IMMEDIATE")
    try:
        there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for table in _OLD_TABLES:
            if table in there:
                connection.execute(f"ALTER TABLE {table} RENAME TO old_{table}")
        for index in ("faces_frame", "face_metadata_name", "face_metadata_pixels"):
            # An index keeps its name when its table is renamed, and the new tables want these names.
            connection.execute(f"DROP INDEX IF EXISTS {index}")
        # One by one: executescript would commit what was done so far.
        for statement in schema.TABLES.split(";"):
            connection.execute(statement)
        connection.execute("INSERT INTO settings SELECT key, value FROM old_settings")
        _faces(connection, _places(side))
        if "face_metadata" in there:
            _saved_metadata(connection)
        _masks(connection, side)
        for table in _OLD_TABLES:
            connection.execute(f"DROP TABLE IF EXISTS old_{table}")
        connection.execute(f"PRAGMA user_version = {schema.VERSION}")
    except BaseException:
        connection.rollback()
        raise
    connection.commit()
    if (side / "masks.db").is_file():
        os.replace(side / "masks.db", side / "masks.db.v1")


def from_version_2(connection: sqlite3.Connection, path: Path) -> None:
    """Upgrade in one transaction; ``faces.db.v2`` beside it keeps what was there."""
    _keep(connection, path, 2)
    connection.execute("BEGIN IMMEDIATE")
    try:
        for table, column in schema.COLUMNS_OF_3:
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
        _rebuild_faces(connection)
        for statement in schema.NEW_IN_3.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {schema.VERSION}")
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def _rebuild_faces(connection: sqlite3.Connection) -> None:
    """The table of faces as it is today. Foreign keys are not looked at yet: what belongs to the faces stays."""
    connection.execute(schema.FACES.replace("TABLE faces", "TABLE new_faces"))
    columns = ", ".join(f'"{row[1]}"' for row in connection.execute("PRAGMA table_info(new_faces)"))
    connection.execute(f"INSERT INTO new_faces ({columns}) SELECT {columns} FROM faces ORDER BY frame, face")
    connection.execute("DROP TABLE faces")
    connection.execute("ALTER TABLE new_faces RENAME TO faces")
    connection.execute(schema.FACES_INDEX)


def _keep(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """A whole copy of the old file, once."""
    kept = path.with_name(f"{path.name}.v{version}")
    if kept.exists():
        return
    copy_database(connection, kept)


def _places(side: Path) -> dict[str, str]:
    """Name as extracted -> path now, relative to the side, for files that were moved since."""
    before = original_names(side)
    return {Path(old).name: now for now, old in before.items() if old.startswith(f"{ALIGNED}/")}


def _faces(connection: sqlite3.Connection, places: Mapping[str, str]) -> None:
    source = add_source(connection)
    embedder = _embedder(connection)
    frames = connection.execute("SELECT name, status, error, dropped FROM old_frames ORDER BY name").fetchall()
    for name, status, error, dropped in frames:
        checked((name, status, error), (TEXT, TEXT, TEXT), "frames")
        number = add_frame(connection, source, FrameRow(name, status, error))
        for values in connection.execute("SELECT * FROM old_faces WHERE frame = ? ORDER BY face_index", (name,)):
            faces.add_face(connection, number, _face(_columns(connection), values, places, embedder))
        for reason, count in _dropped(dropped).items():
            for ordinal in range(count):
                faces.add_face(connection, number, FaceRow(faces.filtered_face(name, reason, ordinal)))


def _dropped(text: Any) -> dict[str, int]:
    """Reason -> how many faces of a frame were dropped for it."""
    found = json_value(text, "frames")
    if not isinstance(found, dict) or not all(type(n) is int and 0 <= n <= _MOST_FACES for n in found.values()):
        raise damaged("frames", "counts of dropped faces that are none")
    return found


def _columns(connection: sqlite3.Connection) -> list[str]:
    return [row[1] for row in connection.execute("PRAGMA table_info(old_faces)")]


def _embedder(connection: sqlite3.Connection) -> str:
    row = connection.execute("SELECT value FROM settings WHERE key = 'embedder'").fetchone()
    name = json_value(row[0], "settings") if row else "sface"
    return name if isinstance(name, str) else "none"


def _face(columns: list[str], values: tuple, places: Mapping[str, str], embedder: str) -> FaceRow:
    old: dict[str, Any] = dict(zip(columns, values, strict=True))
    for name, kind in _OLD_KINDS.items():
        if name not in old:
            raise damaged("faces", f"it has no {name}")
        checked((old[name],), (kind,), "faces")
    points = faces.landmarks_of(old["landmarks"])
    if points is None:
        raise damaged("faces", "a face without landmarks")
    face = Face(
        box=np.array([old["left"], old["top"], old["right"], old["bottom"]], np.float32),
        confidence=value_of(old["score"]),
        roll=value_of(old["roll"]),
        landmarks=points,
        landmark_confidence=value_of(old["sure"]),
        frame=old["frame"],
        origin="detected",
        id=birth_id(old["frame"], points),
    )
    folder, _, name = places.get(old["name"], f"{ALIGNED}/{old['name']}").rpartition("/")
    image = ImageRow(
        face=face.id,
        folder=folder,
        name=name,
        extracted_name=old["name"],
        face_type=old["face_type"],
        size=old["size"],
        image_digest="",
        sha256="",
        bytes=0,
        mtime_ns=0,
        geometry=geometry_of(face.frame, points),
    )
    scores = {name: old[name] for name in ("pitch", "yaw", "roll", "sharpness") if old[name] is not None}
    vectors = {} if old["identity"] is None else {embedder: faces.floats_of(old["identity"], "<f4")}
    return FaceRow(face, image, scores, vectors)


def _saved_metadata(connection: sqlite3.Connection) -> None:
    """What was saved says itself whose it is; what cannot be read is of no use to anybody."""
    query = "SELECT name, sha256, pixels_sha256, metadata FROM old_face_metadata"
    for name, sha256, pixels, blob in connection.execute(query).fetchall():
        try:
            checked((name, sha256, pixels, blob), (TEXT, TEXT, TEXT, BLOB), "face_metadata")
            face = face_id(from_kept(safe_pickle.loads(blob, where=name), name, name))
        except PipelineError:
            continue
        values = (face, name, sha256, pixels, blob)
        connection.execute("INSERT OR REPLACE INTO saved_metadata VALUES (?, ?, ?, ?, ?)", values)


def _masks(connection: sqlite3.Connection, side: Path) -> None:
    """A row belongs to the face that carries a mask with its checksum: under its name, else wherever it is now."""
    old = _old_masks(side / "masks.db")
    known = {face for (face,) in connection.execute("SELECT face FROM faces")}
    for name, record in _masked_faces(side):
        found = _mask_of(old, name, checksum(record.xseg_mask or b""))
        if found is not None and face_id(record) in known:
            _, masker, number, area, uncertainty = found
            values = (face_id(record), _kind(masker), masker, number, area, uncertainty, record_geometry(record), None)
            connection.execute("INSERT OR REPLACE INTO masks VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)


def _mask_of(old: Mapping[str, tuple], name: str, number: int) -> tuple | None:
    """The row of the mask with this checksum; None where several maskers made such a mask."""
    if name in old and old[name][2] == number:
        return old[name]
    same = [row for row in old.values() if row[2] == number]
    return same[0] if len({row[1] for row in same}) == 1 else None


def _kind(masker: str) -> str:
    """Version 1 called landmark maskers ``landmarks hull 1 ...``, the others ``xseg ...`` or ``custom ...``."""
    words = [*masker.split(), "", ""]
    return words[1] if words[0] == "landmarks" else words[0]


def _old_masks(path: Path) -> dict[str, tuple]:
    if not path.is_file():
        return {}
    if path.is_symlink():
        return {}
    old = sqlite3.connect(path)
    try:
        query = "SELECT face, masker, checksum, area, uncertainty FROM masks WHERE pending IS NULL"
        kinds = (TEXT, TEXT, WHOLE, NUMBER, NUMBER)
        return {row[0]: tuple(checked(row, kinds, "masks")) for row in old.execute(query)}
    except (sqlite3.DatabaseError, UnicodeDecodeError, CorruptFileError):
        return {}  # it only remembers what was done: the masks are in the faces
    finally:
        old.close()


def _masked_faces(side: Path) -> list[tuple[str, FaceRecord]]:
    """(name in the old table, all that the file holds) of the faces that carry a mask."""
    try:
        faceset = open_faceset(side / ALIGNED)
    except PipelineError:
        return []  # nothing there, or nothing that can be read: then there is nothing to remember either
    try:
        masked = [index for index, record in enumerate(faceset.records()) if record.xseg_mask is not None]
        return [(face_key(faceset.records()[index]), faceset.full_record(index)) for index in masked]
    finally:
        faceset.close()
