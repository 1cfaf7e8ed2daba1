"""The database and the files of a faceset: which face each file shows, and which files a person took away."""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.errors import InputError
from core.faceset.database import faces, images
from core.faceset.database.cells import restored, stored
from core.faceset.database.connection import open_database
from core.faceset.database.frames import FrameRow, add_frame, add_source
from core.faceset.database.images import ImageRow
from core.faceset.identity import face_id, record_geometry
from core.faceset.store import Faceset, face_key, open_faceset, read_records
from core.types import Face, FaceRecord
from core.workspace import FileState, Side, image_names, natural_key


@dataclass(frozen=True)
class Registered:
    """The faces of a faceset as the database knows them.

    ids: of the faces, in the order of the faceset.
    missing: names of loose files that were there and that nobody moved through this program: deleted by hand.
    """

    ids: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class KnownFaces:
    """A faceset of a side together with what the database knows.

    ids: of the faces, in the order of the faceset. missing: see Registered.
    """

    connection: sqlite3.Connection
    faceset: Faceset
    ids: tuple[str, ...]
    missing: tuple[str, ...]


@contextmanager
def open_known(side: Side) -> Iterator[KnownFaces]:
    """The faces in ``aligned/`` with their ids; a faceset without a database gets one.

    Raises what opening the faceset and the database raise.
    """
    refuse_deleted_originals(side)
    faceset = open_faceset(side.aligned)
    try:
        with open_database(side.database, create=True) as connection:
            found = register(connection, faceset)
            yield KnownFaces(connection, faceset, found.ids, found.missing)
    finally:
        faceset.close()


def register(connection: sqlite3.Connection, faceset: Faceset) -> Registered:
    """Give every face of ``faceset`` a row, keeping those that are there.

    A foreign face is taken in as ``imported``.
    """
    folder = images.PAK if faceset.packed else images.ALIGNED
    known = {row.name: row for row in images.images(connection, folder)}
    ids, new = [], []
    for index, short in enumerate(faceset.records()):
        name = face_key(short)
        row = known.get(name)
        if row is not None and _same_file(faceset, index, short, row):
            ids.append(row.face)
            continue
        record = faceset.full_record(index)
        ids.append(face_id(record))
        new.append((name, record, faceset.size(index)))
    there = {face_key(record) for record in faceset.records()} | {name for name, _ in faceset.problems}
    with connection:
        _take_in(connection, folder, new, there)
    gone = [row for name, row in known.items() if name not in there]
    renamed = set(ids)
    images.forget_images(connection, folder, [row.name for row in gone if faceset.packed or row.face in renamed])
    missing = () if faceset.packed else tuple(row.name for row in gone if row.face not in renamed)
    return Registered(tuple(ids), missing)


def register_files(connection: sqlite3.Connection, folder: Path, files: Mapping[str, FileState]) -> Registered:
    """The same for the loose images in ``aligned/``, reading only those that are new or have changed since.

    folder: where they are. files: name -> size and time.
    ids: in the order of ``files``; empty for an image that shows no face.
    """
    known = images.seen_files(connection, files)
    unread = [name for name, state in files.items() if known.state.get(name) != state]
    unread.sort(key=natural_key)
    records, _ = read_records([folder / name for name in unread])
    if records:
        with connection:
            new = [(record.name, record, files[record.name].bytes) for record in records]
            _take_in(connection, images.ALIGNED, new, files)
            # The rows were written with no time, which means that nobody has looked.
            seen = [(files[record.name].mtime_ns, images.ALIGNED, stored(record.name)) for record in records]
            connection.executemany("UPDATE images SET mtime_ns = ? WHERE folder = ? AND name = ?", seen)
    found = known.face | dict.fromkeys(unread, "") | {record.name: face_id(record) for record in records}
    ids = tuple(map(found.__getitem__, files))
    gone = {name: face for name, face in known.face.items() if name not in files}
    renamed = set(ids) if gone else set()
    images.forget_images(connection, images.ALIGNED, [name for name, face in gone.items() if face in renamed])
    return Registered(ids, tuple(name for name, face in gone.items() if face not in renamed))


def note_packed(connection: sqlite3.Connection, inside: Collection[str], sizes: Mapping[str, int]) -> None:
    """Note what is in the pak now. Files that the database does not know are read when the pak is opened.

    inside: names of all its faces. sizes: name -> bytes of those that come from loose files.
    """
    known = {row.name: row for row in images.images(connection, images.ALIGNED)}
    left = [row.name for row in images.images(connection, images.PAK) if row.name not in inside]
    images.forget_images(connection, images.PAK, left)
    with connection:
        for name, size in sizes.items():
            if name in known:
                images.add_image(connection, replace(known[name], folder=images.PAK, bytes=size))


def deleted_originals(connection: sqlite3.Connection, there: Iterable[str]) -> list[str]:
    """Names of packed faces whose loose originals somebody deleted while keeping others.

    there: names of the loose files. Where none is left the originals were not wanted any more.
    """
    names = set(there)
    if not names:
        return []
    packed = {row.face for row in images.images(connection, images.PAK)}
    return [
        row.name for row in images.images(connection, images.ALIGNED) if row.name not in names and row.face in packed
    ]


def refuse_deleted_originals(side: Side) -> None:
    """Faces that somebody deleted must not come back from a pak that still has them.

    Raises:
        InputError: some loose originals of packed faces were deleted; names them.
    """
    if not side.pak.is_file() or not side.database.is_file():
        return
    with open_database(side.database) as connection:
        deleted = deleted_originals(connection, image_names(side.aligned))
    if deleted:
        more = f" and {len(deleted) - 5} more" if len(deleted) > 5 else ""
        raise InputError(
            "faces that were deleted are still in the packed faceset",
            where=side.pak,
            why=f"{', '.join(deleted[:5])}{more}",
            hint="pack again with --overwrite (step 3.3 or 4.3), or take them back by unpacking (step 3.4 or 4.4)",
        )


def missing_files(connection: sqlite3.Connection, folder: Path, there: Collection[str]) -> list[str]:
    """Names of loose kept faces that the database has and the folder has not: deleted by hand, not only renamed.

    folder: where the loose faces are. there: the names of the images in it, for which a set is quick.
    """
    known = images.seen_files(connection, there).face
    gone = {name: face for name, face in known.items() if name not in there}
    if gone:
        # What was noted as a decision is not told again.
        dropped = {face for (face,) in connection.execute("SELECT face FROM faces WHERE status <> 'kept'")}
        gone = {name: face for name, face in gone.items() if face not in dropped}
    if not gone:
        return []
    strangers, _ = read_records([folder / name for name in there if name not in known])
    renamed = set(map(face_id, strangers))
    return [name for name, face in gone.items() if face not in renamed]


def _same_file(faceset: Faceset, index: int, record: FaceRecord, row: ImageRow) -> bool:
    """Whether the row under this name is of this file.

    Loose files say whose they are; those in a pak are told by their size.
    """
    if faceset.packed:
        return row.bytes == faceset.size(index)
    return face_id(record) == row.face or (not record.face_id and row.geometry == record_geometry(record))


def _take_in(
    connection: sqlite3.Connection, folder: str, new: list[tuple[str, FaceRecord, int]], there: Collection[str]
) -> None:
    """Note new files. there: the names of all files in the folder."""
    source = add_source(connection)
    frames = _frames(connection, source)
    before = _extracted_names(connection, folder, set(there) - {name for name, _, _ in new}) if new else {}
    for name, record, size in new:
        face = face_id(record)
        if faces.find_face(connection, face) is None:
            frame = _frame(connection, source, frames, record)
            faces.add_face(connection, frame, faces.FaceRow(imported_face(record)))
        row = image_row(face, folder, name, record, size)
        images.add_image(connection, replace(row, extracted_name=before.get(face, row.extracted_name)))


def _extracted_names(connection: sqlite3.Connection, folder: str, unchanged: Collection[str]) -> dict[str, str]:
    """Face -> the name that its file was extracted under: a file that was changed or renamed keeps it.

    unchanged: names of files that stay as they are; a new file of such a face is another one.
    """
    return {row.face: row.extracted_name for row in images.images(connection, folder) if row.name not in unchanged}


def _frames(connection: sqlite3.Connection, source: int) -> dict[str, int]:
    query = "SELECT name, frame FROM frames WHERE source = ?"
    return {restored(name): frame for name, frame in connection.execute(query, (source,))}


def _frame(connection: sqlite3.Connection, source: int, frames: dict[str, int], record: FaceRecord) -> int:
    """The number of the frame that a face says it is from, a new one if need be."""
    name = record.source_filename or ""
    if name not in frames:
        frames[name] = add_frame(connection, source, FrameRow(name))
    return frames[name]


def imported_face(record: FaceRecord) -> Face:
    """The face of a file that the database did not know: as far as the file tells where it was in its frame."""
    box = np.full(4, np.nan) if record.source_rect is None else np.array(record.source_rect, np.float64)
    return Face(
        box=box.astype(np.float32),
        confidence=np.nan,
        roll=np.nan,
        landmarks=record.source_landmarks,
        landmark_confidence=np.nan,
        frame=record.source_filename or "",
        origin="imported",
        id=face_id(record),
    )


def image_row(face: str, folder: str, name: str, record: FaceRecord, size: int, content: str = "") -> ImageRow:
    """The row of a file of a face. size: bytes; content: its SHA-256, where somebody has looked."""
    return ImageRow(
        face=face,
        folder=folder,
        name=name,
        extracted_name=record.name,
        face_type=record.face_type,
        size=record.shape[1],
        image_digest="",
        sha256=content,
        bytes=size,
        mtime_ns=0,
        geometry=record_geometry(record),
    )
