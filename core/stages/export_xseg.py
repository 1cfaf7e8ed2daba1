"""Export XSeg, the mask network, as an ONNX file."""

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from core.errors import InputError
from core.options import Options as BaseOptions
from core.types import StageReport
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.formats.dfl_weights import ModelData


class Options(BaseOptions):
    """Flags of the export."""

    weights: Path | None = Field(
        None,
        description="folder with XSeg_256.npy and XSeg_data.dat; without it workspace/model, then assets/GenericXseg.zip",
    )
    output: Path | None = Field(None, description="file to write; default is XSeg_model.onnx in the model folder")


def run(options: Options, workspace: Workspace) -> StageReport:
    """Read the weights, write and check the file."""
    from core.networks import keras_backend

    keras_backend.choose()
    from core.export.provenance import provenance
    from core.export.reference import keras_mask_reference
    from core.export.xseg_onnx import export_xseg
    from core.inference.xseg_weights import find

    folder = options.weights or workspace.model
    weights = find(folder, None if options.weights else workspace.assets)
    if weights is None:
        raise InputError(
            "no XSeg weights", where=folder, hint="train XSeg, put XSeg_256.npy there, or GenericXseg.zip into assets/"
        )
    data = _data(folder) if not weights.origin.endswith(".zip") else None
    path = options.output or workspace.model / "XSeg_model.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    said = provenance("XSeg", data, workspace.consent) if data else {}
    report = export_xseg(weights, path, said, reference=keras_mask_reference(weights))
    rows = (
        ("weights", weights.origin),
        ("iteration", data.iteration if data else "unknown"),
        ("network", f"{weights.resolution} px"),
        ("face type", report.metadata["face_type"]),
        ("size", f"{report.size / 2**20:.1f} MiB"),
        ("difference from the network", f"{report.difference:.1e}"),
    )
    return StageReport("exported and checked", rows, _warnings(weights.resolution, data), (path,))


def _data(folder: Path) -> "ModelData | None":
    from core.formats.dfl_weights import read_data
    from core.inference.xseg_weights import DATA

    return read_data(folder / DATA) if (folder / DATA).is_file() else None


def _warnings(resolution: int, data: "ModelData | None") -> tuple[str, ...]:
    found = []
    if resolution != 256:
        found.append(f"programs made for the original's export expect 256 px, this network has {resolution}")
    if data and data.options.get("pretrain"):
        found.append("the network is still in pretraining and draws faces, not masks")
    return tuple(found)
