"""Export the model as a .dfm file for live programs."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from core.console import size_text
from core.options import Options as BaseOptions
from core.types import StageReport
from core.workspace import Workspace


class Options(BaseOptions):
    """Flags of the export."""

    model: str | None = Field(None, description="name of the model, where the folder has several")
    kind: Literal["SAEHD", "AMP", "Quick96"] | None = Field(
        None, description="class of the model, where models of different classes have the same name"
    )
    half: bool = Field(False, description="half precision: convolutions in float16, the file is about half as large")
    int8: bool = Field(
        False,
        description="also write <file>_int8.dfm for quicker live pictures on a processor: the face in 8-bit integers, "
        "masks as they were; refused where faces of the target come out visibly different",
    )
    averages: bool = Field(
        True,
        description="export the averaged weights if the model has them (train --ema); --no-averages: the last weights",
    )
    reverse: bool = Field(
        False, description="for the other way: the target's face on the source (<name>_<kind>_reverse.dfm)"
    )
    output: Path | None = Field(
        None, description="file to write; by default <name>_<kind>_model.dfm in the model folder"
    )


def run(options: Options, workspace: Workspace) -> StageReport:
    """Write and check the file."""
    from core.jobs.models.export import export_model

    made = export_model(
        workspace,
        model=options.model,
        kind=options.kind,
        half=options.half,
        int8=options.int8,
        averages=options.averages,
        reverse=options.reverse,
        output=options.output,
    )
    rows: list[tuple[str, object]] = [
        ("iteration", made.iteration),
        ("model", f"{made.archi}, {made.resolution} px, face type {made.face_type}"),
        ("weights", made.weights),
        ("precision", "float16" if made.half else "float32"),
        ("size", size_text(made.size)),
        ("difference from the model", f"{made.difference:.1e}"),
    ]
    outputs = [made.path]
    if made.int8:
        rows.append(("in 8 bits", f"{size_text(made.int8.size)}, the face differs by {made.int8.face:.2f} of 255"))
        outputs.append(made.int8.path)
    return StageReport("exported and checked", tuple(rows), tuple(map(str, made.remarks)), tuple(outputs))
