"""Keep the metadata of all faces in faces.db, before editing the pictures in an image editor."""

from core.options import SideOptions
from core.types import StageReport
from core.workspace import Workspace


class Options(SideOptions):
    pass


def run(options: Options, workspace: Workspace) -> StageReport:
    from core.jobs.faceset.metadata import save_metadata

    done = save_metadata(workspace, options.side)
    warnings = tuple(f"not saved: {name}: {why}" for name, why in done.problems[:20])
    return StageReport(
        f"metadata of {options.side} saved",
        (("faces", done.done), ("not saved", len(done.problems))),
        warnings,
        (workspace.side(options.side).database,),
    )
