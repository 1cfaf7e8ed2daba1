"""List, back up or restore the saves of a model."""

import time
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from core.errors import UsageError
from core.options import Options as BaseOptions
from core.options import Positional
from core.types import StageReport
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.checkpoints.backups import Backup
    from core.checkpoints.model_folder import ModelFolder


class Options(BaseOptions):
    """Flags of the stage."""

    action: Positional[Literal["list", "backup", "restore"]] = Field(
        description="list what there is, make a backup, or bring one back"
    )
    model: str | None = Field(None, description="name of the model, where the folder has several")
    kind: Literal["SAEHD", "AMP", "Quick96"] | None = Field(
        None, description="class of the model, where models of several have one name"
    )
    name: str | None = Field(
        None,
        description="backup: the name to keep it under (default: 01, the newest automatic one); restore: which one",
    )


def run(options: Options, workspace: Workspace) -> StageReport:
    """Do what ``options.action`` says; see ``core.checkpoints.backups``."""
    from core import fsio
    from core.checkpoints import backups

    if options.action == "restore" and options.name is None:
        raise UsageError("which backup is to be restored?", where="--name", hint="python -m core model list")
    if options.action == "list":
        return _listing(workspace, options)
    folder = _folder(workspace, options)
    with fsio.lock(workspace.locks / f"train.{folder.name}.lock", f"the model {folder.name}"):
        if options.action == "backup":
            return StageReport(f"backed up {folder.prefix}", outputs=(backups.make_backup(folder, options.name),))
        loaded = backups.restore(folder, str(options.name))
        return StageReport(
            f"restored {folder.prefix} from {options.name}",
            (("iteration", loaded.iteration),),
            loaded.messages,
            (folder.path("data.dat"),),
        )


def _folder(workspace: Workspace, options: Options) -> "ModelFolder":
    """The model that is meant; one that is gone, but for its backups, can be named too."""
    from core.checkpoints import saves
    from core.checkpoints.backups import backups_folder
    from core.checkpoints.model_folder import ModelFolder
    from core.checkpoints.selection import choose, find
    from core.networks.config import KINDS

    if options.model is None or find(workspace.model, options.model, options.kind):
        return choose(workspace.model, options.model, options.kind)
    gone = [ModelFolder(workspace.model, options.model, kind) for kind in KINDS if options.kind in (None, kind)]
    left = [model for model in gone if backups_folder(model).is_dir() or saves.complete(model.saves)]
    return left[0] if left else choose(workspace.model, options.model, options.kind)


def _listing(workspace: Workspace, options: Options) -> StageReport:
    """The saves and backups of all models that fit, and of one that is gone."""
    from core.checkpoints.backups import list_backups
    from core.checkpoints.selection import find

    models = find(workspace.model, options.model, options.kind) or [_folder(workspace, options)]
    rows, warnings = [], []
    for model in models:
        found, damaged = list_backups(model)
        before = f"{model.prefix}: " if len(models) > 1 else ""
        rows += [(before + backup.name, _described(backup)) for backup in found]
        warnings += [f"the backup {before}{name} is damaged" for name in damaged]
    return StageReport(
        f"{len(rows)} saves and backups of {', '.join(model.prefix for model in models)}", tuple(rows), tuple(warnings)
    )


def _described(backup: "Backup") -> str:
    written = time.strftime("%Y-%m-%d %H:%M", time.localtime(backup.written))
    return f"iteration {backup.iteration}, {backup.size / 2**20:.1f} MiB, {written}"
