"""Masks for a whole faceset: only those that are missing or were made by something else, each saved as soon as it is
made.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core import fsio, plugins
from core.errors import InputError
from core.faces.contract import FloatArray, Masker, MaskerRequest
from core.faces.mask_placing import resize
from core.faces.masking import STORED_SIDE, PendingFace, masks_of
from core.faceset.database.frame_masks import FrameMask, encode, note_mask
from core.faceset.database.masks import MaskRow, MaskTable, checksum
from core.faceset.edit import Change, change_records, face_of, rewrite_pak
from core.faceset.exchange.placed import stored_mask
from core.faceset.identity import identified, record_geometry
from core.faceset.masks.report import counted
from core.faceset.register import KnownFaces, open_known
from core.faceset.store import face_key
from core.formats import dfl_image
from core.imaging.codec import decode_image
from core.imaging.mask_quality import uncertainty
from core.imaging.masks import FROM_LANDMARKS, encode_mask, has_polygons, mask_origin
from core.inference import xseg_weights
from core.jobs.side import opened_side
from core.progress import progress
from core.safe_paths import own_folder
from core.types import FaceRecord
from core.workspace import PAK_NAME, Workspace

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MaskStyle:
    """How masks are stored.

    soft: keep 256 levels instead of two.
    native: at the face image's own size instead of 256 pixels.
    """

    soft: bool = False
    native: bool = False

    @property
    def name(self) -> str:
        return f"{'soft' if self.soft else 'binary'} {'native' if self.native else STORED_SIDE}"


@dataclass(frozen=True)
class AppliedMasks:
    """made: new masks. kept: up to date before. problems: (face, reason) of those without a new mask.

    reduced: faces whose mask did not fit beside the other metadata and was stored small and two-level.
    """

    made: int
    kept: int
    problems: tuple[tuple[str, str], ...]
    reduced: tuple[str, ...]


@dataclass(frozen=True)
class RemovedMasks:
    """removed: faces that had one and have none now. problems: (face, reason) of those that could not be changed."""

    removed: int
    problems: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class MaskCounts:
    """Where the faces of a side take their masks from.

    faces: how many there are. origins: who made a mask (``xseg``, ``custom``, ``polygons``, or a way to draw it from
    landmarks) -> how many.
    """

    faces: int
    origins: dict[str, int]

    @property
    def from_landmarks(self) -> int:
        """Faces whose mask is drawn from landmarks."""
        return sum(count for name, count in self.origins.items() if name in FROM_LANDMARKS)


@dataclass(frozen=True)
class FetchedFaces:
    """copied: faces with polygons. folder: where the copies are."""

    copied: int
    folder: Path


def open_masker(
    workspace: Workspace, name: str, request: MaskerRequest | None = None, *, chosen: bool = True
) -> Masker | None:
    """The masker called ``name``, ready to run.

    request: what it may need; without it the model folder and the assets of the workspace.
    chosen: somebody asked for it. Else None is returned where XSeg, the usual one, has no weights: landmark masks
    serve.

    Raises:
        UsageError: there is no such masker, or it cannot do what is asked.
        InputError, CorruptFileError: its weights or its description are missing or damaged.
    """
    request = request or MaskerRequest(workspace.model, workspace.assets)
    weights = request.weights or workspace.model
    archive = workspace.assets / xseg_weights.ARCHIVE
    if name == "xseg" and not chosen and not xseg_weights.present(weights) and not archive.is_file():
        return None
    return plugins.load("maskers", name).create(request)


def apply_masks(
    workspace: Workspace, name: str, masker: Masker, style: MaskStyle, *, force: bool = False, batch_size: int = 8
) -> AppliedMasks:
    """Give every face of a side the masker's mask; pixels are never touched. A killed run goes on where it was.

    name: ``src`` or ``dst``. force: also faces whose mask is up to date. batch_size: faces in one call of the network.
    """
    with opened_side(workspace, name) as side, open_known(side) as known:
        return apply(known, masker, style, force=force, batch_size=batch_size)


def remove_masks(workspace: Workspace, name: str) -> RemovedMasks:
    """Take the stored masks out of the faces of a side."""
    with opened_side(workspace, name) as side, open_known(side) as known:
        chosen = [i for i, record in enumerate(known.faceset.records()) if record.xseg_mask is not None]
        changes = dict.fromkeys(chosen, partial(_with_mask, None))
        problems = change_records(known.faceset, changes)
        # Also of faces whose mask a killed run removed.
        bare = [i for i, record in enumerate(known.faceset.records()) if record.xseg_mask is None]
        MaskTable(known.connection).remove(known.ids[i] for i in (*chosen, *bare))
        return RemovedMasks(len(chosen) - len(problems), tuple(problems))


def remove_labels(workspace: Workspace, name: str) -> RemovedMasks:
    """Take the hand-drawn polygons out of the faces of a side."""
    with opened_side(workspace, name) as side, open_known(side) as known:
        chosen = [i for i, record in enumerate(known.faceset.records()) if record.polygons]
        problems = change_records(known.faceset, dict.fromkeys(chosen, _without_labels))
        return RemovedMasks(len(chosen) - len(problems), tuple(problems))


def fetch_labelled(workspace: Workspace, name: str) -> FetchedFaces:
    """Copy the faces that have polygons into ``aligned_xseg``; the originals stay."""
    with opened_side(workspace, name) as side, open_known(side) as known:
        folder = side.aligned.with_name("aligned_xseg")
        records = known.faceset.records()
        chosen = [i for i, record in enumerate(records) if has_polygons(record)]
        if chosen:
            own_folder(folder)
        for index in progress(chosen, description="copying labelled faces", unit="face"):
            # Faces of several persons come together in one folder.
            target = folder / face_key(records[index]).replace("/", "_")
            fsio.write_bytes(target, known.faceset.read(index), durable=False)
        return FetchedFaces(len(chosen), folder)


def count_masks(workspace: Workspace, name: str) -> MaskCounts:
    """Where the faces of a side take their masks from."""
    with opened_side(workspace, name) as side, open_known(side) as known:
        table = MaskTable(known.connection)
        faces = zip(known.faceset.records(), known.ids, strict=True)
        # The table knows it of masks that earlier versions made, too.
        rows = [(record, table.row(record, face)) for record, face in faces]
        return MaskCounts(len(rows), counted(row.kind if row else mask_origin(record) for record, row in rows))


def apply(
    known: KnownFaces, masker: Masker, style: MaskStyle, *, force: bool = False, batch_size: int = 8
) -> AppliedMasks:
    """The same for a faceset that is open. A pak is rewritten once, at the end."""
    with MaskTable(known.connection) as table:
        job = _Job(known, masker, style, table, batch_size)
        faces = enumerate(zip(known.faceset.records(), known.ids, strict=True))
        todo = [i for i, (record, face) in faces if force or not _stays(table, job.identity, record, face)]
        if known.faceset.packed:
            job.packed(todo)
        else:
            job.loose(todo)
        return AppliedMasks(job.made, len(known.ids) - len(todo), tuple(job.problems), tuple(job.reduced))


def _stays(table: MaskTable, masker: str, record: FaceRecord, face: str) -> bool:
    """Whether the mask of a face is left alone: it is up to date, or a person made it."""
    return table.done(record, masker, face) or table.by_hand(record, face)


@dataclass(frozen=True)
class _Saved:
    row: MaskRow
    reduced: bool
    mask: FrameMask | None


@dataclass
class _Job:
    """One run of a masker over a faceset, and what came of it."""

    known: KnownFaces
    masker: Masker
    style: MaskStyle
    table: MaskTable
    batch_size: int
    made: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)
    reduced: list[str] = field(default_factory=list)

    @property
    def identity(self) -> str:
        """All that decides what a mask looks like."""
        return f"{self.masker.identity} {self.style.name}"

    def loose(self, todo: list[int]) -> None:
        """Each mask goes into its file as soon as it is made."""
        self._run((self._pending(i, partial(self._save, i)) for i in todo), len(todo))

    def packed(self, todo: list[int]) -> None:
        """Masks wait in the table until all are there; those of a killed run count as long as the pak is the same."""
        path = self.known.faceset.folder / PAK_NAME
        status = path.stat()
        waiting = f"{self.identity} for {status.st_size}-{status.st_mtime_ns}"
        missing = [i for i in todo if self.table.pending(self.known.ids[i], waiting) is None]
        self._run((self._pending(i, partial(self._keep, i, waiting)) for i in missing), len(missing))
        changes: dict[tuple[str | None, str], Change] = {}
        records = self.known.faceset.records()
        for i in todo:
            mask = self.table.pending(self.known.ids[i], waiting)
            if mask is not None:
                changes[face_of(records[i])] = partial(_with_mask, mask)
        if changes:
            rewrite_pak(path, changes)
            self.table.settle(self.identity)
        self.made = len(changes)

    def _run(self, faces: Iterator[PendingFace], total: int) -> None:
        results = masks_of(faces, self.masker, batch_size=self.batch_size)
        for result in progress(results, total=total, description="masks", unit="face"):
            if result.problem:
                self.problems.append((result.key, result.problem))
                continue
            self.table.add(result.saved.row)
            if result.saved.mask is not None:
                note_mask(self.known.connection, result.saved.row.face, result.saved.mask)
            self.made += 1
            if result.saved.reduced:
                self.reduced.append(result.key)

    def _pending(self, index: int, save: Callable[[FloatArray], _Saved]) -> PendingFace:
        side = 0 if self.style.native else STORED_SIDE
        name = face_key(self.known.faceset.records()[index])
        return PendingFace(name, partial(self._load, index), save, side)

    def _load(self, index: int) -> tuple[NDArray[np.uint8], FaceRecord]:
        name = self.known.faceset.records()[index].name
        data = self.known.faceset.read(index)
        return decode_image(data, name), dfl_image.parse(data, name)

    def _save(self, index: int, soft: FloatArray) -> _Saved:
        path = self.known.faceset.path(index)
        data, mask, reduced = _embedded(path.read_bytes(), path.name, soft, self.style, self.masker.kind)
        fsio.write_bytes(path, data, durable=False)
        return _Saved(self._row(index, self.identity, mask, soft), reduced, _beside(data, path.name, self.masker.kind))

    def _keep(self, index: int, waiting: str, soft: FloatArray) -> _Saved:
        name = self.known.faceset.records()[index].name
        data, mask, reduced = _embedded(self.known.faceset.read(index), name, soft, self.style, self.masker.kind)
        row = replace(self._row(index, waiting, mask, soft), pending=mask)
        return _Saved(row, reduced, _beside(data, name, self.masker.kind))

    def _row(self, index: int, identity: str, mask: bytes, soft: FloatArray) -> MaskRow:
        return MaskRow(
            face=self.known.ids[index],
            kind=self.masker.kind,
            masker=identity,
            checksum=checksum(mask),
            area=float((soft >= 0.5).mean()),
            uncertainty=uncertainty(soft),
            geometry=record_geometry(self.known.faceset.full_record(index)),
        )


def _beside(image: bytes, name: str, kind: str) -> FrameMask | None:
    """The mask of a face file for the database, which keeps one of each kind; None where the file names no frame."""
    record = dfl_image.parse(image, name)
    stored = stored_mask(record)
    if stored is None:
        return None
    pixels, matrix = stored
    return FrameMask(
        f"{kind}_face", encode(pixels), matrix, record.face_type, cv2.INTER_LINEAR, kind, record_geometry(record)
    )


def _embedded(image: bytes, name: str, soft: FloatArray, style: MaskStyle, maker: str) -> tuple[bytes, bytes, bool]:
    """(face file with the mask, stored mask, whether it had to be made smaller to fit)."""
    record = identified(dfl_image.parse(image, name))
    mask = encode_mask(soft if style.soft else two_level(soft), maker)
    try:
        return dfl_image.embed(image, replace(record, xseg_mask=mask)), mask, False
    except InputError:
        # It is as small already as it can be made.
        if style == MaskStyle():
            raise
    small = encode_mask(two_level(resize(soft, STORED_SIDE, cv2.INTER_AREA)), maker)
    return dfl_image.embed(image, replace(record, xseg_mask=small)), small, True


def two_level(mask: FloatArray) -> FloatArray:
    """0 below a half, else 1."""
    return (mask >= 0.5).astype(np.float32)


def _with_mask(mask: bytes | None, record: FaceRecord) -> FaceRecord:
    return replace(record, xseg_mask=mask)


def _without_labels(record: FaceRecord) -> FaceRecord:
    return replace(record, polygons=())
