"""the same as smooth, by the name that it has in other programs"""

from core.stages.alignments.time import smooth
from core.types import StageReport
from core.workspace import Workspace


class Options(smooth.Options):
    """Flags of the stage."""


def run(options: Options, workspace: Workspace) -> StageReport:
    """See ``smooth``."""
    return smooth.run(options, workspace)
