"""What the database says, and what is missing or too much: nothing is changed but where somebody asks for a choice."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.faceset.alignments import checks, decisions
from core.faceset.alignments.statistics import MISALIGNED, Statistics, misaligned_faces, statistics
from core.faceset.database import faces
from core.faceset.database.brief import brief_faces
from core.faceset.database.changes import changing
from core.faceset.database.connection import open_database
from core.fsio import write_text
from core.jobs.alignments.frames_again import source_again
from core.jobs.alignments.opened import opened_faces, require_loose
from core.safe_paths import own_folder
from core.types import Face
from core.workspace import Side, Workspace, list_frames, natural_key

NOT_PICKED = "another face of the frame is the one"


@dataclass(frozen=True)
class Looked:
    """What a side has. misaligned: the faces whose points are far from any face, the farthest first."""

    statistics: Statistics
    misaligned: tuple[Face, ...]
    packed: bool


@dataclass(frozen=True)
class Listed:
    """What a check found: name -> remark, in order. files: where it was written, where that was asked for."""

    found: dict[str, str]
    files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Picked:
    """Frames with several faces. frames: name -> ids of its kept faces. dropped: how many of them were dropped."""

    frames: dict[str, tuple[str, ...]]
    dropped: int
    files: tuple[Path, ...] = ()


def info(workspace: Workspace, name: str, misaligned: float = MISALIGNED) -> Looked:
    """Count everything that the database of a side says.

    misaligned: the mean distance of landmarks from the mean face beyond which they are, sides of its square.
    """
    side = workspace.side(name)
    with open_database(side.database) as connection:
        found = statistics(connection, misaligned)
        far = [face for identity in found.misaligned if (face := faces.find_face(connection, identity))]
        return Looked(found, tuple(far), side.pak.exists())


def no_faces(workspace: Workspace, name: str, *, write: bool = False) -> Listed:
    """Frames that hold no kept face."""
    side = workspace.side(name)
    with open_database(side.database) as connection:
        found = dict.fromkeys(sorted(checks.frames_without_faces(connection), key=natural_key), "")
    return _listed(side, "no_faces", found, write=write)


def missing_alignments(workspace: Workspace, name: str, *, write: bool = False) -> Listed:
    """Frames of a side that nobody looked at."""
    side = workspace.side(name)
    with open_database(side.database) as connection:
        there = source_again(connection, side).names
        found = dict.fromkeys(checks.unknown_frames(connection, there), "")
    return _listed(side, "missing_alignments", found, write=write)


def missing_frames(workspace: Workspace, name: str, *, write: bool = False) -> Listed:
    """Frames that were looked at and are not there any more."""
    side = workspace.side(name)
    with open_database(side.database) as connection:
        # Frames that came from the film need no file.
        there = source_again(connection, side).names
        beside = [path.name for path in list_frames(side.frames)]
        gone = checks.missing_frames(connection, {*there, *beside})
        found = dict.fromkeys(sorted(gone, key=natural_key), "")
    return _listed(side, "missing_frames", found, write=write)


def leftover(workspace: Workspace, name: str, *, write: bool = False) -> Listed:
    """Pictures in ``aligned`` that belong to no kept face."""
    with opened_faces(workspace, name) as opened:
        left = checks.leftovers(opened.connection, opened.names)
        found = {name: left[name] for name in sorted(left, key=natural_key)}
    return _listed(workspace.side(name), "leftover", found, write=write)


def multi_faces(
    workspace: Workspace, name: str, *, pick: bool = False, person: str = "", write: bool = False
) -> Picked:
    """Frames with several faces.

    pick: keep the most likely one of each and drop the others, as one change. person: who is wanted; else the person
    with most faces counts, then the longest track, then the largest face.
    """
    with opened_faces(workspace, name) as opened:
        connection = opened.connection
        if pick:
            require_loose(opened)
        several = checks.frames_with_several(connection)
        others: dict[str, str] = {}
        if pick:
            known = checks.faces_by_person(connection)
            for rivals in several.values():
                best = checks.pick(rivals, known, person)
                others |= {rival.face: NOT_PICKED for rival in rivals if rival is not best}
        with changing(connection, "pick one face a frame", expected=len(others)) as change:
            decisions.drop(change, brief_faces(connection, others), others)
    frames = {frame: tuple(rival.face for rival in several[frame]) for frame in sorted(several, key=natural_key)}
    remarks = {frame: " ".join(ids) for frame, ids in frames.items()}
    return Picked(frames, len(others), _listed(workspace.side(name), "multi_faces", remarks, write=write).files)


def repair_list(workspace: Workspace, name: str, misaligned: float = MISALIGNED) -> Listed:
    """Everything that a person should look at: frames without faces and with several, misaligned faces.

    found: name of a frame -> what to look at there. The list is written into ``aligned_views``.
    """
    side = workspace.side(name)
    with open_database(side.database) as connection:
        found: dict[str, list[str]] = {frame: ["no face"] for frame in checks.frames_without_faces(connection)}
        for frame, rivals in checks.frames_with_several(connection).items():
            found.setdefault(frame, []).append(f"{len(rivals)} faces: {' '.join(rival.face for rival in rivals)}")
        for identity in misaligned_faces(connection, misaligned)[0]:
            face = faces.find_face(connection, identity)
            if face is not None:
                found.setdefault(face.frame, []).append(f"misaligned: {identity}")
    remarks = {frame: "; ".join(found[frame]) for frame in sorted(found, key=natural_key)}
    return _listed(side, "repair_list", remarks, write=True)


def _listed(side: Side, what: str, found: Mapping[str, str], *, write: bool) -> Listed:
    return Listed(dict(found), _written(side, what, found) if write else ())


def _written(side: Side, what: str, found: Mapping[str, str]) -> tuple[Path, ...]:
    """The list as text and as JSON, for people and for programs."""
    folder = own_folder(side.aligned_views)
    text, data = folder / f"{what}.txt", folder / f"{what}.json"
    write_text(text, "".join(f"{name}\t{remark}".rstrip() + "\n" for name, remark in found.items()))
    write_text(data, json.dumps(found, indent=1))
    return text, data
