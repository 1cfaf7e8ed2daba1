"""Unpack faceset.pak of a side into loose faces."""

from pydantic import Field

from core.options import SideOptions
from core.types import StageReport
from core.workspace import Workspace

_SHOWN = 20


class Options(SideOptions):
    overwrite: bool = Field(
        False, description="replace different files that have the name of a packed face (they go to workspace/.trash)"
    )
    keep_pak: bool = Field(
        False,
        description="leave faceset.pak where it is; else it goes to workspace/.trash "
        "once every face has been read back",
    )
    salvage: bool = Field(
        False, description="recover the faces that are whole from a truncated faceset.pak, which is kept"
    )


def run(options: Options, workspace: Workspace) -> StageReport:
    from core.jobs.faceset.pack import unpack_faces

    done = unpack_faces(
        workspace, options.side, overwrite=options.overwrite, keep_pak=options.keep_pak, salvage=options.salvage
    )
    rows = (
        ("faces written", done.written),
        ("already there", done.present),
        ("replaced", done.replaced),
        ("not recovered", len(done.damaged)),
    )
    warnings = [f"not recovered: {name}: {why}" for name, why in done.damaged[:_SHOWN]]
    if not done.complete:
        warnings.append("faceset.pak was kept; move it away before you train")
    outputs = [done.folder] if done.trashed_pak is None else [done.folder, done.trashed_pak]
    return StageReport(f"unpacked {options.side}", rows, tuple(warnings), tuple(outputs))
