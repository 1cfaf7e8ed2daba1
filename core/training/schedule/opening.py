"""What a training run begins with: options and parts that start anew, from a preset, a schedule and a person's choices.

Precedence of an option: the command line, the phase, the model's own value, the ``[options]`` of the preset, the
default.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.checkpoints.model_folder import ModelFolder
from core.errors import PipelineError, UsageError
from core.formats.dfl_weights import ModelData
from core.training import recipe as recipes
from core.training.choices import Choices
from core.training.kinds import KINDS
from core.training.recipe import SAVED, Recipe
from core.training.saved_state import STATE
from core.training.schedule.presets import RATE
from core.training.schedule.timeline import Position, Schedule, attach, from_saved, position
from core.training.session import Session

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Opening:
    """What a run begins with at an iteration.

    schedule: that it follows.
    values: of the recipe, over the saved ones.
    learning_rate: to set; None leaves it as it is.
    reinit: parts of the networks that start anew now.
    position: in the schedule; None without a schedule or while it rests.
    entered: the phase or the renewal at ``position`` begins with this run.
    """

    schedule: Schedule | None = None
    values: dict[str, Any] = field(default_factory=dict)
    learning_rate: float | None = None
    reinit: tuple[str, ...] = ()
    position: Position | None = None
    entered: bool = False


def opening_at(schedule: Schedule | None, iteration: int) -> Opening:
    """What holds at ``iteration``, and what has to happen there because it was not begun before."""
    if schedule is None:
        return Opening()
    here = position(schedule.preset, iteration)
    phase = schedule.phase(here)
    values = schedule.base | phase.options
    rate = values.pop(RATE, None)
    # An earlier run began it: the rate is in the save by now, and the parts have started anew.
    if schedule.begun == here.start:
        return Opening(schedule, values, position=here)
    return Opening(
        schedule=replace(schedule, begun=here.start),
        values=values,
        learning_rate=rate,
        # A model that joins in the middle of a phase takes its options; only who passes the boundary starts parts anew.
        reinit=phase.reinit if iteration == here.start else (),
        position=here,
        entered=True,
    )


def of_new_model(choices: Choices, kind: str) -> Opening:
    """What a new model begins with.

    Raises:
        UsageError: the kind does not have an option of the preset.
    """
    preset = choices.preset
    if preset is None:
        return Opening()
    _require_options_of(kind, preset.options, f"{preset.name}, [options]")
    own = {**_defaults(), RATE: KINDS[kind].rate, **KINDS[kind].defaults, **preset.options, **_chosen(choices)}
    opening = opening_at(attach(preset, own, None), 0)
    rate = preset.options.get(RATE) if opening.learning_rate is None else opening.learning_rate
    return replace(opening, values=_not_chosen(preset.options | opening.values, choices), learning_rate=rate)


def of_saved_model(choices: Choices, state: Mapping[str, Any], data: ModelData, folder: ModelFolder) -> Opening:
    """What a saved model goes on with. state: of ``forge.json``.

    Raises:
        CorruptFileError: the saved schedule is none.
        InputError: its options make no sense.
    """
    before = from_saved(state["schedule"], str(folder.path(STATE))) if state.get("schedule") else None
    schedule = _schedule_of_saved(choices, before, state, data, folder.kind)
    if before and schedule is None:
        log.info("the schedule %s is over; the options stay as they are now", before.preset.name)
    if schedule is None:
        return Opening()
    was_pretraining = bool(data.options.get("pretrain"))
    if choices.recipe.get("pretrain", was_pretraining):
        return Opening(schedule)  # it rests: pretraining counts its own iterations
    # Who leaves pretraining begins to count at 0.
    opening = opening_at(schedule, 0 if was_pretraining else data.iteration)
    return replace(opening, values=_not_chosen(opening.values, choices))


def _schedule_of_saved(
    choices: Choices, before: Schedule | None, state: Mapping[str, Any], data: ModelData, kind: str
) -> Schedule | None:
    """The schedule from now on; what was chosen is the model's own from now on."""
    schedule = before
    if choices.preset is not None:
        # The state has the rate as a factor on that of the kind.
        own = _defaults() | data.options | {RATE: KINDS[kind].rate * state.get("rate", 1.0)}
        schedule = attach(choices.preset, own, before)
    if schedule is None:
        return None
    chosen = {name: value for name, value in _chosen(choices).items() if name in schedule.base}
    return replace(schedule, base=schedule.base | chosen)


def _defaults() -> dict[str, Any]:
    return {name: Recipe.model_fields[name].default for name in SAVED}


def _chosen(choices: Choices) -> dict[str, Any]:
    """What was chosen of all that a preset can set."""
    rate = {} if choices.learning_rate is None else {RATE: choices.learning_rate}
    return {name: value for name, value in choices.recipe.items() if name in SAVED} | rate


def _not_chosen(values: Mapping[str, Any], choices: Choices) -> dict[str, Any]:
    """The values of the recipe that the command line does not decide; the learning rate is no part of the recipe."""
    return {name: value for name, value in values.items() if name != RATE and name not in choices.recipe}


def follow(session: Session, opening: Opening) -> Session:
    """Let an opened session follow its schedule; returns it.

    Raises:
        UsageError: this model cannot have one of the phases.
    """
    session.schedule = opening.schedule
    if opening.schedule is None or opening.position is None:
        return session
    parts = [*session.trainer.networks, "GAN", "code_discriminator"]
    require_possible(opening.schedule, session.recipe, parts, exact=session.trainer.settings.exact)
    session.pause, session.entered = opening.position.end, opening.entered
    _announce(opening.schedule, opening.position)
    return session


def _announce(schedule: Schedule, here: Position) -> None:
    preset, phase = schedule.preset, schedule.phase(here)
    until = f"until iteration {phase.until}" if phase.until else "from now on"
    options = ", ".join(f"{name} {value}" for name, value in phase.options.items()) or "the model's own options"
    log.info("preset %s, phase %d of %d, %s: %s", preset.name, here.number + 1, len(preset.phases), until, options)


def require_possible(schedule: Schedule, recipe: Recipe, parts: Sequence[str], *, exact: bool) -> None:
    """Every phase must fit the model. parts: of its networks. exact: whether it keeps the original's defects.

    Raises:
        UsageError: one does not; the error names preset, phase and option.
    """
    for number, phase in enumerate(schedule.preset.phases, 1):
        where = f"{schedule.preset.name}, phase {number}"
        _require_options_of(recipe.kind, phase.options, where)
        unknown = [name for name in phase.reinit if name not in parts]
        if unknown:
            raise UsageError(
                "no such part of the model",
                where=f"{where}, reinit: {', '.join(unknown)}",
                hint=f"parts: {', '.join(parts)}",
            )
        values = {name: value for name, value in (schedule.base | phase.options).items() if name != RATE}
        try:
            recipes.require_trainable(recipe.model_copy(update=values), exact=exact)
        except PipelineError as error:
            raise UsageError(error.what, where=f"{where}: {error.where}", why=error.why, hint=error.hint) from None


def _require_options_of(kind: str, options: Mapping[str, Any], where: str) -> None:
    foreign = [name for name in options if name not in (*KINDS[kind].choosable, RATE)]
    if foreign:
        raise UsageError(
            "the preset is for another kind of model",
            where=f"{where}: {', '.join(foreign)}",
            why=f"a {kind} model has no such option",
        )
