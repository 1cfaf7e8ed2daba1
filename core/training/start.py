"""From options and a workspace to a session that is ready to train: a new model, a resumed one, or one begun from pretrained weights."""

import logging
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from core.data.batches import BatchSettings, bins_by_yaw
from core.errors import InputError, UsageError
from core.faceset.mask_report import described, mask_origins
from core.faceset.store import Faceset, open_faceset
from core.formats import dfl_weights
from core.geometry.align import FaceType
from core.models.optimizers import LEARNING_RATE
from core.training import assets
from core.training import recipe as recipes
from core.training.files import read_state
from core.training.model_folder import DATA, ModelFolder, discover
from core.training.recipe import Recipe
from core.training.session import STATE, Session, restore
from core.training.trainer import Trainer, TrainerSettings
from core.types import FaceRecord
from core.workspace import Workspace

log = logging.getLogger(__name__)
DEFAULT_NAME = "swap"


@dataclass(frozen=True)
class StartOptions:
    """What a run chooses beside the recipe. reinit: parts of the networks to start anew; the others are fields of TrainerSettings, None takes
    the model's."""

    seed: int | None = None
    exact: bool | None = None
    reinit: tuple[str, ...] = ()
    use_pretrained: bool = True
    learning_rate: float | None = None
    precision: str | None = None
    ema: float | None = None
    devices: int | None = None


def model_folder(workspace: Workspace, name: str | None) -> ModelFolder:
    """The model called ``name``, else the only one, else a new one. Raises UsageError when there are several."""
    found = discover(workspace.model)
    if name is None and len(found) > 1:
        raise UsageError("there are several models", where=workspace.model, why=", ".join(found), hint="choose one with --model NAME")
    return ModelFolder(workspace.model, name or (found[0] if found else DEFAULT_NAME))


def open_session(folder: ModelFolder, given: Recipe, start: StartOptions, assets_folder: Path) -> Session:
    """Build the networks and load what there is. Raises UsageError, InputError, CorruptFileError."""
    archive = assets_folder / assets.PRETRAINED
    if folder.exists():
        return _resume(folder, given, start)
    folder.folder.mkdir(parents=True, exist_ok=True)
    if start.use_pretrained and archive.is_file():
        return _from_pretrained(folder, given, start, archive)
    recipe = recipes.checked(given)
    return Session(folder, recipe, Trainer(recipe, _settings(start, {})))


def _resume(folder: ModelFolder, given: Recipe, start: StartOptions) -> Session:
    loaded = folder.load()
    data = dfl_weights.read_data(loaded.files[DATA])
    state = read_state(loaded.files.get(STATE))
    recipe = recipes.checked(recipes.resumed(given, data.options, loaded.files[DATA]))
    session = Session(folder, recipe, Trainer(recipe, _settings(start, state)))
    left = bool(data.options.get("pretrain")) and not recipe.pretrain
    inters = tuple(name for name in session.trainer.networks if name.startswith("inter")) if left else ()
    restore(session, loaded.files, data, start.reinit + inters)
    if left:
        log.info("pretraining is over: %s start anew, and the iterations count from 0", " and ".join(inters))
        session.iteration, session.history, session.sample = 0, [], None
    return session


def _from_pretrained(folder: ModelFolder, given: Recipe, start: StartOptions, archive: Path) -> Session:
    with assets.pretrained_files(archive, folder.folder) as files:
        data = dfl_weights.read_data(files[DATA])
        architecture = {name: data.options[name] for name in recipes.FIXED if name in data.options}
        recipe = recipes.checked(recipes.resumed(given, architecture, archive))
        session = Session(folder, recipe, Trainer(recipe, _settings(start, {})))
        session.trainer.load({name: path for name, path in files.items() if name != DATA}, start.reinit)
    log.info("the new model starts from the weights in %s (--no-pretrained starts from nothing)", archive)
    return session


def _settings(start: StartOptions, state: dict[str, Any]) -> TrainerSettings:
    given = {name: getattr(start, name) for name in ("seed", "exact", "precision", "ema", "devices")}
    given["rate"] = None if start.learning_rate is None else start.learning_rate / LEARNING_RATE
    kept = {name: type(default)(state[name]) for name, default in asdict(TrainerSettings()).items() if name in state}
    return TrainerSettings(**kept | {name: value for name, value in given.items() if value is not None})


def batch_settings(session: Session, workspace: Workspace, workers: int, pretrain_faces: Path | None) -> BatchSettings:
    """What the batches of a session are made of. Raises InputError when a side has no faces, UsageError for pretraining without faces."""
    recipe = recipes.effective(session.recipe)
    src, dst = _facesets(recipe, workspace, pretrain_faces)
    exact = session.trainer.settings.exact
    for name, faces in (("src", src), ("dst", dst)):
        log.info("%s masks: %s", name, described(mask_origins(_as_trained(faces, exact))))
    bins = [bins_by_yaw(faces.records()) if recipe.uniform_yaw else None for faces in (src, dst)]
    settings = session.trainer.settings
    return BatchSettings(
        src, dst, recipe.resolution, FaceType.parse(recipe.face_type), recipe.batch_size, settings.seed, recipe.random_warp, recipe.random_src_flip,
        recipe.random_dst_flip, recipe.random_hsv_power, recipe.ct_mode, settings.exact, cache_bytes(max(1, workers)), bins[0], bins[1],
    )


def _as_trained(faces: Faceset, exact: bool) -> Iterator[FaceRecord]:
    """The records as training takes them: an exact run ignores polygons, as the original does."""
    return (replace(record, polygons=()) if exact else record for record in faces.records())


def _facesets(recipe: Recipe, workspace: Workspace, pretrain_faces: Path | None) -> tuple[Faceset, Faceset]:
    if recipe.pretrain:
        if pretrain_faces is None:
            raise UsageError("pretraining needs faces", where="--pretrain", hint="--pretrain-faces FOLDER names a folder of aligned faces of many people")
        faces = _opened(pretrain_faces)
        return faces, faces
    src, dst = workspace.side("src"), workspace.side("dst")
    archive = workspace.assets / assets.RANDOM_DST
    if not assets.has_faces(dst) and archive.is_file():
        assets.fill_dst_faces(archive, dst)
    for side, script in ((src, "3_extract_src_faces.sh"), (dst, "4_extract_dst_faces.sh")):
        if not assets.has_faces(side):
            raise InputError("no faces to train on", where=side.aligned, hint=f"bash scripts/{script} makes them")
    return _opened(src.aligned), _opened(dst.aligned)


def _opened(folder: Path) -> Faceset:
    faces = open_faceset(folder)
    log.info("%s: %d faces", folder, len(faces))
    for name, why in faces.problems:
        log.warning("skipped: %s: %s", name, why)
    return faces


def cache_bytes(workers: int) -> int:
    """Room for prepared faces in each worker: a quarter of the free memory together, at most 4 GiB."""
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min(free // 4, 4 * 2**30) // workers


def default_workers() -> int:
    """One core is left to the networks; more than eight workers are rarely kept busy."""
    return max(1, min(8, (os.cpu_count() or 2) - 1))
