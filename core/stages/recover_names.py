"""Rename faces after the frames they came from, undoing the names that sorting gave."""

from core.options import SideOptions
from core.types import StageReport
from core.workspace import Workspace


class Options(SideOptions):
    pass


def run(options: Options, workspace: Workspace) -> StageReport:
    with workspace.side(options.side).locked():
        return _recover(options, workspace)


def _recover(options: Options, workspace: Workspace) -> StageReport:
    from core.errors import InputError
    from core.faceset import journal, recover, store
    from core.workspace import list_images

    side = workspace.side(options.side)
    journal.finish(side.frames)
    paths = list_images(side.aligned)
    if not paths:
        raise InputError(
            "no loose faces",
            where=side.aligned,
            hint="python -m core unpack SIDE makes loose faces of a packed faceset",
        )
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
