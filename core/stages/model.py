"""List, back up or restore the saves of a model."""

import time
from typing import Literal

from pydantic import Field
from pydantic_settings import CliPositionalArg

from core.errors import UsageError
from core.options import Options as BaseOptions
from core.types import StageReport
from core.workspace import Workspace


class Options(BaseOptions):
    """Flags of the stage."""

    action: CliPositionalArg[Literal["list", "backup", "restore"]] = Field(description="list what there is, make a backup, or bring one back")
    model: str | None = Field(None, description="name of the model, where the folder has several")
    kind: Literal["SAEHD", "AMP", "Quick96"] | None = Field(None, description="class of the model, where models of several have one name")
    name: str | None = Field(None, description="backup: the name to keep it under (default: 01, the newest automatic one); restore: which one")


def run(options: Options, workspace: Workspace) -> StageReport:
    """Do what ``options.action`` says; see ``core.training.backups``."""
    from core.training import backups

    if options.action == "restore" and options.name is None:
        raise UsageError("which backup is to be restored?", where="--name", hint="python -m core model list")
    folder = _folder(workspace, options)
    with _locked(workspace, options.action, folder.name):
        if options.action == "backup":
            return StageReport(f"backed up {folder.prefix}", outputs=(backups.make_backup(folder, options.name),))
        if options.action == "restore":
            loaded = backups.restore(folder, str(options.name))
            return StageReport(f"restored {folder.prefix} from {options.name}", (("iteration", loaded.iteration),), loaded.messages, (folder.path("data.dat"),))
        return _listing(folder.prefix, *backups.list_backups(folder))


def _folder(workspace: Workspace, options: Options):
    """The model that is meant; one that is gone, but for its backups, can be named too."""
    from core.training import saves
    from core.training.backups import backups_folder
    from core.training.model_folder import ModelFolder, choose, find

    if options.model is None or find(workspace.model, options.model, options.kind):
        return choose(workspace.model, options.model, options.kind)
    gone = [ModelFolder(workspace.model, options.model, kind) for kind in ("SAEHD", "AMP", "Quick96") if options.kind in (None, kind)]
    left = [model for model in gone if backups_folder(model).is_dir() or saves.complete(model.saves)]
    return left[0] if left else choose(workspace.model, options.model, options.kind)


def _locked(workspace: Workspace, action: str, name: str):
    from contextlib import nullcontext

    from core import fsio

    return nullcontext() if action == "list" else fsio.lock(workspace.locks / f"train.{name}.lock", f"the model {name}")


def _listing(prefix: str, found: list, damaged: list[str]) -> StageReport:
    rows = tuple((b.name, f"iteration {b.iteration}, {b.size / 2**20:.1f} MiB, {time.strftime('%Y-%m-%d %H:%M', time.localtime(b.written))}") for b in found)
    return StageReport(f"{len(found)} saves and backups of {prefix}", rows, tuple(f"the backup {name} is damaged" for name in damaged))
