"""drop faces by id, person or frame; their pictures go to the trash of the side"""

from pydantic import Field

from core.options import SideOptions
from core.stages.alignments._reports import decided_report
from core.types import StageReport
from core.workspace import Workspace


class Options(SideOptions):
    """Flags of the stage. All that are given must hold."""

    id: list[str] = Field([], description="ids of faces, as `face-info` shows them")
    person: list[str] = Field([], description="faces of these people")
    frame: list[str] = Field([], description="faces of these frames")
    why: str = Field("dropped by hand", description="the reason that is kept with them")


def run(options: Options, workspace: Workspace) -> StageReport:
    """Drop them."""
    from core.faceset.alignments.decisions import Which
    from core.jobs.alignments.decide import drop_faces

    which = Which(ids=tuple(options.id), persons=tuple(options.person), frames=tuple(options.frame))
    return decided_report(options.side, "dropped", drop_faces(workspace, options.side, which, options.why))
