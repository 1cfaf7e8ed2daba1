"""Hand-made labels of a faceset: out to an editor and back, suggestions from predicted masks, and which faces need them most."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from core import fsio
from core.errors import InputError, PipelineError
from core.faceset.edit import change_records
from core.faceset.masks.table import MaskTable, face_key
from core.faceset.store import Faceset
from core.formats import coco, labelme
from core.formats.labels import LabelledImage
from core.imaging.mask_quality import measure
from core.imaging.masks import Mask, decode_mask, hull_mask
from core.imaging.polygons import mask_to_polygons
from core.progress import progress
from core.types import FaceRecord, Polygon

Format = Literal["labelme", "coco"]
COCO_NAME = "labels.json"
_SPECK = 0.0004  # of the picture: smaller pieces and holes are not suggested


@dataclass(frozen=True)
class Imported:
    """changed: faces with new polygons; same: that had just these; kept: that have others and were left alone; unmatched: pictures without
    a face; problems: (name, reason)."""

    changed: int
    same: int
    kept: tuple[str, ...]
    unmatched: tuple[str, ...]
    problems: tuple[tuple[str, str], ...]


def least_certain(faceset: Faceset, table: MaskTable | None, count: int | None = None) -> list[tuple[int, float]]:
    """(index, doubt) of the faces whose masks most need a look, the worst first. Where the masker said how sure it was that decides; else the
    shape of the mask against the landmark hull. Faces without a mask come first of all, those with polygons not at all.
    """
    scored = [(i, _doubt(record, table)) for i, record in enumerate(faceset.records()) if not _has_polygons(record)]
    return sorted(scored, key=lambda item: (-item[1], item[0]))[:count]


def _doubt(record: FaceRecord, table: MaskTable | None) -> float:
    if record.xseg_mask is None:
        return float("inf")
    row = table.rows.get(face_key(record)) if table else None
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


def _has_polygons(record: FaceRecord) -> bool:
    return any(len(polygon.points) for polygon in record.polygons)


def suggestion(record: FaceRecord) -> tuple[Polygon, ...]:
    """Editable polygons of the stored mask, none where there is no mask. Raises CorruptFileError for a damaged one."""
    if record.xseg_mask is None:
        return ()
    return mask_to_polygons(_mask_at(record), smallest=int(_SPECK * record.shape[0] * record.shape[1]))


def export(
    faceset: Faceset, folder: Path, indices: Sequence[int], form: Format, *, suggest: bool
) -> tuple[list[str], list[tuple[str, str]]]:
    """Write copies of the faces at ``indices`` into ``folder`` with their polygons, or with suggestions where they have none and ``suggest``.

    A label file that is already there is left alone: it may hold somebody's work. Returns the names written and (name, reason) of faces left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    records = faceset.records()
    written: list[LabelledImage] = []
    problems: list[tuple[str, str]] = []
    for index in progress(indices, description="writing labels", unit="face"):
        record = records[index]
        name = face_key(record).replace("/", "_")
        target = (folder / name).with_suffix(".json") if form == "labelme" else folder / COCO_NAME
        try:
            if target.exists():
                raise InputError("left alone", why=f"{target.name} is there already")
            polygons = record.polygons if _has_polygons(record) or not suggest else suggestion(record)
            picture = LabelledImage(name, (record.shape[0], record.shape[1]), polygons)
            fsio.write_bytes(folder / name, faceset.read(index), durable=False)
            if form == "labelme":
                fsio.write_text(target, labelme.write(picture))
            written.append(picture)
        except PipelineError as error:
            problems.append((name, error.why or error.what))
    if form == "coco" and written:
        fsio.write_text(folder / COCO_NAME, coco.write(written))
    return [picture.name for picture in written], problems


def read_labels(source: Path) -> tuple[list[LabelledImage], list[tuple[str, str]]]:
    """The labels in a COCO file, or in a folder of labelme files (or one with a COCO file). Raises InputError, CorruptFileError."""
    if source.is_file() and "shapes" not in labelme.read_json(source):
        return coco.read(source)
    if source.is_file():
        return [labelme.read(source)], []
    if (source / COCO_NAME).is_file():
        return coco.read(source / COCO_NAME)
    pictures, problems = [], []
    for path in sorted(source.glob("*.json")):
        try:
            pictures.append(labelme.read(path))
        except PipelineError as error:
            problems.append((path.name, error.why or error.what))
    if not pictures and not problems:
        raise InputError("no label files", where=source, hint="a folder of labelme .json files, or a COCO .json file")
    return pictures, problems


def take_in(faceset: Faceset, pictures: Sequence[LabelledImage], *, overwrite: bool, trash: Path) -> Imported:
    """Give faces the polygons of the pictures with their names. Other polygons of a face are kept unless ``overwrite``; then they go to ``trash``
    as a COCO file first. Raises InputError when no picture belongs to a face.
    """
    by_name = {face_key(record).replace("/", "_"): i for i, record in enumerate(faceset.records())}
    records = faceset.records()
    problems: list[tuple[str, str]] = []
    new: dict[int, tuple[Polygon, ...]] = {}
    same = 0
    kept: list[str] = []
    unmatched: list[str] = []
    old: list[LabelledImage] = []
    for picture in pictures:
        index = by_name.get(picture.name)
        if index is None:
            unmatched.append(picture.name)
            continue
        record = records[index]
        if picture.shape not in ((0, 0), tuple(record.shape)):
            problems.append(
                (
                    picture.name,
                    f"labels for {picture.shape[1]} x {picture.shape[0]} px, the face has {record.shape[1]} x {record.shape[0]}",
                )
            )
        elif _equal(record.polygons, picture.polygons):
            same += 1
        elif _has_polygons(record) and not overwrite:
            kept.append(picture.name)
        elif picture.polygons:
            new[index] = picture.polygons
            if _has_polygons(record):
                old.append(LabelledImage(picture.name, (record.shape[0], record.shape[1]), record.polygons))
    if unmatched and len(unmatched) == len(pictures):
        raise InputError(
            "these labels belong to other faces", where=faceset.folder, why=f"no face is called {unmatched[0]}"
        )
    if old:
        _set_aside(old, trash)
    failed = change_records(
        faceset, {index: partial(_labelled, polygons) for index, polygons in new.items()}, "labelling"
    )
    return Imported(len(new) - len(failed), same, tuple(kept), tuple(unmatched), (*problems, *failed))


def _labelled(polygons: tuple[Polygon, ...], record: FaceRecord) -> FaceRecord:
    return replace(record, polygons=polygons)


def _set_aside(old: list[LabelledImage], trash: Path) -> None:
    trash.mkdir(parents=True, exist_ok=True)
    temporary = trash / f".{COCO_NAME}"
    fsio.write_text(temporary, coco.write(old))
    fsio.move_to_trash(temporary.rename(trash / COCO_NAME), trash)


def _equal(one: Sequence[Polygon], other: Sequence[Polygon]) -> bool:
    def key(p: Polygon) -> tuple:
        return not p.include, np.round(p.points, 2).tolist()

    return sorted(map(key, one)) == sorted(map(key, other))
