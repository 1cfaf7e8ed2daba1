"""Give every face a segmentation mask from XSeg; without weights, say that landmark masks will be used."""

from core.options import SideOptions
from core.types import StageReport
from core.workspace import Workspace


class Options(SideOptions):
    pass


def run(options: Options, workspace: Workspace) -> StageReport:
    raise SystemExit
