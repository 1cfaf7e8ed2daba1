"""keep faces after all that were filtered or dropped: by id, reason, person, frame, or because their picture is back"""

from pydantic import Field

from core.options import SideOptions
from core.stages.alignments._reports import decided_report
from core.types import StageReport
from core.workspace import Workspace


class Options(SideOptions):
    """Flags of the stage. All that are given must hold."""

    id: list[str] = Field([], description="ids of faces")
    reason: list[str] = Field([], description="faces that are not kept for a reason that contains one of these")
    person: list[str] = Field([], description="faces of these people")
    frame: list[str] = Field([], description="faces of these frames")
    moved: bool = Field(False, description="faces whose picture somebody put into aligned/, from wherever it was")


def run(options: Options, workspace: Workspace) -> StageReport:
    """Keep them."""
    from core.faceset.alignments.decisions import Which
    from core.jobs.alignments.decide import restore_faces

    which = Which(tuple(options.id), tuple(options.reason), tuple(options.person), tuple(options.frame))
    return decided_report(
        options.side, "kept again", restore_faces(workspace, options.side, which, moved=options.moved)
    )
