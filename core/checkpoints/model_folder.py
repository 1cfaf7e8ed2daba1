"""A model on disk: flat files that DeepFaceLab opens, behind them complete saves that survive a crash at any moment.

``model/<name>_SAEHD_encoder.npy`` and its neighbours are what people see and exchange. A save is first written whole into
``model/.saves/<name>_SAEHD/<iteration>-<random>/`` with a ``manifest.json`` (size and digest of every file) and made durable; only
then are the flat files replaced, one by one, by hard links into it (by copies where the file system has no links).
``PUBLISHED`` names the save whose flat files are all in place.

Loading goes by content. Flat files that equal a file of a known save are ours: the newest complete save is used, and a publication
that was cut short is completed. A sound flat file with unknown content was put there by hand and is honoured; when it is
``data.dat``, the flat files alone are the model; running averages of weights that were replaced so are set aside. A damaged flat file
is set aside, a damaged save gives way to the one before.
"""

import logging
import shutil
import uuid
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from core import fsio
from core.checkpoints import saves
from core.checkpoints.flat_files import FlatState, flat_files, link_or_copy, publish
from core.checkpoints.saves import Save
from core.errors import CorruptFileError, DiskFullError, InputError, PipelineError, UsageError, from_os_error
from core.formats.dfl_weights import AVERAGED, read_data
from core.networks.config import KINDS

log = logging.getLogger(__name__)
KEPT_SAVES = 2
DEFAULT_NAME = "swap"
DATA = "data.dat"
Write = Callable[[IO[bytes]], None]


def is_name(text: str) -> bool:
    """Whether a model can be called so: file names of models end the name at the first underscore."""
    return bool(text) and not set("_/\\\0") & set(text) and not text.startswith(".")


@dataclass(frozen=True)
class LoadedModel:
    """files: name without prefix (``encoder.npy``, ``data.dat``) -> where to read it; iteration: done so far; messages: what a
    person should know about how the files were chosen."""

    files: dict[str, Path]
    iteration: int
    messages: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelFolder:
    """folder: ``workspace/model``; name: the user's name of the model; kind: SAEHD, AMP or Quick96."""

    folder: Path
    name: str
    kind: str = "SAEHD"

    def __post_init__(self) -> None:
        if not is_name(self.name):
            raise InputError(
                "not a name for a model",
                where=repr(self.name),
                why="file names of models end the name at the first underscore",
                hint="use letters, digits, spaces and dashes",
            )

    @property
    def prefix(self) -> str:
        return f"{self.name}_{self.kind}"

    @property
    def saves(self) -> Path:
        return self.folder / ".saves" / self.prefix

    def path(self, file: str) -> Path:
        """The flat file ``<name>_SAEHD_<file>``."""
        return self.folder / f"{self.prefix}_{file}"

    def exists(self) -> bool:
        """Whether there is a model to load. One whose flat files were all removed after a finished save is gone, as its owner wanted."""
        if flat_files(self.folder, self.prefix):
            return self.path(DATA).exists() or bool(saves.complete(self.saves))
        newest = saves.complete(self.saves)[:1]
        return bool(newest) and newest[0].folder.name != saves.read_published(self.saves)

    def load(self, *, repair: bool = True) -> LoadedModel:
        """The files to read. Raises InputError when there is no model, CorruptFileError when nothing sound is left.

        repair: complete a publication that was cut short and set damaged files aside; False only looks, as at another process's model.
        """
        while True:
            if not self.exists():
                raise InputError(
                    "no model",
                    where=self.path("*"),
                    why=self._removed(),
                    hint="train one first, or copy the files of a model there",
                )
            known = saves.complete(self.saves)
            model = self._load(FlatState(flat_files(self.folder, self.prefix), known), repair)
            if repair or saves.complete(self.saves)[:1] == known[:1]:  # else its owner has saved meanwhile
                return model

    def _removed(self) -> str:
        kept = saves.complete(self.saves)
        return f"its files were removed; {len(kept)} save(s) are still in {self.saves}" if kept else ""

    def _load(self, flat: FlatState, repair: bool) -> LoadedModel:
        if DATA in flat.foreign:
            said = ["the model's files were replaced by hand and are used as they are"] if flat.saves else []
            files = _without_stale({k: p for k, p in flat.files.items() if k not in flat.damaged}, flat.foreign)
            return self._adopt(files, said + _names(self, flat.damaged), repair)
        if not flat.saves:
            raise CorruptFileError(
                "the model's data.dat is damaged",
                where=self.path(DATA),
                why=flat.damaged[DATA],
                hint="restore it from a backup",
            )
        save, broken = self._newest_sound(flat)
        messages = [
            f"the save of iteration {s.iteration} is damaged; the save of iteration {save.iteration} is used"
            for s in broken
        ]
        messages += _names(self, flat.damaged)
        messages += [f"{path.name} was put there by hand and is used" for path in flat.foreign.values()]
        if repair:
            messages += self._repair(save, broken, flat)
        files = _without_stale({n: save.folder / n for n in save.files} | flat.foreign, flat.foreign)
        return (
            self._adopt(files, messages, repair)
            if flat.foreign
            else _told(LoadedModel(files, save.iteration), messages)
        )

    def _newest_sound(self, flat: FlatState) -> tuple[Save, list[Save]]:
        """The newest save without damage, and the damaged ones that are newer."""
        for i, save in enumerate(flat.saves):
            bad = flat.bad_files(save)
            if not bad:
                return save, list(flat.saves[:i])
            log.warning("damaged in %s: %s", save.folder, ", ".join(bad))
        raise CorruptFileError(
            "every save of the model is damaged", where=self.saves, hint="restore the model's files from a backup"
        )

    def _adopt(self, files: Mapping[str, Path], messages: list[str], repair: bool) -> LoadedModel:
        """Make a save of files that came from elsewhere, so that they too survive what comes next."""
        data = read_data(files[DATA])
        if not repair:
            return _told(LoadedModel(dict(files), data.iteration), messages)
        try:
            self.saves.mkdir(parents=True, exist_ok=True)
            saves.remove_incomplete(self.saves)
            save = self._write(data.iteration, {}, files)
            self._publish(save, list(files))
            self._set_averages_aside(files)
        except OSError as error:
            raise _explain(error, self.folder) from error
        return _told(LoadedModel({n: save.folder / n for n in save.files}, save.iteration), messages)

    def _repair(self, save: Save, broken: list[Save], flat: FlatState) -> list[str]:
        stale = [
            n
            for n in save.files
            if n not in flat.foreign and (n not in flat.files or flat.digest(flat.files[n]) != save.files[n])
        ]
        try:
            moved = [saves.set_aside(flat.files[name], self.saves) for name in flat.damaged]
            moved += [saves.set_aside(s.folder, self.saves) for s in broken]
            if stale:
                self._publish(save, stale)
        except OSError as error:
            raise _explain(error, self.folder) from error
        return [f"what was damaged is now in {self.saves / saves.ASIDE}"] if moved else []

    def save(self, iteration: int, files: Mapping[str, Write]) -> Save:
        """Write a complete save, all or nothing, then publish it. ``files``: name without prefix -> function that writes its bytes.

        Flat files that are not in ``files`` (of an option now off) become part of the save as they are, but for averages of weights, which
        would no longer belong to them: these are set aside. Raises DiskFullError or another
        PipelineError; the last complete save is then what the next ``load`` returns.
        """
        try:
            self.saves.mkdir(parents=True, exist_ok=True)
            saves.remove_incomplete(self.saves)
            fsio.remove_leftovers(self.folder)
            flat = flat_files(self.folder, self.prefix)
            others = {name: path for name, path in flat.items() if name not in files and not name.startswith(AVERAGED)}
            save = self._write(iteration, files, others)
            self._publish(save, list(save.files))
            self._set_averages_aside(files)
            saves.prune(self.saves, KEPT_SAVES)
        except OSError as error:
            raise _explain(error, self.folder) from error
        return save

    def _set_averages_aside(self, kept: Container[str]) -> None:
        for name, path in flat_files(self.folder, self.prefix).items():
            if name.startswith(AVERAGED) and name not in kept:
                saves.set_aside(path, self.saves)

    def _write(self, iteration: int, files: Mapping[str, Write], others: Mapping[str, Path]) -> Save:
        incoming = self.saves / f"{saves.INCOMING}{iteration:08d}-{uuid.uuid4().hex[:8]}"
        sequence = max((save.sequence for save in saves.complete(self.saves)), default=0) + 1
        incoming.mkdir()
        try:
            digests = {name: saves.write_file(incoming / name, write) for name, write in files.items()}
            for name, path in others.items():
                link_or_copy(path, incoming / name)
                digests[name] = saves.digest(incoming / name)
            return saves.finish(incoming, iteration, sequence, digests)
        except BaseException:
            shutil.rmtree(incoming, ignore_errors=True)
            raise

    def _publish(self, save: Save, names: list[str]) -> None:
        for name in names:
            publish(save.folder / name, self.path(name))
        fsio.fsync_dir(self.folder)
        saves.write_published(save)


def discover(folder: Path, kind: str = "SAEHD") -> list[str]:
    """Names of the models in ``folder``, sorted."""
    names = {p.name.split("_")[0] for p in folder.glob(f"*_{kind}_{DATA}")}
    names |= {p.name.split("_")[0] for p in (folder / ".saves").glob(f"*_{kind}") if p.is_dir()}
    return sorted(
        name for name in names if name and not name.startswith(".") and ModelFolder(folder, name, kind).exists()
    )


def find(folder: Path, name: str | None = None, kind: str | None = None) -> list[ModelFolder]:
    """The models in ``folder``: those called ``name``, of ``kind``; None takes all."""
    found = [ModelFolder(folder, each, k) for k in KINDS if kind in (None, k) for each in discover(folder, k)]
    return [model for model in found if name in (None, model.name)]


def listed(models: Sequence[ModelFolder]) -> str:
    """``swap (SAEHD), other (AMP)``."""
    return ", ".join(f"{model.name} ({model.kind})" for model in models)


def choose(folder: Path, name: str | None = None, kind: str | None = None) -> ModelFolder:
    """The only model that fits: is called ``name``, is of ``kind``. Raises InputError when there is none, or several."""
    found = find(folder, name, kind)
    if len(found) == 1:
        return found[0]
    what = f"{kind} model" if kind else "model"
    if found:
        hint = (
            "choose one with --model NAME"
            if len({model.name for model in found}) > 1
            else f"choose one with --kind {' or '.join(m.kind for m in found)}"
        )
        raise InputError(f"more than one {what}", where=folder, why=f"found {listed(found)}", hint=hint)
    others = find(folder)
    why = f"found {listed(others)}" if others else ""
    if name is not None:
        raise InputError(f"no {what} of that name", where=folder / f"{name}_{kind or '*'}_{DATA}", why=why)
    raise InputError(f"no {what}", where=folder, why=why, hint="train one first, or copy the files of a model there")


def choose_or_new(folder: Path, name: str | None = None, kind: str | None = None) -> ModelFolder:
    """The model to train: the one that is called ``name`` and is of ``kind``, None for any; else a new one. Raises UsageError when several fit, and
    when none does but the models that there are make it likely that one of them was meant."""
    found = find(folder, name, kind)
    if len(found) > 1:
        flag = (
            "--model NAME"
            if len({model.name for model in found}) > 1
            else "--kind " + " or ".join(model.kind for model in found)
        )
        raise UsageError("there are several models", where=folder, why=listed(found), hint=f"choose one with {flag}")
    others = find(folder, name)
    if not found and others:
        raise UsageError(
            f"there is no {kind} model" + (f" called {name}" if name else ""),
            where=folder,
            why=f"found {listed(others)}",
            hint=f"leave --kind out to go on with {others[0].name}, or start a new model with another --model NAME",
        )
    return found[0] if found else ModelFolder(folder, name or DEFAULT_NAME, kind or KINDS[0])


def _told(model: LoadedModel, messages: list[str]) -> LoadedModel:
    for message in messages:
        log.warning("%s", message)
    return LoadedModel(model.files, model.iteration, tuple(messages))


def _without_stale(files: Mapping[str, Path], foreign: Container[str]) -> dict[str, Path]:
    """The files but for averages of weights that were since replaced by hand."""
    return {
        n: p
        for n, p in files.items()
        if not (n.startswith(AVERAGED) and n not in foreign and n.removeprefix(AVERAGED) in foreign)
    }


def _names(model: ModelFolder, damaged: Mapping[str, str]) -> list[str]:
    return [f"{model.path(name).name} is damaged and is not used: {why}" for name, why in damaged.items()]


def _explain(error: OSError, folder: Path) -> PipelineError:
    explained = from_os_error(error)
    if isinstance(explained, DiskFullError):
        return DiskFullError(
            "no space left for a save of the model",
            where=folder,
            why="the save before it is complete and was kept",
            hint="free some space (a save needs as much as the model's files together) and run the same command again",
        )
    return explained
