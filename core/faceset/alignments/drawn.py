"""Polygons that a person drew: kept under ``extra`` beside those they took the place of, so that undoing knows both,
and written into the face file, where every stage and other programs read them.

The file is the truth: whatever it says by then is what a drawing takes the place of, and what undoing brings back.
"""

import json
import logging
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import PipelineError
from core.faceset.database.cells import NAME, TEXT, WHOLE, checked_name, checked_rows, damaged, json_object, restored
from core.faceset.database.changes import Change
from core.faceset.database.edits import DRAWN
from core.faceset.database.images import ALIGNED, PAK
from core.faceset.edit import Change as FileChange
from core.faceset.edit import rewrite_pak
from core.faceset.identity import identified
from core.faceset.steps import TRASH
from core.formats import dfl_image
from core.types import Face, FaceRecord, Polygon
from core.workspace import PAK_NAME

log = logging.getLogger(__name__)
# Where the file of a face is, the best place first.
_FOLDERS = (ALIGNED, PAK, TRASH)


def draw(change: Change, face: Face, before: Iterable[Polygon], now: Iterable[Polygon]) -> None:
    """Give a face other polygons. before: those in its file."""
    change.update(face, extra={**face.extra, DRAWN: {"before": _plain(before), "now": _plain(now)}})


def with_polygons(record: FaceRecord, polygons: Iterable[Polygon]) -> FaceRecord:
    """The record with these polygons, those that include first, as files have them."""
    ordered = sorted((polygon for polygon in polygons if len(polygon.points)), key=lambda polygon: not polygon.include)
    return replace(identified(record), polygons=tuple(ordered))


def file_of(connection: sqlite3.Connection, face: str) -> tuple[str, str] | None:
    """(folder, name) of the file that shows a face; None where there is none."""
    query = "SELECT folder, name FROM images WHERE face = ? ORDER BY image"
    rows = checked_rows(connection.execute(query, (face,)), (TEXT, NAME), "images")
    found = [(folder, restored(name)) for folder, name in rows if folder in _FOLDERS]
    return min(found, key=lambda place: _FOLDERS.index(place[0]), default=None)


def write(connection: sqlite3.Connection, frames: Path, changes: Sequence[int]) -> None:
    """Write into the face files what these changes drew, or, of those that were taken back, what was there before.

    frames: the folder of the side. Doing so twice does no harm.
    """
    packed: dict[str, tuple[Polygon, ...]] = {}
    for face, polygons in _wanted(connection, changes).items():
        place = file_of(connection, face)
        if place is None:
            continue
        folder, name = place
        if folder == PAK:
            packed[name] = polygons
            continue
        path = frames / folder / checked_name(name, "images")
        try:
            data = path.read_bytes()
            record = with_polygons(dfl_image.parse(data, path.name, where=path), polygons)
            dfl_image.write(path, data, record, durable=True)
        except (PipelineError, OSError) as error:
            log.warning("%s: its polygons are not written: %s", path.name, error)
    if packed:
        _write_packed(frames / ALIGNED / PAK_NAME, packed)


def _write_packed(path: Path, polygons: Mapping[str, tuple[Polygon, ...]]) -> None:
    changes: dict[tuple[str | None, str], FileChange] = {}
    for key, some in polygons.items():
        person, _, name = key.rpartition("/")
        changes[person or None, name] = partial(with_polygons, polygons=some)
    rewrite_pak(path, changes)


_EDITS = """
SELECT edits.face, edits.other, faces.extra, undone FROM edits JOIN faces ON faces.face = edits.face
JOIN changes ON changes.change = edits.change WHERE edits.change = ? AND other LIKE '%"extra"%' ORDER BY edit
"""


def _wanted(connection: sqlite3.Connection, changes: Iterable[int]) -> dict[str, tuple[Polygon, ...]]:
    """Face -> the polygons that its file is to have."""
    wanted: dict[str, tuple[Polygon, ...]] = {}
    for change in sorted(changes):
        rows = checked_rows(connection.execute(_EDITS, (change,)), (TEXT, TEXT, TEXT, WHOLE), "edits")
        of_change: dict[str, tuple[Polygon, ...]] = {}
        for face, other, extra, undone in rows:
            values = json_object(other, "edits")
            theirs, ours = _drawn(values.get("extra") or ""), _drawn(extra)
            if "extra" not in values or theirs == ours:
                continue
            # What a change drew first on a face took the place of what had been there.
            if undone and theirs:
                of_change.setdefault(face, _polygons(theirs["before"]))
            elif not undone and ours:
                of_change[face] = _polygons(ours["now"])
        wanted |= of_change
    return wanted


def _drawn(extra: str) -> dict[str, Any]:
    """What a cell of the column ``extra`` says of polygons; empty where it says nothing."""
    if f'"{DRAWN}"' not in extra:
        return {}
    try:
        found = json.loads(extra).get(DRAWN, {})
        return {"before": found["before"], "now": found["now"]} if found else {}
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        raise damaged("faces", "polygons that are none") from None


def _plain(polygons: Iterable[Polygon]) -> list[list[Any]]:
    return [[int(polygon.include), *np.asarray(polygon.points, np.float32).ravel().tolist()] for polygon in polygons]


def _polygons(plain: Any) -> tuple[Polygon, ...]:
    try:
        return tuple(
            Polygon(bool(include), np.array(numbers, np.float32).reshape(-1, 2)) for include, *numbers in plain
        )
    except (ValueError, TypeError):
        raise damaged("faces", "polygons that are none") from None
