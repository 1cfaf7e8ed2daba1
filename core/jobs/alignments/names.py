"""The order of the faces of a frame, and names of files after it."""

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from core.faceset import journal
from core.faceset.database import faces, images
from core.faceset.database.brief import PlacedFace, placed_faces
from core.faceset.database.changes import changing
from core.faceset.identity import INDEX
from core.faceset.journal import ALIGNED, Move
from core.jobs.alignments.opened import OpenedFaces, opened_faces
from core.workspace import Workspace


@dataclass(frozen=True)
class Renamed:
    """renamed: files that got another name. kept: those that had the right one."""

    renamed: int
    kept: int


@dataclass(frozen=True)
class Sorted:
    """faces: how many have another place in their frame now. renamed: files that got another name."""

    faces: int
    renamed: int


def rename(workspace: Workspace, name: str) -> Renamed:
    """Give the pictures of a side the names that they were extracted under, or that ``sort`` has decided.

    It is a step of the journal, which ``sort --undo`` takes back.

    Raises:
        InputError: there is no database, or a name is taken by another file.
    """
    with opened_faces(workspace, name) as opened:
        return give_names_back(opened)


def give_names_back(opened: OpenedFaces) -> Renamed:
    """The same of a side that is open."""
    rows = [row for row in images.named_files(opened.connection, ALIGNED) if row.name in opened.names]
    chosen = {
        face: f"{os.path.splitext(frame)[0]}_{extra[INDEX]}"
        for face, frame, extra in faces.extras(opened.connection)
        if INDEX in extra
    }
    wanted = {}
    for row in rows:
        stem, suffix = chosen.get(row.face), os.path.splitext(row.name)[1]
        wanted[row.name] = row.extracted_name if stem is None else f"{stem}{suffix}"
    apart = _apart(wanted, opened.names).items()
    moves = [Move(f"{ALIGNED}/{old}", f"{ALIGNED}/{new}") for old, new in apart if old != new]
    step = journal.begin(opened.side.frames, "give names back", moves)
    renamed = len(step.moves) if step else 0
    return Renamed(renamed, len(rows) - renamed)


def sort_by_position(workspace: Workspace, name: str) -> Sorted:
    """Count the faces of each frame from left to right, and name their files so."""
    with opened_faces(workspace, name) as opened:
        by_frame: dict[str, list[PlacedFace]] = defaultdict(list)
        for face in placed_faces(opened.connection):
            by_frame[face.frame].append(face)
        with changing(opened.connection, "sort by position", expected=sum(map(len, by_frame.values()))) as change:
            for found in by_frame.values():
                for index, face in enumerate(sorted(found, key=lambda face: face.left)):
                    if face.extra.get(INDEX) != index:
                        change.set(face, extra={**face.extra, INDEX: index})
            count = change.faces
        return Sorted(count, give_names_back(opened).renamed)


def _apart(wanted: dict[str, str], there: frozenset[str]) -> dict[str, str]:
    """The names, each once: of two files that want one, and where another file stays under it, one gets a number."""
    taken = {name.lower() for name in there - wanted.keys()}
    apart = {}
    for old, new in wanted.items():
        candidate, number = new, 1
        while candidate.lower() in taken:
            number += 1
            candidate = f"{Path(new).stem}~{number}{Path(new).suffix}"
        taken.add(candidate.lower())
        apart[old] = candidate
    return apart
