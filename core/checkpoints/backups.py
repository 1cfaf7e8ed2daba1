"""Backups of a model: whole copies in ``<name>_SAEHD_autobackups/``.

The automatic ones are in folders 01 (newest) to 24, as DeepFaceLab lays them out, a person's own under the name that
was given.
"""

import filecmp
import logging
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from core import fsio
from core.checkpoints import saves
from core.checkpoints.flat_files import flat_files, reason_unreadable
from core.checkpoints.model_folder import DATA, LoadedModel, ModelFolder
from core.errors import CorruptFileError, InputError, from_os_error
from core.formats.dfl_weights import read_data
from core.safe_paths import is_real_folder, own_folder

log = logging.getLogger(__name__)
KEPT = 24
_INCOMING = ".incoming"
AS_IT_CAME = "as it came"


@dataclass(frozen=True)
class Backup:
    """What can be brought back.

    name: of the backup; or ``save <iteration>`` for one of the complete saves, ``save <iteration> older`` for an
        earlier one of the same iteration.
    iteration: of the model.
    files: name without prefix -> path.
    """

    name: str
    iteration: int
    files: dict[str, Path]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(path.stat().st_size for path in self.files.values())

    @property
    def written(self) -> float:
        """Seconds since 1970."""
        return self.files[DATA].stat().st_mtime


def backups_folder(model: ModelFolder) -> Path:
    """Where the backups of a model are."""
    return model.folder / f"{model.prefix}_autobackups"


def list_backups(model: ModelFolder) -> tuple[list[Backup], list[str]]:
    """What ``restore`` can bring back: complete saves, then backups by name; and the names of damaged folders."""
    found = _complete_saves(model)
    damaged = []
    for path in _folders(model):
        files = flat_files(path, model.prefix)
        if DATA not in files:
            continue
        if reason_unreadable(files[DATA]):
            damaged.append(path.name)
        else:
            found.append(Backup(path.name, read_data(files[DATA]).iteration, files))
    return found, damaged


def _complete_saves(model: ModelFolder) -> list[Backup]:
    """The complete saves as backups, newest first."""
    found: list[Backup] = []
    for save in saves.complete(model.saves):
        if DATA in save.files:
            files = {name: save.folder / name for name in save.files}
            found.append(Backup(_save_name(save.iteration, found), save.iteration, files))
    return found


def _folders(model: ModelFolder) -> list[Path]:
    """The folders of backups, by name; one that is being made starts with a dot."""
    folder = backups_folder(model)
    if not folder.is_dir():
        return []
    return [path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")]


def make_backup(model: ModelFolder, name: str | None = None, extra: tuple[Path, ...] = ()) -> Path:
    """Copy the newest save into folder 01, after the older ones have moved on by one and the 24th was dropped.

    name: copy it into the folder of that name instead.
    extra: further files to copy, such as the preview.
    Returns the folder.

    Raises:
        InputError: there is no model, or the name is taken or cannot be one.
        PipelineError: the operating system refused something, such as more space; nothing is left of the new backup.
    """
    folder = backups_folder(model)
    if name is not None:
        _validate_name(folder, name)
    incoming = folder / _INCOMING
    try:
        # First: behind a link nothing is deleted.
        own_folder(folder)
        # What a killed run has left.
        shutil.rmtree(incoming, ignore_errors=True)
        own_folder(incoming)
        for file, path in model.load().files.items():
            _copy(path, incoming / f"{model.prefix}_{file}")
        for path in extra:
            _copy(path, incoming / path.name)
        fsio.fsync_dir(incoming)
        if name is None:
            # Only now: a copy that fails must not cost the oldest backup.
            _make_room(folder)
        target = folder / (name or "01")
        os.rename(incoming, target)  # the moment the backup counts
        fsio.fsync_dir(folder)
    except OSError as error:
        shutil.rmtree(incoming, ignore_errors=True)
        raise from_os_error(error) from error
    return target


def keep_as_it_came(model: ModelFolder) -> Path | None:
    """Back up a model that this program has never saved; of its own files a few of our saves would leave nothing.

    Returns the folder; None where there is nothing to do. Raises what ``make_backup`` raises.
    """
    if saves.complete(model.saves) or not model.exists() or (backups_folder(model) / AS_IT_CAME).exists():
        return None
    log.info("the model as it came is kept: `bash scripts/5.x_model.sh restore --name '%s'` brings it back", AS_IT_CAME)
    return make_backup(model, AS_IT_CAME)


def _validate_name(folder: Path, name: str) -> None:
    # Names that restore already understands otherwise: two digits are automatic backups, "save 100" a complete save.
    if not re.fullmatch(r"[^./\\\0][^/\\\0]*", name) or re.fullmatch(r"\d\d|save \d+( older)*", name):
        raise InputError(
            "not a name for a backup",
            where=repr(name),
            why="it starts with a dot, has a slash, or is that of an automatic one",
            hint="give another name",
        )
    if (folder / name).exists():
        raise InputError("not a name for a backup", where=repr(name), why="it is taken", hint="give another name")


def _copy(source: Path, target: Path) -> None:
    """A copy of its own, not a link: what is written over a flat file in place must not reach its backups."""
    shutil.copy2(source, target)
    with open(target, "rb") as stream:
        os.fsync(stream.fileno())


def remove_backup(path: Path) -> None:
    """Delete a backup; of a link to one only the link."""
    if is_real_folder(path):
        shutil.rmtree(path)
    else:
        path.unlink()


def _make_room(folder: Path) -> None:
    """Free 01: move each folder up to the first gap on by one. Cut short, it leaves a gap that the next time fills."""
    taken = [(folder / f"{n:02d}").exists() for n in range(1, KEPT + 1)]
    used = taken.index(False) if False in taken else KEPT
    if used == KEPT:
        remove_backup(folder / f"{KEPT:02d}")
        used -= 1
    for n in range(used, 0, -1):
        os.rename(folder / f"{n:02d}", folder / f"{n + 1:02d}")


def restore(model: ModelFolder, name: str) -> LoadedModel:
    """Make a backup the model again. What was the model until now stays as the save before.

    Raises:
        InputError: no backup has that name.
        CorruptFileError: a file of the backup cannot be read.
    """
    found = {backup.name: backup for backup in list_backups(model)[0]}
    if name not in found:
        raise InputError(
            "no such backup",
            where=name,
            why=f"found {', '.join(found) or 'none'}",
            hint="`bash scripts/5.x_model.sh list` shows them",
        )
    backup = found[name]
    reasons = {file: reason_unreadable(path) for file, path in backup.files.items()}
    bad = [f"{file}: {why}" for file, why in reasons.items() if why]
    if bad:
        raise CorruptFileError("the backup is damaged", where=name, why="; ".join(bad), hint="choose another one")
    before = _keep(model) if model.exists() else None
    # So it is after a restore that was cut short; another save would push out what was the model before it.
    if before and _equal(before.files, backup.files):
        return before
    # Saving would take files along that the backup does not have, such as those of an option that was off then.
    for file, path in flat_files(model.folder, model.prefix).items():
        if file not in backup.files:
            saves.set_aside(path, model.saves)
    model.save(backup.iteration, {file: partial(_copier, path) for file, path in backup.files.items()})
    return model.load()


def _keep(model: ModelFolder) -> LoadedModel | None:
    """Make what is there the save before.

    Where nothing sound is left, which is what backups are for, its files are set aside; returns None then.
    """
    try:
        return model.load()
    except CorruptFileError as error:
        log.warning("%s; what is left of it is set aside in %s", error.what, model.saves / saves.ASIDE)
        for path in flat_files(model.folder, model.prefix).values():
            saves.set_aside(path, model.saves)
        return None


def _equal(some: Mapping[str, Path], others: Mapping[str, Path]) -> bool:
    """Whether two models have the same files."""
    return some.keys() == others.keys() and all(filecmp.cmp(some[name], others[name], shallow=False) for name in some)


def _save_name(iteration: int, before: list[Backup]) -> str:
    """A name that no newer save has: a run that was rolled back reaches an iteration twice."""
    name = f"save {iteration}"
    while any(backup.name == name for backup in before):
        name += " older"
    return name


def _copier(path: Path, stream: IO[bytes]) -> None:
    with open(path, "rb") as reader:
        shutil.copyfileobj(reader, stream, 1 << 20)
