"""Where a training run stands in its schedule: a pure function of the iteration, and of nothing else.

There are two kinds of boundary: a phase begins, or a phase starts its parts anew once more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from core.errors import CorruptFileError
from core.training.schedule.presets import RATE, Preset, from_plain


@dataclass(frozen=True)
class Place:
    """number: of the phase, from 0; start: where it, or its latest renewal, began; end: the next boundary, 0 if there is none."""

    number: int
    start: int
    end: int


@dataclass(frozen=True)
class Schedule:
    """A preset that stays with a model. base: the model's own values of what the phases set; begun: ``Place.start`` of what was last begun,
    so that nothing starts anew twice; -1 before the first."""

    preset: Preset
    base: dict[str, Any]
    begun: int = -1

    def plain(self) -> dict[str, Any]:
        """For a JSON file; :func:`restored` reads it."""
        return {"preset": self.preset.plain(), "base": self.base, "begun": self.begun}


def restored(raw: Mapping[str, Any], where: str) -> Schedule:
    """The schedule that ``plain`` wrote. Raises CorruptFileError, or InputError for options that make no sense."""
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
            hint="take its entry, schedule, out of that file; --preset gives it anew",
        ) from None


@dataclass(frozen=True)
class Opening:
    """What a run begins with at an iteration. values: of the recipe, over the saved ones; learning_rate: to set, None leaves it as it is;
    reinit: parts that start anew now; place: None without a schedule or while it rests; entered: what ``place`` tells of begins now."""

    schedule: Schedule | None = None
    values: dict[str, Any] = field(default_factory=dict)
    learning_rate: float | None = None
    reinit: tuple[str, ...] = ()
    place: Place | None = None
    entered: bool = False


def place(preset: Preset, iteration: int) -> Place:
    """Where ``iteration`` (done so far) is; the options of the last phase hold on after its end. The preset must have a phase."""
    numbers = range(len(preset.phases))
    number = next((n for n in numbers if iteration < (preset.phases[n].until or iteration + 1)), len(preset.phases) - 1)
    phase, first = preset.phases[number], (preset.phases[number - 1].until or 0) if number else 0
    inside = iteration if phase.until is None else min(iteration, phase.until - 1)
    start = inside - (inside - first) % phase.reinit_every if phase.reinit_every else first
    ends = [start + phase.reinit_every] if phase.reinit_every else []
    ends = [end for end in ends if phase.until is None or end < phase.until]
    if phase.until is not None and number < len(preset.phases) - 1:
        ends.append(phase.until)
    return Place(number, start, min(ends, default=0))


def opening(schedule: Schedule | None, iteration: int) -> Opening:
    """What holds at ``iteration``, and what has to happen there because it was not begun before."""
    if schedule is None:
        return Opening()
    here = place(schedule.preset, iteration)
    phase = schedule.preset.phases[here.number]
    values = schedule.base | phase.options
    rate = values.pop(RATE, None)
    if schedule.begun == here.start:
        return Opening(schedule, values, place=here)
    # A model that joins in the middle of a phase takes its options; only who passes the boundary starts parts anew.
    return Opening(
        replace(schedule, begun=here.start), values, rate, phase.reinit if iteration == here.start else (), here, True
    )


def attached(preset: Preset, own: Mapping[str, Any], before: Schedule | None) -> Schedule | None:
    """The schedule of a model with its ``own`` values from now on: ``preset``, which may be the one it follows already."""
    if not preset.phases:
        return None
    own = {**own, **(before.base if before else {})}
    same = before is not None and before.preset == preset
    return Schedule(
        preset, {key: own[key] for key in sorted(preset.scheduled)}, before.begun if before and same else -1
    )
