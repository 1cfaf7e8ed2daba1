"""Hand-made labels of a faceset: out to an editor and back, suggested from masks, and which faces need them most."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from core import fsio
from core.errors import InputError, PipelineError
from core.faceset.database.masks import MaskRow, MaskTable
from core.faceset.edit import change_records
from core.faceset.register import KnownFaces
from core.faceset.store import face_key
from core.formats import coco, labelme
from core.formats.labels import LabelledImage, read_json
from core.imaging.mask_quality import measure
from core.imaging.masks import Mask, decode_mask, has_polygons, hull_mask
from core.imaging.polygons import mask_to_polygons
from core.progress import progress
from core.safe_paths import own_folder
from core.types import FaceRecord, Polygon

Format = Literal["labelme", "coco"]
COCO_NAME, FACES_NAME = "labels.json", "faces.json"
_SPECK = 0.0004  # of the picture: smaller pieces and holes are not suggested


@dataclass(frozen=True)
class Imported:
    """What became of labelled images.

    changed: faces with new polygons.
    same: faces that had just these.
    kept: names of faces that have others and were left alone.
    unmatched: names of images without a face.
    problems: (name, reason).
    remarks: how something was taken that is not known -> how often.
    """

    changed: int
    same: int
    kept: tuple[str, ...]
    unmatched: tuple[str, ...]
    problems: tuple[tuple[str, str], ...]
    remarks: dict[str, int]


def least_certain(known: KnownFaces, count: int | None = None) -> list[tuple[int, float]]:
    """(index, doubt) of the faces whose masks most need a look, the worst first.

    Where the masker said how sure it was that decides; else the shape of the mask against the landmark hull. Faces
    without a mask come first of all, those with polygons not at all.
    """
    table = MaskTable(known.connection)
    faces = zip(known.faceset.records(), known.ids, strict=True)
    scored = [
        (index, doubt(record, table.row(record, face)))
        for index, (record, face) in enumerate(faces)
        if not has_polygons(record)
    ]
    return sorted(scored, key=lambda item: (-item[1], item[0]))[:count]


def doubt(record: FaceRecord, row: MaskRow | None) -> float:
    """How much the mask of a face needs a look, from 0 on; infinite where none is stored. row: what is known of it."""
    if record.xseg_mask is None:
        return float("inf")
    try:
        quality = measure(
            _mask_at(record),
            hull_mask(record.shape, record.landmarks, record.eyebrows_expand_mod),
            uncertain=row.uncertainty if row else float("nan"),
        )
    except PipelineError:
        return float("inf")
    return quality.score


def _mask_at(record: FaceRecord) -> Mask:
    mask = decode_mask(record.xseg_mask or b"", record.name)[..., 0]
    return cv2.resize(mask, record.shape[::-1], interpolation=cv2.INTER_LINEAR).astype(np.float32)[..., None]


def suggestion(record: FaceRecord, tolerance: float | None = None) -> tuple[Polygon, ...]:
    """Editable polygons of the stored mask, none where there is no mask. Raises CorruptFileError for a damaged one.

    tolerance: as of ``suggested``.
    """
    return () if record.xseg_mask is None else suggested(_mask_at(record), tolerance)


def suggested(mask: Mask, tolerance: float | None = None) -> tuple[Polygon, ...]:
    """Editable polygons of a mask (H, W, 1), without its specks.

    tolerance: how far they may be from its edge, pixels at a side of 256; None: as far as is good enough.
    """
    return mask_to_polygons(mask, smallest=int(_SPECK * mask.shape[0] * mask.shape[1]), tolerance=tolerance)


def export(
    known: KnownFaces, folder: Path, indices: Sequence[int], form: Format, *, suggest: bool
) -> tuple[list[str], list[tuple[str, str]]]:
    """Write copies of the faces at ``indices`` into ``folder`` with their polygons.

    Where a face has none and ``suggest``, its stored mask is suggested. A label file that is already there is left
    alone: it may hold somebody's work. What is written says whose face it is, so that it finds back to it whatever
    the face is called by then; ``faces.json`` says it for editors that keep only the names of files.

    Returns the names written and (name, reason) of faces left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: list[LabelledImage] = []
    problems: list[tuple[str, str]] = []
    names = {index: _flat_name(known.faceset.records()[index]) for index in indices}
    # Before the labels are there: of a run that is killed between the two, nobody would know whose they are.
    _note_faces(folder, {name: known.ids[i] for i, name in names.items() if not _target(folder, name, form).exists()})
    for index in progress(indices, description="writing labels", unit="face"):
        try:
            written.append(_export_one(known, folder, index, form, suggest))
        except PipelineError as error:
            problems.append((names[index], error.why or error.what))
    if form == "coco" and written:
        fsio.write_text(folder / COCO_NAME, coco.write(written))
    return [picture.name for picture in written], problems


def _export_one(known: KnownFaces, folder: Path, index: int, form: Format, suggest: bool) -> LabelledImage:
    record = known.faceset.records()[index]
    name = _flat_name(record)
    target = _target(folder, name, form)
    if target.exists():
        raise InputError("left alone", why=f"{target.name} is there already")
    polygons = suggestion(record) if suggest and not has_polygons(record) else record.polygons
    picture = LabelledImage(name, (record.shape[0], record.shape[1]), polygons, known.ids[index])
    fsio.write_bytes(folder / name, known.faceset.read(index), durable=False)
    if form == "labelme":
        fsio.write_text(target, labelme.write(picture))
    return picture


def _target(folder: Path, name: str, form: Format) -> Path:
    """The label file of a face that is exported under ``name``."""
    return (folder / name).with_suffix(".json") if form == "labelme" else folder / COCO_NAME


def _note_faces(folder: Path, ids: Mapping[str, str]) -> None:
    """Add to the list of whose faces the exported files are. ids: name of a file -> face."""
    if ids:
        faces = _noted_faces(folder) | dict(ids)
        fsio.write_text(folder / FACES_NAME, json.dumps(faces, indent=1, sort_keys=True) + "\n")


def _noted_faces(folder: Path) -> dict[str, str]:
    path = folder / FACES_NAME
    if not path.is_file():
        return {}
    return {name: face for name, face in read_json(path).items() if isinstance(face, str)}


def _flat_name(record: FaceRecord) -> str:
    """The name of an exported file: there is one folder for all persons."""
    return face_key(record).replace("/", "_")


def read_labels(source: Path) -> tuple[list[LabelledImage], list[tuple[str, str]]]:
    """The labels in a COCO file, or in a folder of labelme files (or one with a COCO file).

    Raises InputError, CorruptFileError.
    """
    # Only files of labelme have shapes.
    if source.is_file() and "shapes" not in read_json(source):
        return coco.read(source)
    if source.is_file():
        return [labelme.read(source)], []
    if (source / COCO_NAME).is_file():
        return coco.read(source / COCO_NAME)
    pictures, problems = [], []
    for path in sorted(path for path in source.glob("*.json") if path.name != FACES_NAME):
        try:
            pictures.append(labelme.read(path))
        except PipelineError as error:
            problems.append((path.name, error.why or error.what))
    if not pictures and not problems:
        raise InputError(
            "no label files", where=source, hint="give a folder of labelme .json files, or a COCO .json file"
        )
    return pictures, problems


def take_in(
    known: KnownFaces, pictures: Sequence[LabelledImage], folder: Path, *, overwrite: bool, trash: Path
) -> Imported:
    """Give faces the polygons that were drawn on them, whatever they are called by now.

    folder: where the labels are; its ``faces.json`` helps where they do not say themselves whose they are. Other
    polygons of a face are kept unless ``overwrite``; then they go to ``trash`` as a COCO file first.

    Raises:
        InputError: no picture belongs to a face.
    """
    places = _Places(known, _noted_faces(folder))
    records = known.faceset.records()
    found = [(picture, places.find(picture)) for picture in pictures]
    unmatched = [picture.name for picture, index in found if index is None]
    if unmatched and len(unmatched) == len(pictures):
        why = f"no face is called {unmatched[0]}"
        raise InputError("these labels belong to other faces", where=known.faceset.folder, why=why)
    outcome = _Outcome()
    for picture, index in found:
        if index is not None:
            outcome.take(picture, index, records[index], overwrite)
    if outcome.replaced:
        _set_aside(outcome.replaced, trash)
    changes = {index: partial(_labelled, polygons) for index, polygons in outcome.new.items()}
    failed = change_records(known.faceset, changes)
    return Imported(
        changed=len(outcome.new) - len(failed),
        same=outcome.same,
        kept=tuple(outcome.kept),
        unmatched=tuple(unmatched),
        problems=(*outcome.problems, *failed),
        remarks=dict(Counter(remark for picture in pictures for remark in picture.remarks)),
    )


class _Places:
    """Where in a faceset the face of a labelled picture is."""

    def __init__(self, known: KnownFaces, noted: dict[str, str]):
        self._noted = noted
        self._by_face = {face: index for index, face in enumerate(known.ids)}
        self._by_name = {_flat_name(record): index for index, record in enumerate(known.faceset.records())}

    def find(self, picture: LabelledImage) -> int | None:
        """By the face that the label file says, else the list beside it, else by name."""
        face = picture.face or self._noted.get(picture.name, "")
        if face:
            # Not by the name then, which may be that of another face by now.
            return self._by_face.get(face)
        return self._by_name.get(picture.name)


@dataclass
class _Outcome:
    """What becomes of the labelled pictures: see Imported."""

    new: dict[int, tuple[Polygon, ...]] = field(default_factory=dict)
    same: int = 0
    kept: list[str] = field(default_factory=list)
    replaced: list[LabelledImage] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)

    def take(self, picture: LabelledImage, index: int, record: FaceRecord, overwrite: bool) -> None:
        """Decide about one picture, whose face is at ``index``."""
        height, width = record.shape
        # (0, 0): the label file did not say for which size it is.
        if picture.shape not in ((0, 0), (height, width)):
            made_for = f"{picture.shape[1]} x {picture.shape[0]}"
            self.problems.append((picture.name, f"labels for {made_for} px, the face has {width} x {height}"))
        elif not picture.polygons and picture.remarks:
            self.problems.append((picture.name, "; ".join(picture.remarks)))
        elif _equal(record.polygons, picture.polygons):
            self.same += 1
        elif has_polygons(record) and not overwrite:
            self.kept.append(picture.name)
        elif picture.polygons:
            self.new[index] = picture.polygons
            if has_polygons(record):
                self.replaced.append(replace(picture, shape=(height, width), polygons=record.polygons))


def _labelled(polygons: tuple[Polygon, ...], record: FaceRecord) -> FaceRecord:
    return replace(record, polygons=polygons)


def _set_aside(old: list[LabelledImage], trash: Path) -> None:
    place = own_folder(trash) / COCO_NAME
    fsio.write_text(place, coco.write(old))
    # There it gets a name with the time, so that none is written over.
    fsio.move_to_trash(place, trash)


def _equal(one: Sequence[Polygon], other: Sequence[Polygon]) -> bool:
    def key(p: Polygon) -> tuple:
        # Editors write points as decimal text, which does not give back every digit.
        return not p.include, np.round(p.points, 2).tolist()

    return sorted(map(key, one)) == sorted(map(key, other))
