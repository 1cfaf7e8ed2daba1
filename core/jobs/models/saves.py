"""The models of a workspace: what saves and backups there are, making a backup, bringing one back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.checkpoints import backups, saves
from core.checkpoints.backups import Backup
from core.checkpoints.model_folder import ModelFolder
from core.checkpoints.remarks import Remark
from core.checkpoints.selection import choose, find
from core.networks.config import KINDS
from core.workspace import Workspace


@dataclass(frozen=True)
class ModelSaves:
    """What can be brought back of a model.

    model, kind: its name and class. backups: its complete saves, newest first, then its backups. damaged: names of
    backups that cannot be read.
    """

    model: str
    kind: str
    backups: tuple[Backup, ...]
    damaged: tuple[str, ...]

    @property
    def prefix(self) -> str:
        """How the model's files begin: ``swap_SAEHD``."""
        return f"{self.model}_{self.kind}"


@dataclass(frozen=True)
class BackedUp:
    """A backup that was made. model, kind: of what; path: its folder."""

    model: str
    kind: str
    path: Path


@dataclass(frozen=True)
class Restored:
    """A model that was brought back.

    model, kind: its name and class. iteration: where it is now. path: its ``data.dat``. remarks: what a person should
    know about how its files were chosen.
    """

    model: str
    kind: str
    iteration: int
    path: Path
    remarks: tuple[Remark, ...]


def list_saves(workspace: Workspace, *, model: str | None = None, kind: str | None = None) -> tuple[ModelSaves, ...]:
    """The saves and backups of all models that fit, and of one that is gone. Raises InputError when there are none."""
    models = find(workspace.model, model, kind) or [_folder(workspace, model, kind)]
    return tuple(_saves_of(folder) for folder in models)


def back_up(
    workspace: Workspace, *, model: str | None = None, kind: str | None = None, name: str | None = None
) -> BackedUp:
    """Copy the newest save of a model. name: what to keep it under; None makes it the newest of the automatic ones.

    Raises:
        InputError: when there is no such model, or several, or the name is taken or cannot be one.
    """
    folder = _folder(workspace, model, kind)
    with locked(folder, workspace):
        return BackedUp(folder.name, folder.kind, backups.make_backup(folder, name))


def restore(workspace: Workspace, name: str, *, model: str | None = None, kind: str | None = None) -> Restored:
    """Make a backup the model again; what was the model until now stays as the save before.

    Raises:
        InputError: when there is no such model or backup.
        CorruptFileError: when the backup is damaged.
    """
    folder = _folder(workspace, model, kind)
    with locked(folder, workspace):
        loaded = backups.restore(folder, name)
    return Restored(folder.name, folder.kind, loaded.iteration, folder.path("data.dat"), loaded.remarks)


@contextmanager
def locked(folder: ModelFolder, workspace: Workspace) -> Iterator[None]:
    """Held by whatever changes a model. Raises InputError while another run holds it."""
    with workspace.locked(f"train.{folder.name}", f"the model {folder.name}"):
        yield


def _saves_of(folder: ModelFolder) -> ModelSaves:
    found, damaged = backups.list_backups(folder)
    return ModelSaves(folder.name, folder.kind, tuple(found), tuple(damaged))


def _folder(workspace: Workspace, model: str | None, kind: str | None) -> ModelFolder:
    """The model that is meant; one that is gone, but for its backups, can be named too."""
    if model is None or find(workspace.model, model, kind):
        return choose(workspace.model, model, kind)
    gone = [ModelFolder(workspace.model, model, each) for each in KINDS if kind in (None, each)]
    left = [folder for folder in gone if backups.backups_folder(folder).is_dir() or saves.complete(folder.saves)]
    # Nothing is left: choose says what there is instead.
    return left[0] if left else choose(workspace.model, model, kind)
