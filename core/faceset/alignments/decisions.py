"""What a person decided by moving and deleting pictures, read off the folders; and decisions about faces by name."""

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from core.faceset.alignments.pictures import pictures_of
from core.faceset.database.brief import BriefFace, brief_faces, in_brief
from core.faceset.database.changes import Change
from core.faceset.database.images import ALIGNED, PAK
from core.faceset.steps import TRASH, read_trash_log

DELETED = "picture deleted"
IN_THE_TRASH = "in the trash"


@dataclass(frozen=True)
class Which:
    """Faces that are meant: all that agree with every field that is given.

    ids: of faces. reasons: parts of the reason for which they are not kept. persons: their names. frames: names of
    frames.
    """

    ids: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    persons: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()

    @property
    def nothing(self) -> bool:
        return not (self.ids or self.reasons or self.persons or self.frames)

    def means(self, face: BriefFace) -> bool:
        """Whether it is one of them."""
        reason = face.reason.lower()
        return (
            (not self.ids or face.id in self.ids)
            and (not self.reasons or any(part.lower() in reason for part in self.reasons))
            and (not self.persons or face.person in self.persons)
            and (not self.frames or face.frame in self.frames)
        )


def chosen(connection: sqlite3.Connection, which: Which, status: str) -> list[BriefFace]:
    """The faces of a status that are meant.

    Raises:
        InputError: an id is of no face of this side, or a name of nobody.
    """
    require_persons(connection, which.persons)
    known = {face.id for face in brief_faces(connection, which.ids)}
    for face in which.ids:
        if face not in known:
            raise InputError("no face has this id", where=face, hint="`alignments info` and the names of files say ids")
    return [face for face in in_brief(connection, status) if which.means(face)]


def require_persons(connection: sqlite3.Connection, persons: Collection[str]) -> None:
    """Raise InputError for a name that no face has: else a slip of the fingers would choose nobody without a word."""
    known = {person for (person,) in connection.execute("SELECT DISTINCT person FROM faces") if person}
    for person in persons:
        if person not in known:
            there = f"there are: {', '.join(sorted(known)[:20])}" if known else "nobody has a name yet"
            raise InputError("nobody of that name", where=person, hint=f"{there}; `alignments tracks` finds people")


def taken_away(connection: sqlite3.Connection, frames: Path, there: Collection[str]) -> dict[str, str]:
    """Kept faces whose picture was deleted or thrown into the trash: id -> reason.

    frames: the folder of the side. there: the names of the images in ``aligned``. A face that never had a picture is
    not among them.
    """
    kept = {face for (face,) in connection.execute("SELECT face FROM faces WHERE status = 'kept'")}
    reasons = {entry["file"]: entry.get("reason", "") for entry in read_trash_log(frames)}
    gone = {}
    for face, pictures in pictures_of(connection).items():
        if face not in kept or any(folder == PAK or (folder == ALIGNED and name in there) for folder, name in pictures):
            continue
        thrown = [name for folder, name in pictures if folder == TRASH and (frames / TRASH / name).is_file()]
        gone[face] = _in_the_trash(reasons.get(thrown[0], "")) if thrown else DELETED
    return gone


def brought_back(connection: sqlite3.Connection, there: Collection[str]) -> list[str]:
    """Faces that are not kept although somebody put their picture into ``aligned``: ids."""
    kept = {face for (face,) in connection.execute("SELECT face FROM faces WHERE status = 'kept'")}
    return [
        face
        for face, pictures in pictures_of(connection).items()
        if face not in kept and any(folder == ALIGNED and name in there for folder, name in pictures)
    ]


def returned(connection: sqlite3.Connection, there: Collection[str]) -> list[str]:
    """Faces that were dropped because their picture was gone, and whose picture is in ``aligned`` again: ids."""
    query = "SELECT face, reason FROM faces WHERE status = 'dropped'"
    gone = {face for face, reason in connection.execute(query) if str(reason).startswith((DELETED, IN_THE_TRASH))}
    if not gone:
        return []
    return [face for face in brought_back(connection, there) if face in gone]


def drop(change: Change, found: Iterable[BriefFace], reasons: Mapping[str, str]) -> None:
    """Note that faces are not wanted. reasons: id -> reason."""
    for face in found:
        change.set(face, status="dropped", reason=reasons[face.id])


def keep(change: Change, found: Iterable[BriefFace]) -> None:
    """Note that faces are wanted after all."""
    for face in found:
        change.set(face, status="kept", reason="")


def _in_the_trash(reason: str) -> str:
    return f"{IN_THE_TRASH}: {reason}" if reason else IN_THE_TRASH
