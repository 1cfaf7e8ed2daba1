"""Draw a contact sheet of an exported model: source face, target face, swapped."""

from pathlib import Path

from pydantic import Field

from core.options import Options as BaseOptions
from core.types import StageReport
from core.workspace import Workspace


class Options(BaseOptions):
    dfm: Path | None = Field(None, description="the exported model; by default the only one in workspace/model")
    rows: int = Field(6, ge=1, le=50, description="rows of faces to show")
    size: int = Field(224, ge=32, le=1024, description="side of a face on the sheet, pixels")


def run(options: Options, workspace: Workspace) -> StageReport:
    """Write ``model/<name>_sheet.jpg`` for faces of both sides."""
    from core.jobs.models.contact_sheet import contact_sheet

    sheet = contact_sheet(workspace, dfm=options.dfm, rows=options.rows, size=options.size)
    return StageReport("contact sheet", (("model", sheet.model.name), ("faces", sheet.rows)), outputs=(sheet.path,))
