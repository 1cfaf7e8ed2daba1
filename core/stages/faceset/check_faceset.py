"""Check a faceset: counts, damaged files, missing or contradicting metadata."""

from collections import Counter
from typing import TYPE_CHECKING

from pydantic import Field

from core.options import SideOptions
from core.types import StageReport
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.jobs.faceset.check import Checked

_SHOWN_NAMES, _SHOWN_KINDS = 5, 6
_FINGERPRINT_DIGITS = 16


class Options(SideOptions):
    pixels: bool = Field(False, description="decode every picture too (slower): finds damaged picture data")
    list_all: bool = Field(False, description="name all files of each finding, not only the first ones")


def run(options: Options, workspace: Workspace) -> StageReport:
    """Changes nothing."""
    from core.jobs.faceset.check import check_faceset

    checked = check_faceset(workspace, options.side, pixels=options.pixels)
    found = checked.findings
    rows = (
        ("faces", found.faces),
        ("not faces", len(found.kinds.get("not a face", ()))),
        ("face types", _counts(found.face_types)),
        ("sizes", _counts(found.sizes)),
        ("masks", _counts(found.masks)),
        ("persons", len(found.persons)),
        ("fingerprint", checked.fingerprint[:_FINGERPRINT_DIGITS] or "-"),
    )
    return StageReport(f"faceset {options.side}", rows, _warnings(checked, options.list_all))


def _warnings(checked: "Checked", every: bool) -> tuple[str, ...]:
    """What was found, the most frequent first."""
    kinds = sorted(checked.findings.kinds.items(), key=lambda item: -len(item[1]))
    lines = [f"{kind}: {len(names)} ({_names(names, every)})" for kind, names in kinds]
    if checked.refusal is not None:
        lines.append(f"training would refuse this folder: {checked.refusal.what}; {checked.refusal.why}")
    return tuple(lines)


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in counter.most_common(_SHOWN_KINDS)) or "-"


def _names(names: list[str], every: bool) -> str:
    shown = names if every else names[:_SHOWN_NAMES]
    return ", ".join(shown) + (" ..." if len(shown) < len(names) else "")
