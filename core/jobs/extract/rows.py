"""What a frame gave, as files and as rows of the database."""

import re
import sqlite3
from collections.abc import Iterator
from hashlib import sha256
from itertools import groupby

from core import fsio
from core.faces.extractor import AlignedFace, FrameFaces
from core.faceset.database import faces, images
from core.faceset.database.faces import FaceRow
from core.faceset.database.frames import FrameRow
from core.faceset.identity import record_geometry
from core.formats import dfl_image
from core.jobs.extract.frame_source import FrameSource
from core.jobs.extract.settings import ExtractSettings
from core.progress import Task
from core.safe_paths import own_folder
from core.workspace import Side, list_images

FILTERED = "aligned_filtered"
Rows = tuple[FrameRow, list[FaceRow]]
# Rows wait for this many frames, so that the disk is not waited for after each.
_COMMIT_FRAMES = 16


def commit(
    connection: sqlite3.Connection,
    side: Side,
    settings: ExtractSettings,
    results: Iterator[FrameFaces],
    source: FrameSource,
    task: Task,
) -> None:
    """Write the face files of each frame, then, some frames at a time, their rows: a row means that the files are
    there.
    """
    times = source.times()
    rows: list[Rows] = []
    try:
        for result in results:
            _draw(side, result)
            found = [_written(side, settings, each) for each in (*result.faces, *result.filtered)]
            rows.append((_frame(result, times.get(result.name)), found))
            if len(rows) >= _COMMIT_FRAMES:
                _add(connection, source, rows)
                rows = []
            task.update()
    finally:
        _add(connection, source, rows)


def _frame(result: FrameFaces, time: float | None) -> FrameRow:
    height, width = result.size
    status = "corrupt" if result.error else "done"
    return FrameRow(result.name, status, result.error, time, width, height, result.look)


def _add(connection: sqlite3.Connection, source: FrameSource, rows: list[Rows]) -> None:
    for origin, group in groupby(rows, key=lambda row: source.of(row[0].name)):
        faces.add(connection, group, origin)


def _draw(side: Side, result: FrameFaces) -> None:
    if result.drawing:
        own_folder(side.aligned_debug)
        fsio.write_bytes(side.aligned_debug / f"{result.name.rpartition('.')[0]}.jpg", result.drawing, durable=False)


def _written(side: Side, settings: ExtractSettings, found: AlignedFace) -> FaceRow:
    """Write the file of a face, where it has one; its row."""
    vectors = {} if found.identity is None else {settings.embedder: found.identity}
    if found.record is None or found.data is None:
        return FaceRow(found.face, None, found.scores, vectors)
    folder = images.ALIGNED if found.face.status == "kept" else f"{FILTERED}/{slug(found.face.reason)}"
    path = side.frames / folder / found.record.name
    if folder != images.ALIGNED:
        own_folder(side.frames, *folder.split("/"))
    # Not waited for: a file that a power cut leaves empty is found by the next run.
    fsio.write_bytes(path, found.data, durable=False)
    image = images.ImageRow(
        face=found.face.id,
        folder=folder,
        name=path.name,
        extracted_name=path.name,
        face_type=found.record.face_type,
        size=found.record.shape[0],
        image_digest=dfl_image.image_digest(found.data),
        sha256=sha256(found.data).hexdigest(),
        bytes=len(found.data),
        mtime_ns=path.stat().st_mtime_ns,
        geometry=record_geometry(found.record),
    )
    return FaceRow(found.face, image, found.scores, vectors)


def sweep_filtered(connection: sqlite3.Connection, side: Side) -> None:
    """Move to the trash the files of faces that were not kept once and are known otherwise now."""
    for folder in (side.frames / FILTERED).glob("*/"):
        known = {row.name for row in images.images(connection, f"{FILTERED}/{folder.name}")}
        for path in list_images(folder):
            if path.name not in known:
                fsio.move_to_trash(path, side.workspace.trash)


def slug(reason: str) -> str:
    """The name of the folder for faces that were not kept for a reason."""
    return re.sub("[^a-z0-9]+", "-", reason.lower()).strip("-")
