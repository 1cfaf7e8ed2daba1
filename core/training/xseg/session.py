"""A model of the mask network in training: opened anew or from its files, saved all or nothing."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from core import fsio
from core.checkpoints.backups import keep_as_it_came
from core.checkpoints.flat_files import flat_files
from core.checkpoints.model_folder import DATA, ModelFolder, Write
from core.errors import InputError, UsageError
from core.formats import dfl_weights
from core.training.run_state import RunState
from core.training.saved_state import STATE, SUMMARY, read_state, state_writer, text_writer, validated
from core.training.xseg.choices import XSegChoices
from core.training.xseg.model import NAME, XSegRecipe, XSegTrainer

log = logging.getLogger(__name__)


class _State(BaseModel):
    """What ``XSeg_forge.json`` may hold."""

    seed: int = Field(0, ge=0, lt=2**31)
    resolution: int = Field(256, ge=64, le=1024, multiple_of=64)
    base: int = Field(32, ge=1, le=256)


class _Options(BaseModel):
    """What is read of the options in ``XSeg_data.dat``."""

    face_type: str | None = None
    batch_size: int = Field(4, ge=1, le=4096)
    pretrain: bool = False


@dataclass(frozen=True)
class XSegFolder(ModelFolder):
    """The mask model has no name of its own: its files are called ``XSeg_...``."""

    name: str = NAME
    kind: str = NAME

    @property
    def prefix(self) -> str:
        return NAME


@dataclass
class XSegSession(RunState):
    """A run of the mask network.

    options: as in ``XSeg_data.dat``.
    replaces: where the files of an older model go at the next save, None for nowhere: the save writes over its own.
    """

    folder: XSegFolder
    trainer: XSegTrainer
    options: dict[str, Any]
    replaces: Path | None = None

    def save(self) -> None:
        """Write everything, all or nothing."""
        trash = self.replaces
        if trash is not None:
            for path in flat_files(self.folder.folder, self.folder.prefix).values():
                fsio.keep_in_trash(path, trash)
        self.folder.save(self.iteration, self._writers(), alone=trash is not None)
        self.replaces, self.saved_iteration = None, self.iteration

    def _writers(self) -> dict[str, Write]:
        data = dfl_weights.ModelData(self.iteration, self.options, self.history, [])
        summary = dfl_weights.summary_text(NAME, self.iteration, self.options)
        recipe = self.trainer.recipe
        return {
            **self.trainer.writers(),
            DATA: lambda stream: dfl_weights.write_data(stream, data),
            SUMMARY: text_writer(summary + "\n"),
            STATE: state_writer({"seed": recipe.seed, "resolution": recipe.resolution, "base": recipe.base}),
        }


def open_session(folder: XSegFolder, choices: XSegChoices, trash: Path) -> XSegSession:
    """A new model, or the one in the folder. Leaving pretraining counts from 0.

    trash: where the old files of a model that is begun anew go at its first save.

    Raises:
        UsageError: something that belongs to the model is asked to change.
        InputError: there are weights without their data, or none of this resolution.
        CorruptFileError: a file is damaged.
    """
    if choices.restart:
        session = _begun(folder, choices)
        session.replaces = trash
        return session
    if not folder.exists():
        _require_no_stray_weights(folder)
        return _begun(folder, choices)
    return _resumed(folder, choices)


def _begun(folder: XSegFolder, choices: XSegChoices) -> XSegSession:
    folder.folder.mkdir(parents=True, exist_ok=True)
    return _session(folder, {}, {}, choices)


def _resumed(folder: XSegFolder, choices: XSegChoices) -> XSegSession:
    keep_as_it_came(folder)
    loaded = folder.load()
    data = dfl_weights.read_data(loaded.files[DATA])
    # What this program wrote about the model counts more than what the names of its files suggest.
    state = validated(read_state(loaded.files.get(STATE)), _State, folder.path(STATE))
    options = data.options | validated(data.options, _Options, folder.path(DATA))
    session = _session(folder, options, {**_dimensions(loaded.files), **state}, choices)
    left_pretraining = bool(data.options.get("pretrain")) and not session.options["pretrain"]
    session.trainer.load(loaded.files, optimizer=not left_pretraining)
    if left_pretraining:
        log.info("pretraining is over: the weights stay, the iterations count from 0")
        return session
    session.iteration, session.history, session.saved_iteration = data.iteration, data.loss_history, data.iteration
    return session


def _require_no_stray_weights(folder: XSegFolder) -> None:
    stray = [name for name in flat_files(folder.folder, folder.prefix) if name.endswith(".npy")]
    if stray:
        raise InputError(
            "XSeg weights without their XSeg_data.dat",
            where=folder.path(stray[0]),
            why="training would replace them",
            hint="put XSeg_data.dat beside them to go on from them, "
            "or --restart to begin anew (they go to workspace/.trash)",
        )


def _dimensions(files: Mapping[str, Path]) -> dict[str, int]:
    """The resolution that the names of files tell, for a model that somebody else trained."""
    sizes = [int(name.removesuffix(".npy")) for name in files if name.removesuffix(".npy").isdigit()]
    # Old files of other sizes may lie beside: the original's own size wins.
    # 256 also where nothing tells: it is the only size that the original has.
    return {"resolution": 256 if 256 in sizes or not sizes else max(sizes)}


def _session(
    folder: XSegFolder, options: Mapping[str, Any], saved: Mapping[str, Any], choices: XSegChoices
) -> XSegSession:
    """options: of ``data.dat``. saved: dimensions and seed that the files tell."""
    _require_fixed(choices, {**options, **saved})
    chosen: dict[str, Any] = {
        "face_type": str(choices.face_type or options.get("face_type") or "wf"),
        "batch_size": choices.batch_size or options.get("batch_size", 4),
        "pretrain": options.get("pretrain", False) if choices.pretrain is None else choices.pretrain,
    }
    recipe = XSegRecipe(pretrain=chosen["pretrain"], **_numbers(saved, choices))
    return XSegSession(folder, XSegTrainer(recipe), {**options, **chosen})


def _numbers(saved: Mapping[str, Any], choices: XSegChoices) -> dict[str, Any]:
    """What was chosen, else what the files tell."""
    names = ("resolution", "base", "seed")
    chosen = {name: getattr(choices, name) for name in names if getattr(choices, name) is not None}
    return {name: saved[name] for name in names if name in saved} | chosen


def _require_fixed(choices: XSegChoices, saved: Mapping[str, Any]) -> None:
    for name in ("face_type", "resolution", "base"):
        chosen = getattr(choices, name)
        if chosen is not None and name in saved and saved[name] != chosen:
            raise UsageError(
                "this belongs to the model and cannot change",
                where=f"--{name.replace('_', '-')} {chosen}",
                why=f"the model was made with {saved[name]}",
                hint="leave it out, or start anew with --restart",
            )
