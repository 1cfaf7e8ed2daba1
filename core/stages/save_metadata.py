"""Keep the metadata of all faces in faces.db, before editing the pictures in an image editor."""

from core.options import SideOptions
from core.types import StageReport
from core.workspace import Workspace


class Options(SideOptions):
    pass


def run(options: Options, workspace: Workspace) -> StageReport:
    with workspace.side(options.side).locked():
        return _save(options, workspace)


def _save(options: Options, workspace: Workspace) -> StageReport:
    from core.errors import InputError
    from core.faceset import journal, saved_metadata
    from core.workspace import list_images

    side = workspace.side(options.side)
    journal.finish(side.frames)
    paths = list_images(side.aligned)
    if not paths:
        raise InputError(
            "no loose faces",
            where=side.aligned,
            hint="a packed faceset cannot be edited: python -m core unpack SIDE comes first",
        )
    done = saved_metadata.save(side.database, paths, journal.original_names(side.frames))
    warnings = tuple(f"not saved: {name}: {why}" for name, why in done.problems[:20])
    return StageReport(
        f"metadata of {options.side} saved",
        (("faces", done.done), ("not saved", len(done.problems))),
        warnings,
        (side.database,),
    )
