"""Where an iteration lies in a schedule: pure functions, of the iteration and of nothing else.

There are two kinds of boundary: a phase begins, or a phase starts its parts anew once more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import CorruptFileError
from core.training.schedule.presets import Phase, Preset, from_plain


@dataclass(frozen=True)
class Position:
    """Where an iteration lies.

    number: of the phase, from 0.
    start: the iteration where the phase, or its latest renewal, began.
    end: the iteration of the next boundary, 0 if there is none.
    """

    number: int
    start: int
    end: int


@dataclass(frozen=True)
class Schedule:
    """A preset that stays with a model.

    base: the model's own values of what the phases set.
    begun: ``Position.start`` of what was last begun, so that nothing starts anew twice; -1 before the first.
    """

    preset: Preset
    base: dict[str, Any]
    begun: int = -1

    def plain(self) -> dict[str, Any]:
        """For a JSON file; :func:`from_saved` reads it."""
        return {"preset": self.preset.plain(), "base": self.base, "begun": self.begun}

    def phase(self, position: Position) -> Phase:
        """The phase of a position."""
        return self.preset.phases[position.number]


def from_saved(raw: Mapping[str, Any], where: str) -> Schedule:
    """The schedule that ``plain`` wrote.

    Raises:
        CorruptFileError: it is none; the error names ``where``.
        InputError: its options make no sense.
    """
    try:
        schedule = Schedule(from_plain(raw["preset"], where), dict(raw["base"]), int(raw["begun"]))
        if not schedule.preset.phases:
            raise ValueError("it has no phase")
        return schedule
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise CorruptFileError(
            "cannot read the schedule of the model",
            where=where,
            why=f"{type(error).__name__}: {error}",
            hint="remove the entry schedule from that file; --preset NAME sets it again",
        ) from None


def attach(preset: Preset, own: Mapping[str, Any], before: Schedule | None) -> Schedule | None:
    """The schedule of a model from now on; None for a preset without phases.

    preset: may be the one that the model follows already, which then goes on.
    own: the model's values of everything that a preset can set.
    before: the schedule that it follows until now, which has changed some of them.
    """
    if not preset.phases:
        return None
    # What an earlier schedule sets now is its own doing: the model's values of that are in its base.
    own = {**own, **(before.base if before else {})}
    base = {name: own[name] for name in sorted(preset.scheduled)}
    same = before is not None and before.preset == preset
    return Schedule(preset, base, before.begun if before and same else -1)


def position(preset: Preset, iteration: int) -> Position:
    """Where ``iteration`` (done so far) lies; the options of the last phase hold on after its end.

    The preset must have a phase.
    """
    number = _number(preset, iteration)
    phase = preset.phases[number]
    first = (preset.phases[number - 1].until or 0) if number else 0
    # After the end of the last phase its last renewal holds on.
    inside = iteration if phase.until is None else min(iteration, phase.until - 1)
    start = inside - (inside - first) % phase.reinit_every if phase.reinit_every else first
    return Position(number, start, _next_boundary(phase, start, is_last=number == len(preset.phases) - 1))


def _number(preset: Preset, iteration: int) -> int:
    for number, phase in enumerate(preset.phases):
        if phase.until is None or iteration < phase.until:
            return number
    return len(preset.phases) - 1


def _next_boundary(phase: Phase, start: int, is_last: bool) -> int:
    """The next renewal or the end of the phase, whichever comes first; the end of the last one is no boundary."""
    if phase.reinit_every:
        renewal = start + phase.reinit_every
        if phase.until is None or renewal < phase.until:
            return renewal
    return 0 if is_last or phase.until is None else phase.until
