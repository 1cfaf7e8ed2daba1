"""Files follow what was decided: the file of a face that is not kept goes to the trash, and comes back from there.

The change of the database comes first and says in ``state`` that files are to follow; a run that is killed in between
leaves that note, and the next job on the side moves them. Moving goes through the journal.
"""

import sqlite3
from pathlib import Path

from core.faceset import journal
from core.faceset.alignments.pictures import pictures_of
from core.faceset.database.cells import TEXT, checked_rows
from core.faceset.database.changes import unsettled
from core.faceset.sorting.trash import free_name
from core.faceset.steps import ALIGNED, TRASH, Move


def settle(connection: sqlite3.Connection, frames: Path) -> int:
    """Move the files of the faces whose status changed; returns how many moved. frames: the folder of the side."""
    changes = unsettled(connection)
    if not changes:
        return 0
    moves = _moves(connection, frames, changes)
    journal.begin(frames, f"follow change {', '.join(map(str, changes))}", moves)
    with connection:
        connection.execute("DELETE FROM state WHERE key = 'unsettled'")
    return len(moves)


def _moves(connection: sqlite3.Connection, frames: Path, changes: list[int]) -> list[Move]:
    places = ", ".join("?" for _ in changes)
    query = f"""
    SELECT face, status, reason FROM faces WHERE face IN (SELECT face FROM edits WHERE change IN ({places}))
    """
    rows = list(checked_rows(connection.execute(query, changes), (TEXT, TEXT, TEXT), "faces"))
    pictures = pictures_of(connection)
    taken: set[str] = set()
    moves = []
    for face, status, reason in rows:
        here, there = (ALIGNED, TRASH) if status != "kept" else (TRASH, ALIGNED)
        for folder, name in pictures.get(face, []):
            if folder == here and (frames / folder / name).is_file() and not _shown(frames, pictures, face, there):
                target = free_name(frames / there, name, taken)
                moves.append(Move(f"{folder}/{name}", f"{there}/{target}", reason or "restored"))
    return moves


def _shown(frames: Path, pictures: dict[str, list[tuple[str, str]]], face: str, folder: str) -> bool:
    """Whether a kept face has a file in ``aligned`` already: then what is in the trash stays there."""
    if folder != ALIGNED:
        return False
    return any(place == ALIGNED and (frames / place / name).is_file() for place, name in pictures.get(face, []))
