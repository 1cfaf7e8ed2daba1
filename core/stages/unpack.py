"""Unpack faceset.pak of a side into loose faces."""

from pydantic import Field

from core.errors import InputError
from core.jobs.side import opened_side
from core.options import SideOptions
from core.types import StageReport
from core.workspace import Side, Workspace


class Options(SideOptions):
    overwrite: bool = Field(
        False, description="replace different files that have the name of a packed face (they go to workspace/.trash)"
    )
    keep_pak: bool = Field(
        False,
        description="leave faceset.pak where it is; else it goes to workspace/.trash once every face has been read back",
    )
    salvage: bool = Field(
        False, description="recover the faces that are whole from a truncated faceset.pak, which is kept"
    )


def run(options: Options, workspace: Workspace) -> StageReport:
    with opened_side(workspace, options.side) as side:
        return _unpack(options, side, workspace)


def _unpack(options: Options, side: Side, workspace: Workspace) -> StageReport:
    from core import fsio
    from core.faceset import packing

    if not side.pak.is_file():
        raise InputError("no packed faceset", where=side.pak, hint="steps 3.3 and 4.3 make one")
    with packing.open_pak(side.pak, salvage=options.salvage) as reader:
        done = packing.unpack(reader, side.aligned, workspace.trash, overwrite=options.overwrite)
        complete = not options.salvage and not done.damaged
    warnings = [f"not recovered: {name}: {why}" for name, why in done.damaged[:20]]
    if not complete:
        warnings.append("faceset.pak was kept; move it away before you train")
    outputs = [side.aligned]
    if complete and not options.keep_pak:
        outputs.append(fsio.move_to_trash(side.pak, workspace.trash))
    rows = (
        ("faces written", done.written),
        ("already there", done.present),
        ("replaced", done.replaced),
        ("not recovered", len(done.damaged)),
    )
    return StageReport(f"unpacked {options.side}", rows, tuple(warnings), tuple(outputs))
