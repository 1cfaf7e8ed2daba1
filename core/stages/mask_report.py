"""How good the masks of a side look: area against the landmarks, holes, jumps between frames; the worst on a contact sheet."""

from pydantic import Field

from core.options import SideOptions
from core.types import StageReport
from core.workspace import Workspace

_SHOWN = 10


class Options(SideOptions):
    rows: int = Field(5, ge=1, le=40, description="rows of six faces on the contact sheet")


def run(options: Options, workspace: Workspace) -> StageReport:
    """Writes ``data_<side>/mask_report.json`` and ``mask_report.jpg``."""
    import json
    from collections import Counter

    from core.faceset.masks.report import contact_sheet, judge, table_rows
    from core.faceset.masks.table import MaskTable
    from core.faceset.store import open_faceset
    from core.fsio import write_bytes, write_text
    from core.imaging.codec import encode_jpeg

    side = workspace.side(options.side)
    faceset = open_faceset(side.aligned)
    with MaskTable(side.masks_database) as table:
        judged, problems = judge(faceset, table)
    numbers, sheet = side.frames / "mask_report.json", side.frames / "mask_report.jpg"
    write_text(numbers, json.dumps(table_rows(judged), indent=1) + "\n")
    write_bytes(sheet, encode_jpeg(contact_sheet(faceset, judged, options.rows), 90))
    faceset.close()
    origins = Counter(item.origin for item in judged)
    odd = [item for item in judged if item.quality.reason]
    rows: list[tuple[str, object]] = [
        ("faces", len(judged)),
        *((f"masks from {name}", count) for name, count in origins.items()),
    ]
    rows += [("with something odd", len(odd))]
    rows += [(item.name, item.quality.reason) for item in odd[:_SHOWN]]
    return StageReport(
        f"masks of {side.name}",
        tuple(rows),
        tuple(f"left out: {name}: {why}" for name, why in problems[:20]),
        (numbers, sheet),
    )
