"""Export XSeg, the mask network, as an ONNX file."""

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from core.console import size_text
from core.options import Options as BaseOptions
from core.types import StageReport
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.jobs.models.export import ExportedXSeg


class Options(BaseOptions):
    """Flags of the export."""

    weights: Path | None = Field(
        None,
        description="folder with XSeg_256.npy and XSeg_data.dat; by default workspace/model, then "
        "assets/GenericXseg.zip",
    )
    output: Path | None = Field(None, description="file to write; default is XSeg_model.onnx in the model folder")


def run(options: Options, workspace: Workspace) -> StageReport:
    """Write and check the file."""
    from core.jobs.models.export import export_xseg

    made = export_xseg(workspace, weights=options.weights, output=options.output)
    rows = (
        ("weights", made.origin),
        ("iteration", "unknown" if made.iteration is None else made.iteration),
        ("network", f"{made.resolution} px"),
        ("face type", made.face_type),
        ("size", size_text(made.size)),
        ("difference from the network", f"{made.difference:.1e}"),
    )
    return StageReport("exported and checked", rows, _warnings(made), (made.path,))


def _warnings(made: "ExportedXSeg") -> tuple[str, ...]:
    found = []
    if made.resolution != 256:
        found.append(f"programs made for the original's export expect 256 px, this network has {made.resolution}")
    if made.pretraining:
        found.append("the network is still in pretraining and draws faces, not masks")
    return tuple(found)
