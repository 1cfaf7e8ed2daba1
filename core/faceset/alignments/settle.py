"""Files follow what was decided: the file of a face that is not kept goes to the trash, and comes back from there;
polygons that were drawn are written into it.

The change of the database comes first and says in ``state`` that files are to follow; a run that is killed in between
leaves that note, and the next job on the side moves them. Moving goes through the journal.
"""

import sqlite3
from pathlib import Path

from core.faceset import journal
from core.faceset.alignments import drawn
from core.faceset.database.cells import NAME, TEXT, checked_name, checked_rows, restored
from core.faceset.database.changes import unsettled
from core.faceset.sorting.trash import free_name, names_taken
from core.faceset.steps import ALIGNED, TRASH, Move
from core.workspace import names_in


def settle(connection: sqlite3.Connection, frames: Path) -> int:
    """Move the files of the faces whose status changed; returns how many moved. frames: the folder of the side.

    Polygons are written where they are then.
    """
    changes = unsettled(connection)
    if not changes:
        return 0
    moves = _moves(connection, frames, changes)
    journal.begin(frames, f"follow change {', '.join(map(str, changes))}", moves)
    drawn.write(connection, frames, changes)
    with connection:
        connection.execute("DELETE FROM state WHERE key = 'unsettled'")
    return len(moves)


def _moves(connection: sqlite3.Connection, frames: Path, changes: list[int]) -> list[Move]:
    there = {folder: set(names_in(frames / folder)) for folder in (ALIGNED, TRASH)}
    places = ", ".join("?" for _ in changes)
    query = f"""
    SELECT faces.face, status, reason, folder, name FROM faces JOIN images ON images.face = faces.face
    WHERE folder IN ('{ALIGNED}', '{TRASH}') AND faces.face IN (SELECT face FROM edits WHERE change IN ({places}))
    ORDER BY image
    """
    rows = checked_rows(connection.execute(query, changes), (TEXT, TEXT, TEXT, TEXT, NAME), "images")
    pictures = [(*row[:4], checked_name(restored(row[4]), "images")) for row in rows]
    # What is in the trash of a face that has a file in ``aligned`` already stays there.
    shown = {face for face, _, _, folder, name in pictures if folder == ALIGNED and name in there[ALIGNED]}
    taken = {folder: names_taken(frames / folder) for folder in (ALIGNED, TRASH)}
    moves = []
    for face, status, reason, folder, name in pictures:
        here, target = (ALIGNED, TRASH) if status != "kept" else (TRASH, ALIGNED)
        if folder == here and name in there[here] and not (here == TRASH and face in shown):
            free = free_name(name, taken[target])
            moves.append(Move(f"{folder}/{name}", f"{target}/{free}", reason or "restored"))
    return moves
