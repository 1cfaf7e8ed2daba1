"""The phases of a schedule as stretches of iterations, with what each of them changes, for drawings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.training.schedule.presets import Phase, Preset


@dataclass(frozen=True)
class Span:
    """A phase of the schedule: from ``start`` to before ``end`` (None: open), iterations; its number and options."""

    start: int
    end: int | None
    name: str
    options: str = ""


def spans_of(preset: Preset) -> list[Span]:
    """The phases with the options that each of them changes."""
    spans: list[Span] = []
    before: Mapping[str, Any] = {}
    for number, phase in enumerate(preset.phases, 1):
        start = spans[-1].end or 0 if spans else 0
        spans.append(Span(start, phase.until, f"phase {number}", _changes(before, phase)))
        before = phase.options
    return spans


def _changes(before: Mapping[str, Any], phase: Phase) -> str:
    """The options of a phase that are others than before; of the first one all that are not off."""
    off = (False, 0, "n", "none") if not before else ()
    changed = {name: value for name, value in phase.options.items() if before.get(name) != value and value not in off}
    return ", ".join(f"{name} {_in_words(value)}" for name, value in changed.items())


def _in_words(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return {True: "on", False: "off", "y": "on", "n": "off"}.get(value, str(value))
