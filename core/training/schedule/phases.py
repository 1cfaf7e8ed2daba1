"""A training run that follows a schedule: what a phase asks for when a model is opened, and what happens at a boundary.

Precedence of an option: the command line, the phase, the model's own value, the ``[options]`` of the preset, the default.
"""

import gc
import logging
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.checkpoints.backups import backups_folder, make_backup
from core.checkpoints.model_folder import DATA, ModelFolder
from core.data.batches import BatchSettings
from core.errors import PipelineError, UsageError
from core.formats.dfl_weights import ModelData
from core.training import recipe as recipes
from core.training.choices import Choices
from core.training.kinds import KINDS
from core.training.recipe import SAVED, Recipe
from core.training.schedule.presets import RATE
from core.training.schedule.schedule import Opening, Schedule, attached, opening, place, restored
from core.training.session import Session

log = logging.getLogger(__name__)
KEPT = 24
_MARK = " - before phase "


def of_new(choices: Choices, kind: str) -> Opening:
    """What a new model begins with. Raises UsageError for an option of the preset that the kind does not have."""
    preset = choices.preset
    if preset is None:
        return Opening()
    _check_kind(preset.options, kind, f"{preset.name}, [options]")
    own = {**_defaults(), RATE: KINDS[kind].rate, **KINDS[kind].defaults, **preset.options, **_chosen(choices)}
    begun = opening(attached(preset, own, None), 0)
    first_rate = preset.options.get(RATE) if begun.learning_rate is None else begun.learning_rate
    return replace(begun, values=_not_chosen(preset.options | begun.values, choices), learning_rate=first_rate)


def of_saved(choices: Choices, state: Mapping[str, Any], data: ModelData, folder: ModelFolder) -> Opening:
    """What a saved model goes on with. state: of ``forge.json``. Raises InputError for a schedule that cannot be read."""
    before = restored(state["schedule"], str(folder.path("forge.json"))) if state.get("schedule") else None
    schedule = _schedule_of_saved(choices, before, state, data, folder.kind)
    if before and schedule is None:
        log.info("the schedule %s is over; the options stay as they are now", before.preset.name)
    if schedule is None:
        return Opening()
    was_pretraining = bool(data.options.get("pretrain"))
    if choices.recipe.get("pretrain", was_pretraining):
        return Opening(schedule)  # it rests: pretraining counts its own iterations
    begun = opening(schedule, 0 if was_pretraining else data.iteration)
    return replace(begun, values=_not_chosen(begun.values, choices))


def _schedule_of_saved(
    choices: Choices, before: Schedule | None, state: Mapping[str, Any], data: ModelData, kind: str
) -> Schedule | None:
    """The schedule from now on; what was chosen is the model's own from now on."""
    schedule = before
    if choices.preset is not None:
        own = _defaults() | data.options | {RATE: KINDS[kind].rate * state.get("rate", 1.0)}
        schedule = attached(choices.preset, own, before)
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


def follow(session: Session, begun: Opening) -> Session:
    """Let an opened session follow its schedule. Raises UsageError for a phase that this model cannot have."""
    session.schedule = begun.schedule
    if begun.schedule is None or begun.place is None:
        return session
    check(begun.schedule, session.recipe, [*session.trainer.networks, "GAN", "code_discriminator"])
    session.pause, session.entered = begun.place.end, begun.entered
    preset = begun.schedule.preset
    phase = preset.phases[begun.place.number]
    until = f"until iteration {phase.until}" if phase.until else "from now on"
    log.info(
        "%s, phase %d of %d, %s: %s",
        preset.name,
        begun.place.number + 1,
        len(preset.phases),
        until,
        ", ".join(f"{key} {value}" for key, value in phase.options.items()) or "nothing special",
    )
    return session


def check(schedule: Schedule, recipe: Recipe, parts: list[str]) -> None:
    """Every phase must fit the model. Raises UsageError that names preset, phase and key."""
    for number, phase in enumerate(schedule.preset.phases, 1):
        where = f"{schedule.preset.name}, phase {number}"
        _check_kind(phase.options, recipe.kind, where)
        unknown = [name for name in phase.reinit if name not in parts]
        if unknown:
            raise UsageError(
                "no such part of the model",
                where=f"{where}, reinit: {', '.join(unknown)}",
                hint=f"parts: {', '.join(parts)}",
            )
        values = {key: value for key, value in (schedule.base | phase.options).items() if key != RATE}
        try:
            recipes.require_trainable(recipe.model_copy(update=values))
        except PipelineError as error:
            raise UsageError(error.what, where=f"{where}: {error.where}", why=error.why, hint=error.hint) from None


def _check_kind(options: Mapping[str, Any], kind: str, where: str) -> None:
    foreign = [name for name in options if name not in (*KINDS[kind].options, RATE)]
    if foreign:
        raise UsageError(
            "the preset is for another kind of model",
            where=f"{where}: {', '.join(foreign)}",
            why=f"a {kind} model has no such option",
        )


@dataclass(frozen=True)
class Boundary:
    """Takes a session over a boundary. reopen: opens the model again from its newest save; batches: of a session; save: everything;
    preview: a picture for the backup."""

    reopen: Callable[[], Session]
    batches: Callable[[Session], BatchSettings]
    save: Callable[[Session], None]
    preview: Path

    def __call__(self, session: Session) -> BatchSettings:
        """Save, back up, and go on with the options of what begins, exactly as a run that was stopped and resumed here."""
        self.save(session)
        before = _in_words(session)
        session.release()
        gc.collect()  # two models would not fit where one does
        session.become(self.reopen())
        now = _in_words(session)
        changes = [f"{key} {before[key]} -> {now[key]}" for key in now if key in before and now[key] != before[key]]
        log.info("iteration %d: %s", session.iteration, ", ".join(changes) or "no option changes")
        self.begin(session)
        return self.batches(session)

    def begin(self, session: Session) -> None:
        """Keep a backup of a model for which a phase begins; and a save of what started anew, to which a rollback may return."""
        if session.entered and session.iteration:
            backup(session, self.preview)
            self.save(session)
        session.entered = False


def _in_words(session: Session) -> dict[str, Any]:
    return recipes.to_saved(session.recipe) | {
        RATE: f"{KINDS[session.recipe.kind].rate * session.trainer.settings.rate:g}"
    }


def backup(session: Session, preview: Path) -> None:
    """A copy of the newest save under the name of the boundary, unless there is one; of more than 24 of these the oldest go."""
    schedule = session.schedule
    if schedule is None:
        return
    folder, number = session.folder, place(schedule.preset, session.iteration).number
    name = f"{session.iteration}{_MARK}{number + 1} of {schedule.preset.name}"
    for attempt in range(1, 1000):
        taken = backups_folder(folder) / (name if attempt == 1 else f"{name} ({attempt})")
        if not taken.exists():
            break
        if _same(folder, taken):
            return
    made = make_backup(folder, taken.name, (preview,) if preview.exists() else ())
    log.info("backup in %s", made)
    kept = sorted(
        (path for path in made.parent.iterdir() if _MARK in path.name), key=lambda path: path.stat().st_mtime_ns
    )
    for path in kept[:-KEPT]:
        log.info("the backup %s makes room", path.name)
        shutil.rmtree(path)


def _same(folder: ModelFolder, made: Path) -> bool:
    """Whether a backup is one of the newest save: a run that was killed right after it."""
    copy = made / f"{folder.prefix}_{DATA}"
    return copy.is_file() and copy.read_bytes() == folder.load().files[DATA].read_bytes()
