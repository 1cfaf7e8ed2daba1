"""Put the metadata kept by save-metadata back into faces that lost it in an image editor."""

from core.jobs.side import loose_faces, opened_side
from core.options import SideOptions
from core.types import StageReport
from core.workspace import Side, Workspace


class Options(SideOptions):
    pass


def run(options: Options, workspace: Workspace) -> StageReport:
    with opened_side(workspace, options.side) as side:
        return _restore(options, side)


def _restore(options: Options, side: Side) -> StageReport:
    from core.faceset import journal, saved_metadata

    paths = loose_faces(side)
    done = saved_metadata.restore(side.database, paths, journal.original_names(side.frames))
    warnings = tuple(f"not restored: {name}: {why}" for name, why in done.problems[:20])
    rows = (
        ("restored", done.done),
        ("of these at another size", done.scaled),
        ("had their metadata", done.kept),
        ("not restored", len(done.problems)),
    )
    return StageReport(f"metadata of {options.side} restored", rows, warnings, (side.aligned,))
