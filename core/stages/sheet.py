"""Draw a contact sheet of an exported model: source face, target face, swapped."""

from pathlib import Path

from pydantic import Field

from core.errors import InputError
from core.options import Options as BaseOptions
from core.types import StageReport
from core.workspace import Workspace


class Options(BaseOptions):
    dfm: Path | None = Field(None, description="the exported model; the only one in workspace/model when left out")
    rows: int = Field(6, ge=1, le=50, description="faces to show")
    size: int = Field(224, ge=32, le=1024, description="side of a face on the sheet, pixels")


def run(options: Options, workspace: Workspace) -> StageReport:
    """Write ``model/<name>_sheet.jpg`` for faces of both sides."""
    from core.faceset.store import open_faceset
    from core.formats.provenance import write_synthetic_image
    from core.jobs.models.contact_sheet import contact_sheet

    model = options.dfm or _only_model(workspace)
    source, target = (open_faceset(workspace.side(name).aligned) for name in ("src", "dst"))
    path = model.with_name(f"{model.stem}_sheet.jpg")
    write_synthetic_image(path, contact_sheet(model, source, target, options.rows, options.size))
    return StageReport("contact sheet", (("model", model.name), ("faces", options.rows)), outputs=(path,))


def _only_model(workspace: Workspace) -> Path:
    found = sorted(workspace.model.glob("*.dfm"))
    if len(found) != 1:
        names = ", ".join(p.name for p in found) or "nothing"
        raise InputError(
            "expected one exported model",
            where=workspace.model,
            why=f"found {names}",
            hint="name one with --dfm FILE, or run exportDFM.sh first",
        )
    return found[0]
