"""All about one face, for the panel beside the grid."""

import sqlite3
from typing import Any

import numpy as np

from core.errors import PipelineError
from core.faceset import steps
from core.faceset.database import faces
from core.faceset.database.cells import restored
from core.faceset.database.connection import open_database
from core.types import Face
from core.workbench.answers import Missing
from core.workbench.faces.columns import Found
from core.workbench.sides.side_view import SideView

_MOST = 40  # changes and names of one face


def about(view: SideView, identity: str, found: dict[str, Found]) -> dict[str, Any]:
    """Where a face is, what became of it, its numbers, its names and changes (JSON values).

    Raises:
        Missing: there is no such face.
    """
    _, table = view.table()
    place = np.flatnonzero(table.ids == np.uint64(int(identity, 16)))
    with open_database(view.side.database) as connection:
        face = faces.find_face(connection, identity)
        if face is None or not len(place):
            raise Missing("no face has this id", where=identity)
        said = _said(face)
        said["changes"] = _changes(connection, identity)
        said["names"] = _names(view, connection, identity)
        said["frame_size"] = _frame_size(connection, face.frame)
    row = int(place[0])
    said["frame_number"] = int(table.frames[row])
    said["others"] = [_corners(table, int(other)) for other in np.flatnonzero(table.frames == table.frames[row])]
    said["numbers"] = {name: float(column[row]) for name, column in table.numbers.items() if np.isfinite(column[row])}
    said["words"] = {name: known[int(codes[row])] for name, (codes, known) in table.words.items()}
    shown = table.pictures.get(identity)
    said["picture"] = None if shown is None else {"folder": shown.folder, "name": _clean(shown.name)}
    rejected = said["words"]["rejected"].split(", ")
    said["verdicts"] = [
        {"verdict": verdict, "sentence": sentence, "rejected": verdict in rejected}
        for one in found.values()
        for verdict, sentence in one.said.get(identity, ())
    ]
    return said


def _said(face: Face) -> dict[str, Any]:
    points = None if face.landmarks is None else np.round(face.landmarks, 2).tolist()
    return {"id": face.id, "frame": _clean(face.frame), "box": _known(face.box.tolist()), "points": points}


def _corners(table: Any, row: int) -> list[float | None]:
    return _known([float(table.numbers[name][row]) for name in ("left", "top", "right", "bottom")])


def _known(numbers: list[float]) -> list[float | None]:
    """JSON has no NaN."""
    return [number if np.isfinite(number) else None for number in numbers]


def _clean(name: str) -> str:
    """A file name as text that can be sent: what is no text becomes question marks."""
    return name.encode("utf-8", "replace").decode()


def _frame_size(connection: sqlite3.Connection, frame: str) -> list[int] | None:
    row = connection.execute("SELECT width, height FROM frames WHERE name = ?", (frame,)).fetchone()
    return [row[0], row[1]] if row and row[0] and row[1] else None


def _changes(connection: sqlite3.Connection, identity: str) -> list[dict[str, Any]]:
    query = """
    SELECT DISTINCT changes.change, time, tool, undone FROM edits JOIN changes ON changes.change = edits.change
    WHERE edits.face = ? ORDER BY changes.change DESC LIMIT ?
    """
    rows = connection.execute(query, (identity, _MOST))
    return [{"number": row[0], "time": row[1], "tool": row[2], "undone": bool(row[3])} for row in rows]


def _names(view: SideView, connection: sqlite3.Connection, identity: str) -> list[dict[str, str]]:
    """Where its file was, the newest first: now, before each move, and as it was extracted."""
    query = "SELECT folder, name, extracted_name FROM images WHERE face = ? ORDER BY image LIMIT 1"
    row = connection.execute(query, (identity,)).fetchone()
    if row is None:
        return []
    folder, name, extracted = str(row[0]), restored(row[1]), restored(row[2])
    path = f"{folder}/{name}"
    found = [{"name": _clean(path), "why": "now"}]
    for step in _steps(view):
        before = {target: source for source, target in step.pairs()}.get(path)
        if before is not None and len(found) < _MOST:
            path = before
            found.append({"name": _clean(path), "why": f"before: {step.what}, {step.time}"})
    if path.rpartition("/")[2] != extracted:
        found.append({"name": _clean(extracted), "why": "as extracted"})
    return found


def _steps(view: SideView) -> list[steps.Step]:
    """The moves of files, the newest first."""
    try:
        return steps.steps(view.side.frames)[::-1]
    except PipelineError:
        return []  # a damaged journal is told of by whoever moves files
