"""From options and a workspace to a session that is ready to train: a new model, a resumed one, or one begun from pretrained weights."""

import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from core.checkpoints.model_folder import DATA, ModelFolder
from core.data.batches import BatchSettings, bins_by_yaw
from core.errors import UsageError
from core.faceset.masks.report import described, mask_origins
from core.faceset.store import Faceset, open_faceset
from core.formats import dfl_weights
from core.geometry.align import FaceType
from core.training import assets
from core.training import recipe as recipes
from core.training.hardware import xla
from core.training.hardware.machine import free_memory
from core.training.kinds import KINDS
from core.training.loop import out_of_memory
from core.training.recipe import Recipe
from core.training.schedule import phases
from core.training.schedule.presets import Preset
from core.training.schedule.schedule import Opening
from core.training.session import STATE, Session, restore
from core.training.sides import require_faces
from core.training.trainer import Trainer, TrainerSettings
from core.training.validation_split import split
from core.training.weight_files import read_state
from core.types import FaceRecord
from core.workspace import Workspace

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StartOptions:
    """What a run chooses beside the recipe. reinit: parts of the networks to start anew; preset: a schedule from now on, an empty one ends it;
    held_out: faces of each side that are never trained on, and the others, fields of TrainerSettings: None takes what the model has."""

    seed: int | None = None
    exact: bool | None = None
    reinit: tuple[str, ...] = ()
    use_pretrained: bool = True
    learning_rate: float | None = None
    precision: str | None = None
    ema: float | None = None
    devices: int | None = None
    preset: Preset | None = None
    held_out: int | None = None


def open_session(folder: ModelFolder, given: Recipe, start: StartOptions, assets_folder: Path) -> Session:
    """Build the networks and load what there is. Raises UsageError, InputError, CorruptFileError."""
    if folder.exists():
        return _resume(folder, given, start)
    folder.folder.mkdir(parents=True, exist_ok=True)
    archive = assets.pretrained(assets_folder, folder.kind)
    if start.use_pretrained and archive.is_file():
        return _from_pretrained(folder, given, start, archive)
    plan = _plan_new(folder, given, start)
    return _ready(Session(folder, plan.recipe, _trainer(folder, plan)), start, {}, plan.opening)


@dataclass(frozen=True)
class Plan:
    """What will be built, and how it opens."""

    recipe: Recipe
    settings: TrainerSettings
    opening: Opening


def planned(folder: ModelFolder, given: Recipe, start: StartOptions, assets_folder: Path) -> Plan:
    """What ``open_session`` would build; builds and changes nothing. Raises UsageError, InputError, CorruptFileError."""
    if folder.exists():
        files = folder.load(repair=False).files
        return _plan_saved(folder, given, start, dfl_weights.read_data(files[DATA]), read_state(files.get(STATE)))
    archive = assets.pretrained(assets_folder, folder.kind)
    if start.use_pretrained and archive.is_file():
        with (
            tempfile.TemporaryDirectory() as beside,
            assets.pretrained_files(archive, Path(beside), folder.kind) as files,
        ):
            return _plan_pretrained(folder, given, start, files)
    return _plan_new(folder, given, start)


def _trainer(folder: ModelFolder, plan: Plan) -> Trainer:
    """Raises OutOfMemoryFault when the networks and their moments alone do not fit."""
    compiled = xla.choose(plan.recipe, plan.settings, folder.folder)
    try:
        return Trainer(plan.recipe, plan.settings, xla=compiled)
    except Exception as error:
        raise (out_of_memory(error, plan.recipe, "while the networks were made") or error) from error


def _plan_new(folder: ModelFolder, given: Recipe, start: StartOptions) -> Plan:
    opening = phases.of_new(start.preset, given, start.learning_rate, folder.kind)
    return Plan(
        recipes.checked(recipes.begun(given, folder.kind, opening.values)),
        _settings(folder, start, {}, opening),
        opening,
    )


def _plan_saved(
    folder: ModelFolder, given: Recipe, start: StartOptions, data: dfl_weights.ModelData, state: dict[str, Any]
) -> Plan:
    opening = phases.of_saved(start.preset, given, start.learning_rate, state, data, folder)
    recipe = recipes.checked(recipes.resumed(given, data.options | opening.values, folder.path(DATA), folder.kind))
    return Plan(recipe, _settings(folder, start, state, opening), opening)


def _plan_pretrained(folder: ModelFolder, given: Recipe, start: StartOptions, files: Mapping[str, Path]) -> Plan:
    options = dfl_weights.read_data(files[DATA]).options if DATA in files else {}
    own = {name: value for name, value in KINDS[folder.kind].defaults.items() if name not in recipes.FIXED}
    architecture = {name: options[name] for name in recipes.FIXED if name in options}
    opening = phases.of_new(start.preset, given, start.learning_rate, folder.kind)
    recipe = recipes.checked(
        recipes.resumed(given, own | opening.values | architecture, assets.PRETRAINED, folder.kind)
    )
    return Plan(recipe, _settings(folder, start, {}, opening), opening)


def _resume(folder: ModelFolder, given: Recipe, start: StartOptions) -> Session:
    loaded = folder.load()
    data = dfl_weights.read_data(loaded.files[DATA])
    state = read_state(loaded.files.get(STATE))
    plan = _plan_saved(folder, given, start, data, state)
    recipe, opening = plan.recipe, plan.opening
    session = Session(folder, recipe, _trainer(folder, plan))
    left = bool(data.options.get("pretrain")) and not recipe.pretrain
    inters = tuple(name for name in session.trainer.networks if name.startswith("inter")) if left else ()
    restore(session, loaded.files, data, start.reinit + inters + opening.reinit)
    if left:
        log.info("pretraining is over: %s start anew, and the iterations count from 0", " and ".join(inters))
        session.iteration, session.history, session.sample = 0, [], None
        state.pop("held", None)  # of other faces
    return _ready(session, start, state, opening)


def _from_pretrained(folder: ModelFolder, given: Recipe, start: StartOptions, archive: Path) -> Session:
    with assets.pretrained_files(archive, folder.folder, folder.kind) as files:
        plan = _plan_pretrained(folder, given, start, files)
        session = Session(folder, plan.recipe, _trainer(folder, plan))
        session.trainer.load(
            {name: path for name, path in files.items() if name != DATA}, start.reinit + plan.opening.reinit
        )
    log.info("the new model starts from the weights in %s (--no-pretrained starts from nothing)", archive)
    return _ready(session, start, {}, plan.opening)


def _ready(session: Session, start: StartOptions, state: dict[str, Any], opening: Opening) -> Session:
    session.validation_count = int(state.get("held_out", 0)) if start.held_out is None else start.held_out
    if session.validation_count:
        session.validation_losses = [list(row) for row in state.get("held", [])]
    return phases.follow(session, opening)


def _settings(folder: ModelFolder, start: StartOptions, state: dict[str, Any], opening: Opening) -> TrainerSettings:
    given = {name: getattr(start, name) for name in ("seed", "exact", "precision", "ema", "devices")}
    rate = opening.learning_rate if start.learning_rate is None else start.learning_rate
    given["rate"] = None if rate is None else rate / KINDS[folder.kind].rate
    kept = {name: type(default)(state[name]) for name, default in asdict(TrainerSettings()).items() if name in state}
    return TrainerSettings(**kept | {name: value for name, value in given.items() if value is not None})


def batch_settings(session: Session, workspace: Workspace, workers: int, pretrain_faces: Path | None) -> BatchSettings:
    """What the batches of a session are made of. Raises InputError when a side has no faces, UsageError for pretraining without faces."""
    recipe = recipes.effective(session.recipe)
    parts = [
        split(faces, session.validation_count, side)
        for side, faces in zip(("src", "dst"), _facesets(recipe, workspace, pretrain_faces), strict=True)
    ]
    src, dst = (part.training for part in parts)
    settings = session.trainer.settings
    for name, faces in (("src", src), ("dst", dst)):
        log.info("%s masks: %s", name, described(mask_origins(_as_trained(faces, settings.exact))))
    bins = [bins_by_yaw(faces.records()) if recipe.uniform_yaw else None for faces in (src, dst)]
    made = BatchSettings(
        src,
        dst,
        recipe.resolution,
        FaceType.parse(recipe.face_type),
        recipe.batch_size,
        settings.seed,
        recipe.random_warp,
        recipe.random_src_flip,
        recipe.random_dst_flip,
        recipe.random_hsv_power,
        recipe.ct_mode,
        settings.exact,
        cache_bytes(max(1, workers)),
        bins[0],
        bins[1],
        scale=KINDS[recipe.kind].scale,
        repeat_every=KINDS[recipe.kind].repeat_every,
    )
    if session.validation_count:
        own = [part.validation for part in parts]
        session.validation_faces = replace(made, src=own[0], dst=own[1], src_bins=None, dst_bins=None)
    return made


def _as_trained(faces: Faceset, exact: bool) -> Iterator[FaceRecord]:
    """The records as training takes them: an exact run ignores polygons, as the original does."""
    return (replace(record, polygons=()) if exact else record for record in faces.records())


def _facesets(recipe: Recipe, workspace: Workspace, pretrain_faces: Path | None) -> tuple[Faceset, Faceset]:
    if recipe.pretrain:
        if pretrain_faces is None:
            raise UsageError(
                "pretraining needs faces",
                where="--pretrain",
                hint="--pretrain-faces FOLDER names a folder of aligned faces of many people",
            )
        faces = _opened(pretrain_faces)
        return faces, faces
    src, dst = workspace.side("src"), workspace.side("dst")
    archive = workspace.assets / assets.RANDOM_DST
    if not assets.has_faces(dst) and archive.is_file():
        assets.fill_dst_faces(archive, dst)
    require_faces(workspace)
    return _opened(src.aligned), _opened(dst.aligned)


def _opened(folder: Path) -> Faceset:
    faces = open_faceset(folder)
    log.info("%s: %d faces", folder, len(faces))
    for name, why in faces.problems:
        log.warning("skipped: %s: %s", name, why)
    return faces


def cache_bytes(workers: int) -> int:
    """Room for prepared faces in each worker: a quarter of the free memory together, at most 4 GiB."""
    return min(free_memory() // 4, 4 * 2**30) // workers


def default_workers() -> int:
    """One core is left to the networks; more than eight workers are rarely kept busy."""
    return max(1, min(8, (os.cpu_count() or 2) - 1))
