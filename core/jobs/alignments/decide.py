"""Faces that are not wanted, and faces that are wanted after all."""

from collections import Counter
from dataclasses import dataclass

from core.errors import UsageError
from core.faceset.alignments import decisions
from core.faceset.alignments.decisions import Which
from core.faceset.database.brief import brief_faces
from core.faceset.database.changes import changing
from core.jobs.alignments.names import give_names_back
from core.jobs.alignments.opened import opened_faces, require_loose
from core.workspace import Workspace


@dataclass(frozen=True)
class Decided:
    """What was decided.

    faces: how many have another status now. reasons: reason -> how many, of those that were dropped; of those that came
    back, what they had not been kept for. without_picture: faces that came back and have no picture in ``aligned`` yet.
    returned: faces that are kept again because their picture is back. renamed: files that got another name.
    """

    faces: int
    reasons: dict[str, int]
    without_picture: int = 0
    returned: int = 0
    renamed: int = 0


def remove_faces(workspace: Workspace, name: str, *, rename: bool = False) -> Decided:
    """Drop the faces of a side whose pictures somebody deleted from ``aligned``, or that are in its trash.

    Those that were dropped so and whose picture is back are kept again. rename: the other pictures get the names back
    that they were extracted under.

    Raises:
        InputError: there is no database, or the faces are packed.
        UsageError: ``aligned`` holds no picture at all: that is no choice of some.
    """
    with opened_faces(workspace, name) as opened:
        require_loose(opened)
        if not opened.names:
            raise UsageError(
                "no picture is left, so none was chosen",
                where=str(opened.side.aligned),
                hint=f"`bash scripts/alignments.sh extract {name}` makes the pictures again",
            )
        gone = decisions.taken_away(opened.connection, opened.side.frames, opened.names)
        back = decisions.returned(opened.connection, opened.names)
        with changing(opened.connection, "remove faces", expected=len(gone) + len(back)) as change:
            decisions.drop(change, brief_faces(opened.connection, gone), gone)
            decisions.keep(change, brief_faces(opened.connection, back))
        renamed = give_names_back(opened).renamed if rename else 0
        return Decided(len(gone), dict(Counter(gone.values())), returned=len(back), renamed=renamed)


def drop_faces(workspace: Workspace, name: str, which: Which, reason: str = "dropped by hand") -> Decided:
    """Drop the faces that are meant; their pictures go to the trash of the side.

    Raises:
        UsageError: nothing says which.
        InputError: an id is of no face, or the faces are packed.
    """
    _require_some(which)
    with opened_faces(workspace, name) as opened:
        require_loose(opened)
        found = decisions.chosen(opened.connection, which, "kept")
        with changing(opened.connection, f"drop: {reason}", expected=len(found)) as change:
            decisions.drop(change, found, {face.id: reason for face in found})
        return Decided(len(found), {reason: len(found)} if found else {})


def restore_faces(workspace: Workspace, name: str, which: Which, *, moved: bool = False) -> Decided:
    """Keep faces that were filtered or dropped.

    which: those that are meant. moved: those whose picture somebody put into ``aligned``.

    Raises:
        UsageError: nothing says which.
        InputError: an id is of no face.
    """
    if not moved:
        _require_some(which)
    with opened_faces(workspace, name) as opened:
        found = {} if which.nothing else {face.id: face for face in _not_kept(opened.connection, which)}
        if moved:
            back = decisions.brought_back(opened.connection, opened.names)
            found |= {face.id: face for face in brief_faces(opened.connection, back)}
        with changing(opened.connection, "restore faces", expected=len(found)) as change:
            decisions.keep(change, found.values())
        reasons = dict(Counter(face.reason for face in found.values()))
    with opened_faces(workspace, name) as opened:
        return Decided(len(found), reasons, _without_picture(opened.connection, set(found)))


def _not_kept(connection, which: Which):
    return [face for status in ("filtered", "dropped") for face in decisions.chosen(connection, which, status)]


def _without_picture(connection, ids: set[str]) -> int:
    shown = {face for (face,) in connection.execute("SELECT face FROM images WHERE folder = 'aligned'")}
    return len(ids - shown)


def _require_some(which: Which) -> None:
    if which.nothing:
        raise UsageError("which faces?", hint="--id, --reason, --person or --frame say which")
