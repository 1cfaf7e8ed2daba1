"""Which crops of a side are missing or out of date, and which belong into a training set."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core.errors import InputError
from core.faces.cropping import CropSettings, large_enough
from core.faceset.alignments.decisions import require_persons
from core.faceset.database import extraction, faces, images, measured
from core.faceset.database.frames import frame_ids
from core.faceset.database.images import ImageRow
from core.faceset.identity import geometry_of
from core.geometry.align import FaceType
from core.jobs.alignments.opened import OpenedFaces, require_loose
from core.types import Face
from core.workspace import list_images, natural_key


@dataclass(frozen=True)
class Again:
    """What crops are wanted; None leaves it as it was at extraction.

    size: pixels. face_type: how much around the face. min_scale: per cent, see ``CropSettings``.
    every: only faces of every Nth frame; persons: only theirs, all without a name. Both need ``out``.
    out: a folder for them that is not the side's own: a training set.
    """

    size: int | None = None
    face_type: FaceType | None = None
    min_scale: float = 0.0
    every: int = 1
    persons: tuple[str, ...] = ()
    out: Path | None = None


@dataclass(frozen=True)
class CropTask:
    """A crop that is to be made.

    name: of its file. old: the file with what was added to the face so far. extracted_name: what the first crop of the
    face was called.
    """

    face: Face
    name: str
    old: Path | None = None
    extracted_name: str = ""


@dataclass(frozen=True)
class CropPlan:
    """The crops that are to be made, by frame.

    up_to_date: faces whose crop is right. small: faces that are too small in the frame. problems: (face, why) of those
    that cannot be cut out.
    """

    tasks: dict[str, list[CropTask]] = field(default_factory=lambda: defaultdict(list))
    up_to_date: list[str] = field(default_factory=list)
    small: list[str] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)


def crop_settings(connection: sqlite3.Connection, again: Again) -> CropSettings:
    """As the side was extracted; a foreign faceset is as most of its files are."""
    recorded = extraction.read_settings(connection)
    kinds = Counter((row.face_type, row.size) for row in images.images(connection))
    usual = kinds.most_common(1)[0][0] if kinds else (FaceType.WHOLE_FACE.file_name, 512)
    face_type = again.face_type or FaceType.parse(str(recorded.get("face_type", usual[0])))
    size = again.size or int(recorded.get("image_size", usual[1]))
    quality, exact = int(recorded.get("jpeg_quality", 90)), bool(recorded.get("dfl_exact"))
    return CropSettings(face_type, size, quality, exact, min_scale=again.min_scale)


def outdated(opened: OpenedFaces, crop: CropSettings) -> CropPlan:
    """The faces whose file in ``aligned`` is missing, empty, or made from other points or in another way."""
    require_loose(opened)
    side = opened.side
    plan = CropPlan()
    rows = {row.face: row for row in images.images(opened.connection) if row.name in opened.names}
    elsewhere = _elsewhere(opened.connection)
    known = measured.scores(opened.connection, "sharpness")
    names = _Names({row.name for row in images.images(opened.connection)} | opened.names)
    for face in _with_points(opened.connection, plan):
        row = rows.get(face.id)
        if row is None and face.id in elsewhere:
            continue  # somebody threw its picture away, which `alignments remove-faces` makes a decision
        path = None if row is None else side.aligned / row.name
        unfinished = row is not None and _is_unfinished(row, face, known)
        if row is not None and path is not None and _is_current(row, path, face, crop) and not unfinished:
            plan.up_to_date.append(face.id)
        elif not large_enough(np.asarray(face.landmarks), crop):
            plan.small.append(face.id)
        else:
            plan.tasks[face.frame].append(_task(face, row, path, names))
    return plan


def _task(face: Face, row: ImageRow | None, path: Path | None, names: "_Names") -> CropTask:
    if row is None:
        name = names.free(face.frame)
        return CropTask(face, name, extracted_name=name)
    return CropTask(face, row.name, path, row.extracted_name)


def set_of(opened: OpenedFaces, again: Again, crop: CropSettings) -> CropPlan:
    """The faces of a training set."""
    require_persons(opened.connection, again.persons)
    out = again.out or Path()
    if list_images(out):
        hint = "name another folder, or move them away"
        raise InputError("there are pictures already", where=out, hint=hint)
    plan = CropPlan()
    rows = {row.face: row for row in images.images(opened.connection) if row.name in opened.names}
    wanted = set(sorted(frame_ids(opened.connection), key=natural_key)[:: again.every])
    names = _Names(set())
    for face in _with_points(opened.connection, plan):
        if face.frame not in wanted or (again.persons and face.person not in again.persons):
            continue
        if not large_enough(np.asarray(face.landmarks), crop):
            plan.small.append(face.id)
            continue
        row = rows.get(face.id)
        old = None if row is None else opened.side.aligned / row.name
        plan.tasks[face.frame].append(CropTask(face, names.free(face.frame), old))
    return plan


def _with_points(connection: sqlite3.Connection, plan: CropPlan) -> Iterator[Face]:
    for face in faces.faces(connection):
        if face.landmarks is None:
            plan.problems.append((f"{face.id} in {face.frame}", "it has no landmarks"))
        else:
            yield face


def _is_unfinished(row: ImageRow, face: Face, known: Container[str]) -> bool:
    """Whether a killed run wrote the file and did not come to note what it measured. known: faces with a score."""
    return not row.sha256 and face.id not in known and not face.origin.startswith("imported")


def _is_current(row: ImageRow, path: Path, face: Face, crop: CropSettings) -> bool:
    if not path.stat().st_size:  # left empty by a power cut
        return False
    wanted = (geometry_of(face.frame, np.asarray(face.landmarks)), crop.size, crop.face_type.file_name)
    return (row.geometry, row.size, row.face_type) == wanted


def _elsewhere(connection: sqlite3.Connection) -> set[str]:
    """Faces whose picture went to the trash of the side, or was in ``aligned`` and is gone."""
    query = "SELECT face FROM images WHERE folder IN ('aligned', 'aligned_trash')"
    return {face for (face,) in connection.execute(query)}


class _Names:
    """Free names of files: ``<stem of the frame>_<k>.jpg``."""

    def __init__(self, taken: set[str]):
        self._taken = {name.lower() for name in taken}

    def free(self, frame: str) -> str:
        stem, number = Path(frame).stem, 0
        while f"{stem}_{number}.jpg".lower() in self._taken:
            number += 1
        self._taken.add(f"{stem}_{number}.jpg".lower())
        return f"{stem}_{number}.jpg"
