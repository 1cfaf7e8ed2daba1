"""From choices and a model folder to a session that is ready to train.

The model is new, resumed, or begun from pretrained weights.
"""

import gc
import logging
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.checkpoints.backups import keep_as_it_came
from core.checkpoints.model_folder import DATA, ModelFolder
from core.errors import UsageError
from core.formats import dfl_weights
from core.formats.dfl_weights import ModelData
from core.training import recipe as recipes
from core.training.choices import Choices
from core.training.hardware import precision, xla
from core.training.kinds import KINDS
from core.training.loop import explained_memory
from core.training.recipe import Recipe
from core.training.saved_state import STATE, read_run_state
from core.training.schedule import opening as openings
from core.training.schedule.opening import Opening
from core.training.session import Session, restore
from core.training.settings import TrainerSettings
from core.training.sources import assets
from core.training.trainer import Trainer

log = logging.getLogger(__name__)
_CHOSEN = ("seed", "exact", "precision", "ema", "devices", "parts", "warp_on_device")


@dataclass(frozen=True)
class Plan:
    """What will be built, and how it opens."""

    recipe: Recipe
    settings: TrainerSettings
    opening: Opening


def open_session(folder: ModelFolder, choices: Choices, assets_folder: Path) -> Session:
    """Build the networks and load what there is.

    Raises:
        UsageError: for choices that the model, or its kind, cannot have.
        InputError: for a file that is missing, or options that make no sense.
        CorruptFileError: for a file that is damaged.
        OutOfMemoryFault: when the networks do not fit.
    """
    if folder.exists():
        return _resume(folder, choices)
    folder.folder.mkdir(parents=True, exist_ok=True)
    archive = assets.pretrained(assets_folder, folder.kind)
    if choices.use_pretrained and archive.is_file():
        return _from_pretrained(folder, choices, archive)
    plan = _plan_new(folder, choices)
    return _ready(Session(folder, plan.recipe, _trainer(folder, plan)), choices, {}, plan.opening)


def reopen(session: Session, choices: Choices, assets_folder: Path) -> Session:
    """The model of a session, opened again from its newest save. Raises what ``open_session`` raises.

    The session gives its networks away: they serve again where only the rate is another, else they make room.
    """
    plan = planned(session.folder, choices, assets_folder)
    trainer: Trainer | None = session.release()
    if trainer and not trainer.serves(plan.recipe, plan.settings):
        trainer = None
        gc.collect()  # two models would not fit where one does
    return _resume(session.folder, choices, trainer)


def planned(folder: ModelFolder, choices: Choices, assets_folder: Path) -> Plan:
    """What ``open_session`` would build; builds and changes nothing. Raises what it raises."""
    if folder.exists():
        files = folder.load(repair=False).files
        return _plan_saved(folder, choices, dfl_weights.read_data(files[DATA]), read_run_state(files.get(STATE)))
    archive = assets.pretrained(assets_folder, folder.kind)
    if not (choices.use_pretrained and archive.is_file()):
        return _plan_new(folder, choices)
    with tempfile.TemporaryDirectory() as beside, assets.pretrained_files(archive, Path(beside), folder.kind) as files:
        return _plan_pretrained(folder, choices, files)


def _plan_new(folder: ModelFolder, choices: Choices) -> Plan:
    opening = openings.of_new_model(choices, folder.kind)
    recipe = recipes.of_new_model(choices.recipe, folder.kind, opening.values)
    return _plan(recipe, choices, {}, opening)


def _plan_saved(folder: ModelFolder, choices: Choices, data: ModelData, state: dict[str, Any]) -> Plan:
    opening = openings.of_saved_model(choices, state, data, folder)
    values = data.options | opening.values
    recipe = recipes.of_saved_model(choices.recipe, values, folder.path(DATA), folder.kind)
    return _plan(recipe, choices, state, opening)


def _plan_pretrained(folder: ModelFolder, choices: Choices, files: Mapping[str, Path]) -> Plan:
    """The architecture is that of the pretrained weights; everything else is as in any new model."""
    options = dfl_weights.read_data(files[DATA]).options if DATA in files else {}
    # The kind's widths must not stand in for those of the weights.
    own = {name: value for name, value in KINDS[folder.kind].defaults.items() if name not in recipes.FIXED}
    architecture = {name: options[name] for name in recipes.FIXED if name in options}
    opening = openings.of_new_model(choices, folder.kind)
    values = own | opening.values | architecture
    recipe = recipes.of_saved_model(choices.recipe, values, assets.PRETRAINED, folder.kind)
    return _plan(recipe, choices, {}, opening)


def _plan(recipe: Recipe, choices: Choices, state: Mapping[str, Any], opening: Opening) -> Plan:
    settings = _settings(recipe.kind, choices, state, opening)
    recipes.require_trainable(recipe, exact=settings.exact)
    return Plan(recipe, precision.decided(recipe, settings), opening)


def _settings(kind: str, choices: Choices, state: Mapping[str, Any], opening: Opening) -> TrainerSettings:
    """What was chosen, else what ``forge.json`` has, else the defaults. The precision may still be ``auto``.

    Raises:
        UsageError: for what does not go together.
    """
    chosen = {name: getattr(choices, name) for name in _CHOSEN}
    rate = opening.learning_rate if choices.learning_rate is None else choices.learning_rate
    chosen["rate"] = None if rate is None else rate / KINDS[kind].rate
    kept = {name: state[name] for name in asdict(TrainerSettings()) if name in state}
    settings = TrainerSettings(**kept | {name: value for name, value in chosen.items() if value is not None})
    if settings.exact and settings.warp_on_device:
        raise UsageError(
            "exact training moves samples as the original does, not on the device",
            where="--dfl-exact --warp-on-device",
            hint="use --no-warp-on-device, or --no-dfl-exact",
        )
    return settings


def _trainer(folder: ModelFolder, plan: Plan) -> Trainer:
    """Raises OutOfMemoryFault when the networks and their moments alone do not fit."""
    compiled = xla.choose(plan.recipe, plan.settings, folder.folder)
    with explained_memory(plan.recipe, "while the networks were made"):
        return Trainer(plan.recipe, plan.settings, xla=compiled)


def _resume(folder: ModelFolder, choices: Choices, trainer: Trainer | None = None) -> Session:
    """trainer: networks that serve what opens."""
    keep_as_it_came(folder)
    loaded = folder.load()
    data = dfl_weights.read_data(loaded.files[DATA])
    state = read_run_state(loaded.files.get(STATE))
    plan = _plan_saved(folder, choices, data, state)
    trainer = trainer or _trainer(folder, plan)
    trainer.take_rate(plan.settings.rate)
    session = Session(folder, plan.recipe, trainer)
    left_pretraining = bool(data.options.get("pretrain")) and not plan.recipe.pretrain
    # The original starts these networks anew as well, and keeps the optimizer with their old moments.
    inters = [name for name in session.trainer.networks if name.startswith("inter")] if left_pretraining else []
    restore(session, loaded.files, data, (*choices.reinit, *inters, *plan.opening.reinit))
    if left_pretraining:
        log.info("pretraining is over: %s start anew, and the iterations count from 0", " and ".join(inters))
        # The preview is drawn anew, too: its faces are those of the set for pretraining.
        session.iteration, session.history, session.sample = 0, [], None
        state.pop("held", None)  # of other faces
    return _ready(session, choices, state, plan.opening)


def _from_pretrained(folder: ModelFolder, choices: Choices, archive: Path) -> Session:
    with assets.pretrained_files(archive, folder.folder, folder.kind) as files:
        plan = _plan_pretrained(folder, choices, files)
        session = Session(folder, plan.recipe, _trainer(folder, plan))
        weights = {name: path for name, path in files.items() if name != DATA}
        session.trainer.load(weights, (*choices.reinit, *plan.opening.reinit))
    log.info("the new model starts from the weights in %s (--no-pretrained starts from nothing)", archive)
    return _ready(session, choices, {}, plan.opening)


def _ready(session: Session, choices: Choices, state: Mapping[str, Any], opening: Opening) -> Session:
    session.validation_count = (
        state.get("held_out", 0) if choices.validation_count is None else choices.validation_count
    )
    session.faces = state.get("faces", "")
    if session.validation_count:
        session.validation_losses = [list(row) for row in state.get("held", [])]
    return openings.follow(session, opening)
