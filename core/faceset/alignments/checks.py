"""Lists of what is missing or too much: frames without faces, frames with several, files that nobody knows."""

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass

from core.faceset.database.cells import NAME, TEXT, WHOLE, checked_rows, restored


@dataclass(frozen=True)
class Rival:
    """One of several kept faces of a frame. area: of its box, square pixels; track_length: faces of its track."""

    face: str
    frame: str
    person: str
    track: int
    track_length: int
    area: float


def frames_without_faces(connection: sqlite3.Connection) -> list[str]:
    """Names of frames that could be read and hold no kept face."""
    query = """
    SELECT name FROM frames WHERE status <> 'corrupt' AND NOT EXISTS
      (SELECT 1 FROM faces WHERE faces.frame = frames.frame AND faces.status = 'kept')
    ORDER BY name
    """
    return [restored(name) for (name,) in checked_rows(connection.execute(query), (NAME,), "frames")]


def frames_with_several(connection: sqlite3.Connection) -> dict[str, list[Rival]]:
    """Name of a frame -> its kept faces, of frames that have more than one."""
    query = """
    SELECT frames.name, face, person, track, COALESCE(("right" - "left") * (bottom - top), 0.0)
    FROM faces JOIN frames ON frames.frame = faces.frame
    WHERE faces.status = 'kept' AND faces.frame IN
      (SELECT frame FROM faces WHERE status = 'kept' GROUP BY frame HAVING COUNT(*) > 1)
    ORDER BY frames.name, face
    """
    lengths = _track_lengths(connection)
    kinds = (NAME, TEXT, TEXT, WHOLE, (int, float))
    found: dict[str, list[Rival]] = {}
    for name, face, person, track, area in checked_rows(connection.execute(query), kinds, "faces"):
        frame = restored(name)
        rival = Rival(face, frame, person, track, lengths.get(track, 0) if track else 0, area)
        found.setdefault(frame, []).append(rival)
    return found


def pick(rivals: list[Rival], faces_of: dict[str, int], person: str = "") -> Rival:
    """The face of a frame that most likely is the one: of the person, else of the person with most faces, then of the
    longest track, then the largest.

    faces_of: name of a person -> how many faces of a side are theirs. person: the one who is wanted.
    """

    def merit(rival: Rival) -> tuple[bool, int, int, float]:
        wanted = bool(person) and rival.person == person
        known = faces_of.get(rival.person, 0) if rival.person else 0
        return wanted, known, rival.track_length, rival.area

    return max(rivals, key=merit)


def faces_by_person(connection: sqlite3.Connection) -> dict[str, int]:
    """Name of a person -> how many kept faces are theirs."""
    query = "SELECT person, COUNT(*) FROM faces WHERE status = 'kept' GROUP BY person"
    return dict(checked_rows(connection.execute(query), (TEXT, WHOLE), "faces"))


def unknown_frames(connection: sqlite3.Connection, there: Collection[str]) -> list[str]:
    """Frames on the disk (``there``) that nobody looked at, in that order."""
    known = _frames(connection)
    return [name for name in there if name not in known]


def missing_frames(connection: sqlite3.Connection, there: Collection[str]) -> list[str]:
    """Frames that were looked at and are not on the disk (``there``) any more, by name."""
    present = set(there)
    return sorted(name for name in _frames(connection) if name not in present)


def leftovers(connection: sqlite3.Connection, there: Collection[str]) -> dict[str, str]:
    """Images in ``aligned`` (``there``) that belong to no kept face: name -> why."""
    query = """
    SELECT images.name, faces.status, faces.reason FROM images JOIN faces ON faces.face = images.face
    WHERE images.folder = 'aligned'
    """
    rows = checked_rows(connection.execute(query), (NAME, TEXT, TEXT), "images")
    known = {restored(name): (status, reason) for name, status, reason in rows}
    found = {}
    for name in there:
        status, reason = known.get(name, ("", ""))
        if not status:
            found[name] = "it shows no face that is known"
        elif status != "kept":
            found[name] = f"its face is {status}: {reason}"
    return found


def _frames(connection: sqlite3.Connection) -> set[str]:
    rows = checked_rows(connection.execute("SELECT name FROM frames"), (NAME,), "frames")
    return {restored(name) for (name,) in rows}


def _track_lengths(connection: sqlite3.Connection) -> dict[int, int]:
    query = "SELECT track, COUNT(*) FROM faces WHERE status = 'kept' AND track > 0 GROUP BY track"
    return dict(checked_rows(connection.execute(query), (WHOLE, WHOLE), "faces"))
