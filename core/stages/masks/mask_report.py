"""How good the masks of a side look: area against the landmarks, holes, jumps between frames; a sheet of the worst."""

from pydantic import Field

from core.options import SideOptions
from core.types import StageReport
from core.workspace import Workspace

_SHOWN = 10


class Options(SideOptions):
    rows: int = Field(5, ge=1, le=40, description="rows of six faces on the contact sheet")


def run(options: Options, workspace: Workspace) -> StageReport:
    """Writes ``mask_report.json`` and ``mask_report.jpg`` into ``data_<side>/aligned_views``."""
    from core.jobs.masks.report import report_masks

    found = report_masks(workspace, options.side, options.rows)
    odd = [item for item in found.judged if item.quality.reason]
    rows: list[tuple[str, object]] = [("faces", len(found.judged))]
    rows += [(f"masks from {name}", count) for name, count in found.origins.items()]
    rows.append(("with something odd", len(odd)))
    rows += [(item.name, item.quality.reason) for item in odd[:_SHOWN]]
    warnings = tuple(f"left out: {name}: {why}" for name, why in found.problems[:20])
    if found.unsure is not None:
        young = f"the mask network is unsure of {found.unsure:.0%} of a usual face: label some, and train it on"
        warnings = (f"{young} (5.x_mask_labels_{options.side}.sh --suggest, 5.x_train_xseg.sh)", *warnings)
    return StageReport(f"masks of {options.side}", tuple(rows), warnings, (found.numbers, found.sheet))
