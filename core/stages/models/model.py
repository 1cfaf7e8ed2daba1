"""List, back up or restore the saves of a model."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from core.console import size_text
from core.errors import UsageError
from core.options import Options as BaseOptions
from core.options import Positional
from core.types import StageReport
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.checkpoints.backups import Backup
    from core.jobs.models.saves import ModelSaves


class Options(BaseOptions):
    """Flags of the stage."""

    action: Positional[Literal["list", "backup", "restore"]] = Field(
        description="list what there is, make a backup, or bring one back"
    )
    model: str | None = Field(None, description="name of the model, where the folder has several")
    kind: Literal["SAEHD", "AMP", "Quick96"] | None = Field(
        None, description="class of the model, where models of different classes have the same name"
    )
    name: str | None = Field(
        None,
        description="backup: name of the new backup (default: 01, the newest automatic one); "
        "restore: which one to bring back",
    )


def run(options: Options, workspace: Workspace) -> StageReport:
    """Do what ``options.action`` says."""
    from core.jobs.models import saves

    if options.action == "list":
        return _listing(saves.list_saves(workspace, model=options.model, kind=options.kind))
    if options.action == "backup":
        made = saves.back_up(workspace, model=options.model, kind=options.kind, name=options.name)
        return StageReport(f"backed up {made.model}_{made.kind}", outputs=(made.path,))
    if options.name is None:
        hint = "`bash scripts/5.x_model.sh list` shows them"
        raise UsageError("which backup is to be restored?", where="--name", hint=hint)
    back = saves.restore(workspace, options.name, model=options.model, kind=options.kind)
    title = f"restored {back.model}_{back.kind} from {options.name}"
    return StageReport(title, (("iteration", back.iteration),), tuple(map(str, back.remarks)), (back.path,))


def _listing(models: "Sequence[ModelSaves]") -> StageReport:
    rows, warnings = [], []
    for model in models:
        before = f"{model.prefix}: " if len(models) > 1 else ""
        rows += [(before + backup.name, _described(backup)) for backup in model.backups]
        warnings += [f"the backup {before}{name} is damaged" for name in model.damaged]
    title = f"{len(rows)} saves and backups of {', '.join(model.prefix for model in models)}"
    return StageReport(title, tuple(rows), tuple(warnings))


def _described(backup: "Backup") -> str:
    written = time.strftime("%Y-%m-%d %H:%M", time.localtime(backup.written))
    return f"iteration {backup.iteration}, {size_text(backup.size)}, {written}"
