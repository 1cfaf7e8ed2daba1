"""Write the masks as pictures: side by side with the face, as its transparency, or alone."""

from typing import Literal

from pydantic import Field

from core.options import SideOptions
from core.types import StageReport
from core.workspace import Workspace

_SHOWN = 20


class Options(SideOptions):
    what: Literal["combined", "masked", "mask"] = Field(
        "combined",
        description="combined: the face, the face under its mask, the mask; masked: the face with the mask as its "
        "transparency; mask: the mask alone",
    )
    full_frame: bool = Field(False, description="of whole frames instead of aligned faces")
    threshold: float = Field(0, ge=0, le=50, description="per cent: what is darker becomes black, as bright white")
    blur: int = Field(0, ge=0, le=199, description="pixels over which the edge of the mask is softened")
    grow: float = Field(0, ge=-50, le=50, description="per cent of the picture by which the mask grows, or shrinks")


def run(options: Options, workspace: Workspace) -> StageReport:
    """Write them into ``data_<side>/aligned_masks``."""
    from core.jobs.masks.pictures import Finish, write_masks

    finish = Finish(options.threshold, options.blur, options.grow)
    done = write_masks(workspace, options.side, options.what, full_frame=options.full_frame, finish=finish)
    warnings = tuple(f"left out: {name}: {why}" for name, why in done.problems[:_SHOWN])
    return StageReport(f"masks of {options.side}: {done.written} pictures", (), warnings, (done.folder,))
