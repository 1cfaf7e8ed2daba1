"""Put the metadata kept by save-metadata back into faces that lost it in an image editor."""

from core.options import SideOptions
from core.types import StageReport
from core.workspace import Workspace


class Options(SideOptions):
    pass


def run(options: Options, workspace: Workspace) -> StageReport:
    from core.jobs.faceset.metadata import restore_metadata

    done = restore_metadata(workspace, options.side)
    warnings = tuple(f"not restored: {name}: {why}" for name, why in done.problems[:20])
    rows = (
        ("restored", done.done),
        ("of these at another size", done.scaled),
        ("had their metadata", done.kept),
        ("not restored", len(done.problems)),
    )
    return StageReport(f"metadata of {options.side} restored", rows, warnings, (workspace.side(options.side).aligned,))
