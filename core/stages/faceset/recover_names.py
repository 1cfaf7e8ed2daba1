"""Rename faces after the frames they came from, undoing the names that sorting gave."""

from core.options import SideOptions
from core.types import StageReport
from core.workspace import Workspace

_SHOWN = 20


class Options(SideOptions):
    pass


def run(options: Options, workspace: Workspace) -> StageReport:
    """One change, which ``sort --undo`` takes back."""
    from core.jobs.faceset.recover_names import recover_names

    done = recover_names(workspace, options.side)
    rows = (("faces", done.faces), ("renamed", done.renamed), ("kept", len(done.kept)))
    warnings = tuple(f"name kept: {name}: {why}" for name, why in done.kept[:_SHOWN])
    return StageReport(f"names of {options.side} recovered", rows, warnings, (done.folder,))
