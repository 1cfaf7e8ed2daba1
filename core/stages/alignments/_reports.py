"""How the jobs word what they found."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from core.types import StageReport

if TYPE_CHECKING:
    from core.jobs.alignments.decide import Decided
    from core.jobs.alignments.look import Listed

_SHOWN = 20


def listed_report(side: str, what: str, found: "Listed") -> StageReport:
    """A list: the first names, and where all of them are."""
    rows: list[tuple[str, object]] = [(name, remark) for name, remark in list(found.found.items())[:_SHOWN]]
    left = len(found.found) - _SHOWN
    if left > 0:
        rows.append(("...", f"{left} more{'' if found.files else '; --list writes all of them'}"))
    return StageReport(f"data_{side}: {len(found.found)} {what}", tuple(rows), outputs=found.files)


def decided_report(side: str, what: str, done: "Decided") -> StageReport:
    """How many faces were dropped or came back, by reason."""
    rows: list[tuple[str, object]] = counted_rows(done.reasons)
    if done.returned:
        rows.append(("kept again, since their picture is back", done.returned))
    warnings: tuple[str, ...] = ()
    if done.without_picture:
        warnings = (
            f"{done.without_picture} of them have no picture yet: bash scripts/alignments.sh extract {side} makes it",
        )
    if done.faces or done.returned:
        rows.append(("to take it back", f"bash scripts/alignments.sh undo {side}"))
    return StageReport(f"data_{side}: {done.faces} faces {what}", tuple(rows), warnings)


def counted_rows(counts: Mapping[str, int]) -> list[tuple[str, object]]:
    """(what, how many), the most first."""
    return [(what or "no reason", count) for what, count in sorted(counts.items(), key=lambda item: -item[1])]
