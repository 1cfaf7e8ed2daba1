"""Several databases or alignments files of one film, joined into the database of a side."""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from core.errors import InputError
from core.faceset.database import frame_masks, measured
from core.faceset.database.cells import BLOB, TEXT, checked_rows
from core.faceset.database.connection import open_database
from core.faceset.database.faces import faces, floats_of
from core.faceset.database.frame_masks import FrameMask
from core.faceset.database.frames import frames
from core.faceset.exchange.incoming import Incoming, IncomingFrame
from core.faceset.exchange.merge import Merged, merge
from core.jobs.alignments.exchange.import_ import import_file
from core.jobs.alignments.exchange.opened import opened_or_new
from core.types import Face
from core.workspace import Workspace

Masks = dict[str, dict[str, Callable[[], FrameMask]]]


@dataclass(frozen=True)
class Joined:
    """What became of the faces of one file. name: of the file. faces: how many kept ones it has."""

    name: str
    faces: int
    merged: Merged


def merge_files(
    workspace: Workspace, name: str, paths: Sequence[Path], *, prefer_file: bool = False
) -> tuple[Joined, ...]:
    """Join databases of this program and alignments files of faceswap into the database of a side, one after another.

    The same face is one in about the same place of the same frame: it stays as it is here and gets what it lacks, or
    becomes what the file says with ``prefer_file``. Each file is a change of its own that can be undone.

    Raises:
        InputError: a file is not there, or it is the database of the side itself.
        CorruptFileError: one is damaged; files before it were taken in.
    """
    for path in paths:
        if not path.is_file():
            raise InputError("no such file", where=path)
        if path.resolve() == workspace.side(name).database.resolve():
            raise InputError("this is the database of the side itself", where=path)
    join = partial(_joined, workspace, name, prefer_file=prefer_file)
    return tuple(join(path) for path in paths)


def _joined(workspace: Workspace, name: str, path: Path, *, prefer_file: bool) -> Joined:
    if not _is_database(path):
        done = import_file(workspace, name, path, prefer_file=prefer_file)
        return Joined(path.name, done.faces, done.merged)
    with open_database(path) as other:
        coming = _incoming(other)
    with opened_or_new(workspace, name) as opened:
        merged = merge(opened.connection, coming, f"merge {path.name}", prefer_file=prefer_file)
    return Joined(path.name, sum(len(frame.faces) for frame in coming), merged)


def _is_database(path: Path) -> bool:
    with open(path, "rb") as stream:
        return stream.read(15) == b"SQLite format 3"


def _incoming(other: sqlite3.Connection) -> list[IncomingFrame]:
    """All frames of another database with the faces that it keeps; ids stay, so that their pictures still fit."""
    found: dict[str, list[Face]] = defaultdict(list)
    for face in faces(other):
        found[face.frame].append(replace(face, track=0))  # numbers of tracks are its own
    masks, vectors, small = _masks(other), _vectors(other), measured.thumbs(other)
    points = measured.all_found_points(other)

    def incoming(face: Face) -> Incoming:
        of_face = masks.get(face.id, {}), vectors.get(face.id, {}), small.get(face.id), points.get(face.id)
        return Incoming(face, *of_face)

    return [IncomingFrame(row, tuple(map(incoming, found[row.name]))) for row in frames(other)]


def _masks(other: sqlite3.Connection) -> Masks:
    """Those that fit their face as it is."""
    geometries = dict(checked_rows(other.execute("SELECT face, geometry FROM faces"), (TEXT, TEXT), "faces"))
    found: Masks = defaultdict(dict)
    for face, mask in frame_masks.all_masks(other):
        if geometries.get(face) == mask.geometry:
            found[face][mask.kind] = partial(_itself, mask)
    return found


def _vectors(other: sqlite3.Connection) -> dict[str, dict[str, np.ndarray]]:
    query = """
    SELECT vectors.face, embedder, vector FROM vectors
    JOIN faces ON faces.face = vectors.face AND faces.geometry = vectors.geometry
    """
    found: dict[str, dict[str, np.ndarray]] = defaultdict(dict)
    for face, embedder, blob in checked_rows(other.execute(query), (TEXT, TEXT, BLOB), "vectors"):
        found[face][embedder] = floats_of(blob, "<f4")
    return found


def _itself(mask: FrameMask) -> FrameMask:
    return mask
