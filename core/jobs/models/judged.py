"""What can be judged: a model's newest save, one of its saves or backups, any .dfm file."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core.checkpoints.backups import list_backups
from core.checkpoints.model_folder import DATA, ModelFolder
from core.checkpoints.model_weights import read_model_weights
from core.checkpoints.remarks import Remark
from core.checkpoints.selection import choose, find
from core.errors import InputError
from core.export.dfm import ModelWeights, describe, write_dfm
from core.formats.dfl_weights import read_data
from core.geometry.align import FaceType
from core.inference.dfm import OUTPUTS, as_dfm
from core.inference.sessions import Settings, open_session
from core.jobs.merge.model import open_swapper
from core.networks.config import ModelConfig, config_from_options
from core.quality.swap import Judged
from core.training.saved_state import STATE, read_run_state
from core.workspace import Workspace

_SETTINGS = Settings()


@dataclass(frozen=True)
class Candidate:
    """Something to judge.

    label: for people and names of files. dfm: the file; else files: name without prefix -> path, of a save.
    kind: class of a save. iteration: of a save, None for a file that does not say it. options: of the model.
    held_out: how many faces of each side it was never trained on, as it says. remarks: about how its files were chosen.
    """

    label: str
    dfm: Path | None = None
    files: Mapping[str, Path] = field(default_factory=dict)
    kind: str = "SAEHD"
    iteration: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    held_out: int = 0
    remarks: tuple[Remark, ...] = ()


def candidate(workspace: Workspace, text: str | None, kind: str | None = None) -> Candidate:
    """What a person means.

    text: a path to a .dfm; the name of a model; a model's save or backup as NAME:BACKUP, or BACKUP alone where there is
        one model; None for the only model.

    Raises:
        InputError: there is no such thing.
        CorruptFileError: it is damaged.
    """
    if text is not None and text.lower().endswith(".dfm"):
        return _of_file(Path(text).expanduser())
    if text is None or find(workspace.model, text, kind):
        return _of_save(choose(workspace.model, text, kind))
    name, colon, backup = text.partition(":")
    if colon:
        return _of_backup(choose(workspace.model, name, kind), backup)
    if len(find(workspace.model, None, kind)) == 1:
        return _of_backup(choose(workspace.model, None, kind), text)
    return _of_save(choose(workspace.model, text, kind))  # says what there is


def _of_file(path: Path) -> Candidate:
    if not path.is_file():
        raise InputError("no such file", where=path)
    # Not the stem as it is: NAME_SAEHD_... with the ending .json would count as a part of the model NAME.
    return Candidate(path.stem.replace("_", " "), dfm=path)


def _of_save(folder: ModelFolder) -> Candidate:
    loaded = folder.load(repair=False)
    return _described(Candidate(_label(folder), files=loaded.files, kind=folder.kind, remarks=loaded.remarks))


def _of_backup(folder: ModelFolder, name: str) -> Candidate:
    found = {backup.name: backup for backup in list_backups(folder)[0]}
    if name not in found:
        raise InputError(
            "no such save or backup",
            where=name,
            why=f"{folder.prefix} has {', '.join(found) or 'none'}",
            hint="`bash scripts/5.x_model.sh list` shows them; a model is given by its name, a file by its path",
        )
    return _described(Candidate(f"{_label(folder)} {name}", files=found[name].files, kind=folder.kind))


def _label(folder: ModelFolder) -> str:
    return folder.name if folder.kind == "SAEHD" else f"{folder.name} {folder.kind}"


def _described(known: Candidate) -> Candidate:
    if DATA not in known.files:
        raise InputError("a model without its data.dat", where=known.label)
    data, state = read_data(known.files[DATA]), read_run_state(known.files.get(STATE))
    return replace(known, iteration=data.iteration, options=data.options, held_out=int(state.get("held_out", 0)))


@contextmanager
def opened(workspace: Workspace, what: Candidate) -> Iterator[Judged]:
    """The candidate ready to run, without a framework.

    Raises:
        InputError: it is no model for live programs, or weights are missing.
        CorruptFileError: it is damaged.
    """
    if what.dfm is not None:
        swapper = open_swapper(workspace, what.dfm, None, _SETTINGS)
        yield Judged(swapper.dfm, swapper.face_type)
        return
    config = config_from_options(what.options, what.kind)
    with built(workspace, read_model_weights(what.files, config, averages=True), config, what.label) as model:
        yield model


@contextmanager
def built(workspace: Workspace, weights: ModelWeights, config: ModelConfig, label: str) -> Iterator[Judged]:
    """Weights ready to run, without a framework. label: for messages. Raises as ``opened``."""
    with tempfile.TemporaryDirectory(prefix=".quality.", dir=workspace.model) as folder:
        path = Path(folder) / "model.dfm"
        with open(path, "wb") as stream:
            write_dfm(stream, weights, config, describe(config, {}), mask_only=False)
        session = open_session(path, label, _SETTINGS)
        # The fourth output is asked for by name.
        dfm = as_dfm(replace(session, outputs=session.outputs[: len(OUTPUTS)]))
        yield Judged(dfm, FaceType.parse(config.face_type), rebuilds=True)
