"""Crops made again from the frames and the database: only those that are missing or out of date."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from core import fsio, parallel
from core.errors import CorruptFileError, InputError, PipelineError
from core.faces.cropping import CropSettings, cut, encoded, pose_scores, record_of, sharpness
from core.faces.extractor import one_opencv_thread
from core.faceset.alignments.carry import carried_over
from core.faceset.database import extraction, images
from core.faceset.database.images import ALIGNED, ImageRow
from core.faceset.database.masks import MaskTable, checksum
from core.faceset.identity import record_geometry
from core.formats import dfl_image
from core.jobs.alignments.crop_plan import Again, CropPlan, CropTask, crop_settings, outdated, set_of
from core.jobs.alignments.frames_again import Load, read_again, source_again
from core.jobs.alignments.opened import OpenedFaces, opened_faces
from core.progress import progress
from core.types import FaceRecord
from core.workspace import Workspace, natural_key

_COMMIT = 64  # files


@dataclass(frozen=True)
class CutAgain:
    """What was made.

    made: crops that were rendered. up_to_date: those that were right already. small: faces that are too small in the
    frame. problems: (face or frame, why) of those that could not be made. unread: frames that are not there.
    size, face_type: of the crops. folder: where they are.
    """

    made: int
    up_to_date: int
    small: int
    problems: tuple[tuple[str, str], ...]
    unread: tuple[str, ...]
    size: int
    face_type: str
    folder: Path


@dataclass(frozen=True)
class _Made:
    """A crop; of a face that could not be cut out the reason."""

    task: CropTask
    record: FaceRecord | None = None
    data: bytes = b""
    scores: dict[str, float] = field(default_factory=dict)
    problem: str = ""


def extract_again(workspace: Workspace, name: str, again: Again, *, workers: int = 0) -> CutAgain:
    """Cut out the kept faces of a side whose crops are missing or do not show them as they are now.

    A crop keeps its file name, its mask, its polygons and whatever else it says; masks are moved with the picture and
    count as stale. A killed run goes on where it was.

    Raises:
        InputError: the faces are packed, the frames are not there, or ``out`` holds pictures already.
    """
    with opened_faces(workspace, name) as opened:
        crop = crop_settings(opened.connection, again)
        plan = set_of(opened, again, crop) if again.out else outdated(opened, crop)
        folder = again.out or opened.side.aligned
        folder.mkdir(parents=True, exist_ok=True)
        unread: set[str] = set(plan.tasks)
        made = 0
        if plan.tasks:
            results = _results(opened, plan, crop, unread=unread, workers=workers)
            made = _write(opened.connection if again.out is None else None, folder, results, plan)
        if again.out is None:
            _note_settings(opened.connection, again)
        return CutAgain(
            made=made,
            up_to_date=len(plan.up_to_date),
            small=len(plan.small),
            problems=tuple(plan.problems),
            unread=tuple(sorted(unread, key=natural_key)),
            size=crop.size,
            face_type=crop.face_type.file_name,
            folder=folder,
        )


def _results(
    opened: OpenedFaces, plan: CropPlan, crop: CropSettings, unread: set[str], workers: int
) -> Iterator[_Made]:
    """The crops, frame by frame. unread: frames that have not come yet; kept up here."""
    source = source_again(opened.connection, opened.side)

    def crops(item: tuple[str, Load]) -> list[_Made]:
        name, load = item
        try:
            image = load()
        except (CorruptFileError, InputError) as error:
            return [_Made(task, problem=error.why or error.what) for task in plan.tasks[name]]
        return [_made(image, task, crop) for task in plan.tasks[name]]

    frames = progress(read_again(source, plan.tasks), total=len(plan.tasks), description="cutting out", unit="frame")
    with one_opencv_thread():
        for found in parallel.in_threads(crops, frames, workers or parallel.cores()):
            unread.discard(found[0].task.face.frame)
            yield from found


def _made(image: np.ndarray, task: CropTask, crop: CropSettings) -> _Made:
    try:
        record = record_of(task.face, task.name, crop)
        if task.old is not None:
            record = carried_over(dfl_image.parse(task.old.read_bytes(), task.name, where=task.old), record)
        aligned = cut(image, record, crop)
        scores = pose_scores(record) | {"sharpness": sharpness(aligned)}
        return _Made(task, record, encoded(aligned, record, crop), scores)
    except PipelineError as error:
        return _Made(task, problem=error.why or error.what)


def _write(connection: sqlite3.Connection | None, folder: Path, results: Iterator[_Made], plan: CropPlan) -> int:
    """Write the files, then, some at a time, their rows: a row means that the file is there.

    connection: None for a folder that no database knows.
    """
    written: list[_Made] = []
    count = 0
    try:
        for made in results:
            if made.record is None:
                plan.problems.append((made.task.name, made.problem))
                continue
            fsio.write_bytes(folder / made.task.name, made.data, durable=False)
            count += 1
            written.append(made)
            if len(written) >= _COMMIT:
                _note(connection, folder, written)
                written = []
    finally:
        _note(connection, folder, written)
    return count


def _note(connection: sqlite3.Connection | None, folder: Path, written: Sequence[_Made]) -> None:
    if connection is None or not written:
        return
    with connection, MaskTable(connection) as masks:
        for made in written:
            if made.record is None:
                continue
            images.add_image(connection, _row(folder, made, made.record))
            geometry = record_geometry(made.record)
            rows = [(made.task.face.id, name, geometry, value) for name, value in made.scores.items()]
            connection.executemany("INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?)", rows)
            known = masks.rows.get(made.task.face.id)
            if known is not None and made.record.xseg_mask is not None:
                # It was moved, not made again: its geometry stays the old one, so that it counts as stale.
                masks.add(replace(known, checksum=checksum(made.record.xseg_mask)))


def _row(folder: Path, made: _Made, record: FaceRecord) -> ImageRow:
    path = folder / made.task.name
    return ImageRow(
        face=made.task.face.id,
        folder=ALIGNED,
        name=path.name,
        extracted_name=made.task.extracted_name,
        face_type=record.face_type,
        size=record.shape[0],
        image_digest=dfl_image.image_digest(made.data),
        sha256=sha256(made.data).hexdigest(),
        bytes=len(made.data),
        mtime_ns=path.stat().st_mtime_ns,
        geometry=record_geometry(record),
    )


def _note_settings(connection: sqlite3.Connection, again: Again) -> None:
    """A later extraction of more frames makes crops like these."""
    recorded = extraction.read_settings(connection)
    if not recorded:
        return
    if again.size:
        recorded["image_size"] = again.size
    if again.face_type is not None:
        recorded["face_type"] = again.face_type.file_name
    extraction.write_settings(connection, recorded)
