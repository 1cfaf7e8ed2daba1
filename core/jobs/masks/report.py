"""How good the masks of a side look: numbers for every face, and the worst ones on a contact sheet."""

import json
import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.faceset.masks.report import Judged, contact_sheet, judge, table_rows
from core.faceset.register import open_known
from core.fsio import write_bytes, write_text
from core.imaging.codec import encode_jpeg
from core.imaging.mask_quality import UNSURE
from core.jobs.side import opened_side
from core.safe_paths import own_folder
from core.workspace import Workspace

# The contact sheet among the views of the side.
SHEET = "mask_report.jpg"


@dataclass(frozen=True)
class MaskReport:
    """judged: every face, the worst first. origins: where its mask comes from -> how many faces.

    unsure: how undecided the network was of the middle face, when that is more than its edge; else None.
    problems: (face, reason) of those whose mask cannot be read. numbers, sheet: the files that were written.
    """

    judged: tuple[Judged, ...]
    origins: dict[str, int]
    unsure: float | None
    problems: tuple[tuple[str, str], ...]
    numbers: Path
    sheet: Path


def report_masks(workspace: Workspace, name: str, rows: int = 5) -> MaskReport:
    """Judge the masks of a side. rows: of six faces on the contact sheet."""
    with opened_side(workspace, name) as side, open_known(side) as known:
        judged, problems = judge(known)
        # Beside the other pictures about faces: whatever lies among the frames would be taken for one.
        folder = own_folder(side.aligned_views)
        numbers, sheet = folder / "mask_report.json", folder / SHEET
        write_text(numbers, json.dumps(table_rows(judged), indent=1) + "\n")
        write_bytes(sheet, encode_jpeg(contact_sheet(known.faceset, judged, rows), 90))
        origins = Counter(item.origin for item in judged)
        return MaskReport(tuple(judged), dict(origins), _unsure(judged), tuple(problems), numbers, sheet)


def _unsure(judged: Sequence[Judged]) -> float | None:
    known = [item.quality.uncertainty for item in judged if not math.isnan(item.quality.uncertainty)]
    middle = statistics.median(known) if known else 0.0
    return middle if middle > UNSURE else None
