"""Rename faces after the frames they came from, undoing the names that sorting gave."""

from core.jobs.side import loose_faces, opened_side
from core.options import SideOptions
from core.types import StageReport
from core.workspace import Side, Workspace


class Options(SideOptions):
    pass


def run(options: Options, workspace: Workspace) -> StageReport:
    with opened_side(workspace, options.side) as side:
        return _recover(options, side)


def _recover(options: Options, side: Side) -> StageReport:
    from core.faceset import journal, recover, store

    paths = loose_faces(side)
    records, problems = store.read_records(paths)
    names, unknown = recover.original_names(records, {path.name for path in paths})
    step = journal.begin(
        side.frames,
        "recover names",
        [journal.Move(f"{journal.ALIGNED}/{old}", f"{journal.ALIGNED}/{new}") for old, new in names.items()],
    )
    renamed = len(step.moves) if step else 0
    warnings = tuple(f"name kept: {name}: {why}" for name, why in [*problems, *unknown][:20])
    rows = (("faces", len(records)), ("renamed", renamed), ("kept", len(problems) + len(unknown)))
    return StageReport(f"names of {options.side} recovered", rows, warnings, (side.aligned,))
