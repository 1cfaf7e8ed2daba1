"""The names that faces had when they were extracted, given back."""

from dataclasses import dataclass
from pathlib import Path

from core.faceset import journal, recover, store
from core.faceset.journal import ALIGNED, Move
from core.jobs.side import loose_faces, opened_side
from core.workspace import Workspace


@dataclass(frozen=True)
class Recovered:
    """What recovering did.

    faces: files with face metadata.
    renamed: files that got another name.
    kept: (file name, why) of files that keep theirs.
    folder: where they are.
    """

    faces: int
    renamed: int
    kept: tuple[tuple[str, str], ...]
    folder: Path


def recover_names(workspace: Workspace, side_name: str) -> Recovered:
    """Name the loose faces of a side after the frames they came from; one change that can be undone.

    Raises:
        InputError: there are no loose faces, or another run holds the side.
    """
    with opened_side(workspace, side_name) as side:
        paths = loose_faces(side)
        records, problems = store.read_records(paths)
        names, unknown = recover.original_names(records, {path.name for path in paths})
        moves = [Move(f"{ALIGNED}/{old}", f"{ALIGNED}/{new}") for old, new in names.items()]
        step = journal.begin(side.frames, "recover names", moves)
        return Recovered(len(records), len(step.moves) if step else 0, (*problems, *unknown), side.aligned)
