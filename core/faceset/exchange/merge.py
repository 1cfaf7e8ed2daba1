"""Faces of other programs' files, taken into the database: new ones are added, known ones are found by their place."""

import os
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any

from core.errors import CorruptFileError
from core.faceset.database import frame_masks, frames, measured
from core.faceset.database.changes import Change, changing
from core.faceset.database.faces import faces, points_of
from core.faceset.database.frame_masks import FrameMask
from core.faceset.exchange.incoming import Incoming, IncomingFrame
from core.faceset.exchange.matching import distance_of, same_faces, same_place
from core.faceset.identity import birth_id, geometry_of
from core.types import Face

_UNDONE = "undone"
# Two pictures of a file are of one face when they are so near: as near as rounding puts them.
_DOUBLE = 0.01
_AT_ONCE = 1000  # faces whose masks, identities and thumbnails are written at once
_MASKS = 64  # that a thread makes at once


@dataclass
class Merged:
    """What became of the faces of a file.

    added, updated, kept: faces; kept ones were here and stay as they are. completed: of those, how many got masks,
    identities or a thumbnail that they lacked. not_kept_here: of those, how many are filtered or dropped here.
    doubled: pictures of a face that another one of the file shows. frames: names of those that are new.
    """

    added: int = 0
    updated: int = 0
    kept: int = 0
    completed: int = 0
    not_kept_here: int = 0
    doubled: int = 0
    frames: list[str] = field(default_factory=list)
    remarks: Counter[str] = field(default_factory=Counter)


def merge(
    connection: sqlite3.Connection,
    coming: Sequence[IncomingFrame],
    tool: str,
    *,
    prefer_file: bool = False,
    twins: bool = True,
) -> Merged:
    """Take faces in, as one change that can be undone.

    tool: for the history. prefer_file: a face that is here gets the values of the file. twins: two faces of the file
    with the very same points are two faces; without, they are two pictures of one.
    """
    merged = Merged()
    rows = _frames(connection, coming, merged)
    known = _faces_by_frame(connection)
    ids = {face.id for there in known.values() for face in there}
    expected = sum(len(frame.faces) for frame in coming)
    placed: list[tuple[str, Incoming, bool]] = []
    with changing(connection, tool, expected=expected) as change:
        for frame in coming:
            there = known.get(frame.row.name, [])
            one = _Frame(change, rows[frame.row.name], there, ids, merged, prefer_file=prefer_file, twins=twins)
            placed += one.take(frame.faces)
    # After the change: what is derived from faces is no part of it, and the same again completes what a kill left out.
    with connection:
        _note_derived(connection, placed, merged)
    return merged


class _Frame:
    """The faces of one frame, while those of a file are taken in."""

    def __init__(
        self,
        change: Change,
        row: int,
        known: Sequence[Face],
        ids: set[str],
        merged: Merged,
        *,
        prefer_file: bool,
        twins: bool,
    ):
        self._change, self._row, self._merged = change, row, merged
        self._prefer_file, self._twins = prefer_file, twins
        self._unmade = {face.id: face for face in known if face.reason == _UNDONE}
        self._known = [face for face in known if face.reason != _UNDONE]
        self._ids = ids

    def take(self, coming: Sequence[Incoming]) -> list[tuple[str, Incoming, bool]]:
        """(id of the face, what came, whether it takes the place of what is there) of those at whose place it is."""
        coming = list(coming) if self._twins else self._singles(coming)
        found = same_faces([one.face for one in coming], self._known)
        placed = []
        for index, one in enumerate(coming):
            before = self._known[found[index]] if index in found else None
            after = self._add(one.face) if before is None else self._update(before, one.face)
            if same_place(after, one.face):
                placed.append((after.id, one, before is None or self._prefer_file))
        return placed

    def _singles(self, coming: Sequence[Incoming]) -> list[Incoming]:
        """One of each face of which the file has several pictures: the first."""
        chosen: list[Incoming] = []
        for one in coming:
            if any(distance_of(one.face, other.face) < _DOUBLE for other in chosen):
                self._merged.doubled += 1
            else:
                chosen.append(one)
        return chosen

    def _add(self, face: Face) -> Face:
        self._merged.added += 1
        face = replace(face, id=self._free_id(face))
        self._ids.add(face.id)
        before = self._unmade.pop(face.id, None)
        if before is not None:
            values = {name: getattr(face, name) for name in ("box", "landmarks", "origin", "status", "reason", "extra")}
            return self._change.update(before, **values)
        self._change.add(self._row, face)
        return face

    def _free_id(self, face: Face) -> str:
        """The id that a face says, or that of its place; another one where two faces have the same place."""
        identity, twin = face.id or birth_id(face.frame, points_of(face)), 0
        while identity in self._ids and identity not in self._unmade:
            twin += 1
            identity = birth_id(face.frame, points_of(face), twin)
        return identity

    def _update(self, before: Face, face: Face) -> Face:
        same = same_place(before, face)
        values: dict[str, Any] = {}
        if self._prefer_file:
            values = {"status": "kept", "reason": ""}
            values |= {} if same else {"box": face.box, "landmarks": face.landmarks, "origin": face.origin}
        if face.extra and (same or self._prefer_file):
            values["extra"] = {**before.extra, **face.extra}
        self._merged.not_kept_here += before.status != "kept" and not self._prefer_file
        if self._prefer_file and not (same and before.status == "kept"):
            self._merged.updated += 1
        else:
            self._merged.kept += 1
        return self._change.update(before, **values)


def _frames(connection: sqlite3.Connection, coming: Sequence[IncomingFrame], merged: Merged) -> dict[str, int]:
    """Number in the table of every frame, those that are new added."""
    known = frames.frame_ids(connection)
    with connection:
        source = frames.add_source(connection)
        for frame in coming:
            name = frame.row.name
            if name not in known:
                known[name] = frames.add_frame(connection, source, frame.row)
                merged.frames.append(name)
            elif frame.row.extra or frame.row.width:
                frames.note_more(connection, known[name], frame.row)
    return known


def _faces_by_frame(connection: sqlite3.Connection) -> dict[str, list[Face]]:
    found: dict[str, list[Face]] = {}
    for face in faces(connection, ""):
        found.setdefault(face.frame, []).append(face)
    return found


def _note_derived(connection: sqlite3.Connection, placed: Sequence[tuple[str, Incoming, bool]], merged: Merged) -> None:
    """Masks, identities and thumbnails of faces that are where the file says they are."""
    there = _derived(connection)
    # By id, as the tables are ordered: so that they grow at their end.
    ordered = sorted(placed, key=itemgetter(0))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(ordered), _AT_ONCE):
            some = ordered[start : start + _AT_ONCE]
            items = [_items(face, one, there, replacing=replacing) for face, one, replacing in some]
            noted = _note(connection, [item for of_face in items for item in of_face], pool, merged)
            merged.completed += sum(face in noted and not replacing for face, _, replacing in some)


@dataclass(frozen=True, eq=False)
class _Item:
    """Something of a face that is to be kept: a mask, a vector, a thumb or found points. name: of it, if it has one."""

    face: str
    what: str
    name: str
    one: Incoming
    geometry: str


def _items(face: str, one: Incoming, there: Mapping[tuple[str, str, str], str], *, replacing: bool) -> list[_Item]:
    """What came with a face and is not there yet, all of it where it takes the place of what is there."""
    geometry = geometry_of(one.face.frame, points_of(one.face))
    wanted = [("mask", kind) for kind in one.masks] + [("vector", name) for name in one.vectors]
    wanted += [("thumb", "")] if one.thumb else []
    wanted += [("found points", geometry)] if one.found_points else []
    return [
        _Item(face, what, name, one, geometry)
        for what, name in sorted(wanted)
        if replacing or there.get((face, what, name)) != geometry
    ]


def _derived(connection: sqlite3.Connection) -> dict[tuple[str, str, str], str]:
    """(face, what, name) -> geometry of all masks, identities, thumbnails and points before smoothing."""
    queries = {
        "mask": "SELECT face, kind, geometry FROM frame_masks",
        "vector": "SELECT face, embedder, geometry FROM vectors",
        "thumb": "SELECT face, '', geometry FROM thumbs",
        "found points": "SELECT face, geometry, geometry FROM smoothed",
    }
    return {
        (face, what, name): geometry
        for what, query in queries.items()
        for face, name, geometry in connection.execute(query)
    }


def _note(connection: sqlite3.Connection, items: Sequence[_Item], pool: ThreadPoolExecutor, merged: Merged) -> set[str]:
    """Keep what came with faces; returns the ids of those that got something."""
    parts = [item for item in items if item.what == "mask"]
    made = pool.map(_masks, [parts[start : start + _MASKS] for start in range(0, len(parts), _MASKS)])
    masks = [found for some in made for found in some]
    merged.remarks["masks that are damaged"] += len(parts) - len(masks)
    frame_masks.note_masks(connection, masks)
    others = [item for item in items if item.what != "mask"]
    vectors = [item for item in others if item.what == "vector"]
    thumbs = [item for item in others if item.what == "thumb"]
    points = [item for item in others if item.what == "found points"]
    made_vectors = ((item.face, item.name, item.geometry, item.one.vectors[item.name]) for item in vectors)
    measured.note_made_vectors(connection, made_vectors)
    measured.note_thumbs(connection, ((item.face, item.one.thumb or b"") for item in thumbs))
    found_points = ((item.face, item.geometry, item.one.found_points or b"") for item in points)
    measured.note_found_points(connection, found_points)
    return {face for face, _ in masks} | {item.face for item in others}


def _masks(items: Sequence[_Item]) -> list[tuple[str, FrameMask]]:
    """(face, mask) of those that are sound."""
    found = []
    for item in items:
        with suppress(CorruptFileError):
            found.append((item.face, replace(item.one.masks[item.name](), geometry=item.geometry)))
    return found
