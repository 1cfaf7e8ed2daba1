"""Put the metadata kept by save-metadata back into faces that lost it in an image editor."""

from core.options import SideOptions
from core.types import StageReport
from core.workspace import Workspace


class Options(SideOptions):
    pass


def run(options: Options, workspace: Workspace) -> StageReport:
    with workspace.side(options.side).locked():
        return _restore(options, workspace)


def _restore(options: Options, workspace: Workspace) -> StageReport:
    from core.errors import InputError
    from core.faceset import journal, saved_metadata
    from core.workspace import list_images

    side = workspace.side(options.side)
    journal.finish(side.frames)
    paths = list_images(side.aligned)
    if not paths:
        raise InputError("no loose faces", where=side.aligned)
    done = saved_metadata.restore(side.database, paths, journal.original_names(side.frames))
    warnings = tuple(f"not restored: {name}: {why}" for name, why in done.problems[:20])
    rows = (
        ("restored", done.done),
        ("of these at another size", done.scaled),
        ("had their metadata", done.kept),
        ("not restored", len(done.problems)),
    )
    return StageReport(f"metadata of {options.side} restored", rows, warnings, (side.aligned,))
