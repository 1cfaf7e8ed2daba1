"""Export the model as a .dfm file for live programs."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from core.options import Options as BaseOptions
from core.types import StageReport
from core.workspace import Workspace


class Options(BaseOptions):
    """Flags of the export."""

    model: str | None = Field(None, description="name of the model, where the folder has several")
    kind: Literal["SAEHD", "AMP", "Quick96"] | None = Field(
        None, description="class of the model, where models of several have one name"
    )
    half: bool = Field(False, description="half precision: convolutions in float16, the file is about half as large")
    averages: bool = Field(
        True,
        description="the running averages of the weights where the model keeps them (train --ema); else the last weights",
    )
    output: Path | None = Field(
        None, description="file to write; default is <name>_<kind>_model.dfm in the model folder"
    )


def run(options: Options, workspace: Workspace) -> StageReport:
    """Read the newest sound save (also a DeepFaceLab model folder), write and check the file."""
    from core.checkpoints.model_folder import DATA
    from core.checkpoints.model_weights import averaged_parts, read_model_weights
    from core.checkpoints.selection import choose
    from core.export.dfm import export_dfm
    from core.export.provenance import provenance
    from core.formats.dfl_weights import read_data
    from core.networks import keras_backend
    from core.networks.config import config_from_options

    folder = choose(workspace.model, options.model, options.kind)
    loaded = folder.load(repair=False)
    data = read_data(loaded.files[DATA])
    config = config_from_options(data.options, folder.kind)
    weights = read_model_weights(loaded.files, config, averages=options.averages)
    chosen = _in_words(averaged_parts(loaded.files, config) if options.averages else [], len(weights))
    path = options.output or folder.path("model.dfm")
    keras_backend.choose()
    from core.export.reference import keras_reference  # loads the framework, which takes a while

    report = export_dfm(
        weights,
        config,
        path,
        provenance(folder.name, data, workspace.consent) | {"weights": chosen},
        reference=keras_reference(weights, config),
        half=options.half,
    )
    rows = (
        ("iteration", data.iteration),
        ("model", f"{config.archi}, {config.resolution} px, face type {config.face_type}"),
        ("weights", chosen),
        ("precision", report.metadata["precision"]),
        ("size", f"{report.size / 2**20:.1f} MiB"),
        ("difference from the model", f"{report.difference:.1e}"),
    )
    return StageReport("exported and checked", rows, loaded.messages, (path,))


def _in_words(averaged: list[str], networks: int) -> str:
    """Which weights were taken. networks: how many there are."""
    if len(averaged) == networks:
        return "averaged"
    return f"averaged: {', '.join(averaged)}; the others last" if averaged else "last"
