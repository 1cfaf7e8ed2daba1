"""Keep the metadata of all faces in faces.db, before editing the pictures in an image editor."""

from core.jobs.side import loose_faces, opened_side
from core.options import SideOptions
from core.types import StageReport
from core.workspace import Side, Workspace


class Options(SideOptions):
    pass


def run(options: Options, workspace: Workspace) -> StageReport:
    with opened_side(workspace, options.side) as side:
        return _save(options, side)


def _save(options: Options, side: Side) -> StageReport:
    from core.faceset import journal, saved_metadata

    paths = loose_faces(side)
    done = saved_metadata.save(side.database, paths, journal.original_names(side.frames))
    warnings = tuple(f"not saved: {name}: {why}" for name, why in done.problems[:20])
    return StageReport(
        f"metadata of {options.side} saved",
        (("faces", done.done), ("not saved", len(done.problems))),
        warnings,
        (side.database,),
    )
