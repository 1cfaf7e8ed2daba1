"""Masks for a whole faceset: only those that are missing or were made by something else, each saved as soon as it is made."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core import fsio
from core.errors import InputError
from core.faces.masking import STORED_SIDE, Array, Masker, PendingFace, masks_of, resize
from core.faceset.edit import Change, change_records, face_of, rewrite_pak
from core.faceset.masks.table import MaskRow, MaskTable, checksum, face_key
from core.faceset.store import PAK_NAME, Faceset
from core.formats import dfl_image
from core.imaging.codec import decode_image
from core.imaging.mask_quality import uncertainty
from core.imaging.masks import encode_xseg_mask
from core.progress import progress
from core.types import FaceRecord

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MaskStyle:
    """soft: keep 256 levels instead of two; native: at the face image's own size instead of 256 pixels."""

    soft: bool = False
    native: bool = False

    @property
    def name(self) -> str:
        return f"{'soft' if self.soft else 'binary'} {'native' if self.native else STORED_SIDE}"


@dataclass(frozen=True)
class Applied:
    """made: new masks; kept: up to date before; problems: (face, reason) of those without a new mask; reduced: masks that did not fit beside
    the other metadata and were stored small and two-level."""

    made: int
    kept: int
    problems: tuple[tuple[str, str], ...]
    reduced: tuple[str, ...]


@dataclass(frozen=True)
class _Saved:
    row: MaskRow
    reduced: bool


def apply(
    faceset: Faceset, masker: Masker, style: MaskStyle, table_path: Path, *, force: bool = False, batch_size: int = 8
) -> Applied:
    """Give every face the masker's mask. A killed run goes on where it was; a pak is rewritten once, at the end."""
    identity = f"{masker.identity} {style.name}"
    with MaskTable(table_path) as table:
        records = faceset.records()
        todo = [i for i, record in enumerate(records) if force or not table.done(record, identity)]
        run = _packed if faceset.packed else _loose
        made, problems, reduced = run(faceset, todo, masker, style, identity, table, batch_size)
        return Applied(made, len(records) - len(todo), tuple(problems), tuple(reduced))


Outcome = tuple[int, list[tuple[str, str]], list[str]]


def _loose(
    faceset: Faceset,
    todo: list[int],
    masker: Masker,
    style: MaskStyle,
    identity: str,
    table: MaskTable,
    batch_size: int,
) -> Outcome:
    records = faceset.records()
    faces = (
        _face(faceset, i, records[i], style, partial(_save_file, faceset.path(i), records[i], identity, style))
        for i in todo
    )
    return _collect(faces, len(todo), masker, table, batch_size)


def _packed(
    faceset: Faceset,
    todo: list[int],
    masker: Masker,
    style: MaskStyle,
    identity: str,
    table: MaskTable,
    batch_size: int,
) -> Outcome:
    """Masks wait in the table until all are there; those of a killed run count as long as the pak is the same."""
    path = faceset.folder / PAK_NAME
    status = path.stat()
    waiting = f"{identity} for {status.st_size}-{status.st_mtime_ns}"
    records = faceset.records()
    missing = [i for i in todo if table.pending(face_key(records[i]), waiting) is None]
    faces = (
        _face(faceset, i, records[i], style, partial(_keep, faceset, i, records[i], waiting, style)) for i in missing
    )
    _, problems, reduced = _collect(faces, len(missing), masker, table, batch_size)
    changes: dict[tuple[str | None, str], Change] = {}
    for record in (records[i] for i in todo):
        mask = table.pending(face_key(record), waiting)
        if mask is not None:
            changes[face_of(record)] = partial(_with_mask, mask)
    if changes:
        rewrite_pak(path, changes)
        table.settle(identity)
    return len(changes), problems, reduced


def _collect(faces: Iterator[PendingFace], total: int, masker: Masker, table: MaskTable, batch_size: int) -> Outcome:
    made, problems, reduced = 0, [], []
    for result in progress(
        masks_of(faces, masker, batch_size=batch_size), total=total, description="masks", unit="face"
    ):
        if result.problem:
            problems.append((result.key, result.problem))
            continue
        table.add(result.saved.row)
        made += 1
        if result.saved.reduced:
            reduced.append(result.key)
    return made, problems, reduced


def _face(
    faceset: Faceset, index: int, record: FaceRecord, style: MaskStyle, save: Callable[[Array], _Saved]
) -> PendingFace:
    return PendingFace(
        face_key(record), partial(_load, faceset, index, record.name), save, 0 if style.native else STORED_SIDE
    )


def _load(faceset: Faceset, index: int, name: str) -> tuple[NDArray[np.uint8], FaceRecord]:
    data = faceset.read(index)
    return decode_image(data, name), dfl_image.parse(data, name)


def _save_file(path: Path, record: FaceRecord, identity: str, style: MaskStyle, soft: Array) -> _Saved:
    data, mask, reduced = _embedded(path.read_bytes(), record.name, soft, style)
    fsio.write_bytes(path, data, durable=False)
    return _Saved(_row(face_key(record), identity, mask, soft), reduced)


def _keep(faceset: Faceset, index: int, record: FaceRecord, waiting: str, style: MaskStyle, soft: Array) -> _Saved:
    _, mask, reduced = _embedded(faceset.read(index), record.name, soft, style)
    return _Saved(replace(_row(face_key(record), waiting, mask, soft), pending=mask), reduced)


def _embedded(image: bytes, name: str, soft: Array, style: MaskStyle) -> tuple[bytes, bytes, bool]:
    """(face file with the mask, stored mask, whether it had to be made smaller to fit)."""
    record = dfl_image.parse(image, name)
    mask = encode_xseg_mask(soft if style.soft else two_level(soft))
    try:
        return dfl_image.embed(image, replace(record, xseg_mask=mask)), mask, False
    except InputError:
        if style == MaskStyle():
            raise
    small = encode_xseg_mask(two_level(resize(soft, STORED_SIDE, cv2.INTER_AREA)))
    return dfl_image.embed(image, replace(record, xseg_mask=small)), small, True


def two_level(mask: Array) -> Array:
    """0 below a half, else 1."""
    return (mask >= 0.5).astype(np.float32)


def _row(key: str, identity: str, mask: bytes, soft: Array) -> MaskRow:
    return MaskRow(key, identity, checksum(mask), float((soft >= 0.5).mean()), uncertainty(soft))


def _with_mask(mask: bytes | None, record: FaceRecord) -> FaceRecord:
    return replace(record, xseg_mask=mask)


def _without_labels(record: FaceRecord) -> FaceRecord:
    return replace(record, polygons=())


def remove_masks(faceset: Faceset, table_path: Path) -> tuple[int, list[tuple[str, str]]]:
    """Take the stored masks out of the faces. Returns how many had one, and (face, reason) of those that could not be changed."""
    records = faceset.records()
    chosen = [i for i, record in enumerate(records) if record.xseg_mask is not None]
    problems = change_records(faceset, dict.fromkeys(chosen, partial(_with_mask, None)), "removing masks")
    with MaskTable(table_path) as table:
        table.remove(face_key(records[i]) for i in chosen)
    return len(chosen) - len(problems), problems


def remove_labels(faceset: Faceset) -> tuple[int, list[tuple[str, str]]]:
    """Take the hand-drawn polygons out of the faces."""
    chosen = [i for i, record in enumerate(faceset.records()) if record.polygons]
    problems = change_records(faceset, dict.fromkeys(chosen, _without_labels), "removing labels")
    return len(chosen) - len(problems), problems


def fetch(faceset: Faceset, folder: Path) -> int:
    """Copy the faces that have polygons into ``folder`` under their names; the originals stay. Returns how many."""
    records = faceset.records()
    chosen = [i for i, record in enumerate(records) if any(len(p.points) for p in record.polygons)]
    if chosen:
        folder.mkdir(parents=True, exist_ok=True)
    for index in progress(chosen, description="copying labelled faces", unit="face"):
        name = face_key(records[index]).replace("/", "_")
        fsio.write_bytes(folder / name, faceset.read(index), durable=False)
    return len(chosen)
