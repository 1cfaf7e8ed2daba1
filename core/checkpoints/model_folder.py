"""A model on disk: flat files that DeepFaceLab opens, behind them complete saves that survive a crash at any moment.

``model/<name>_SAEHD_encoder.npy`` and its neighbours are what people see and exchange. A save is first written whole
into ``model/.saves/<name>_SAEHD/<iteration>-<random>/`` with a ``manifest.json`` (size and digest of every file) and
made durable; only then are the flat files replaced, one by one, by hard links into it (by copies where the file system
has no links). ``PUBLISHED`` names the save whose flat files are all in place.

Loading goes by content. Flat files that equal a file of a known save are ours: the newest complete save is used, and a
publication that was cut short is completed. A sound flat file with unknown content was put there by hand and is
honored; when it is ``data.dat``, the flat files alone are the model; running averages of weights that were replaced so
are set aside. A damaged flat file is set aside, a damaged save gives way to the one before.
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
from core.checkpoints.remarks import DamagedFile, DamagedSave, FileByHand, ModelByHand, Remark, SetAside
from core.checkpoints.saves import Save
from core.errors import CorruptFileError, DiskFullError, InputError, PipelineError, from_os_error
from core.formats.dfl_weights import AVERAGED, read_data
from core.safe_paths import own_folder

log = logging.getLogger(__name__)
KEPT_SAVES = 2
DATA = "data.dat"
Write = Callable[[IO[bytes]], None]


def is_name(text: str) -> bool:
    """Whether a model can be called so: the name is the beginning of the names of its files."""
    return bool(text) and not set("/\\\0") & set(text) and not text.startswith(".")


@dataclass(frozen=True)
class LoadedModel:
    """Where to read a model.

    files: name without prefix (``encoder.npy``, ``data.dat``) -> path.
    iteration: done so far.
    remarks: what a person should know about how the files were chosen.
    """

    files: dict[str, Path]
    iteration: int
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True)
class ModelFolder:
    """One model and the folder that it is in. Raises InputError for a name that no model can have.

    folder: ``workspace/model``.
    name: the user's name of the model.
    kind: SAEHD, AMP or Quick96.
    """

    folder: Path
    name: str
    kind: str = "SAEHD"

    def __post_init__(self) -> None:
        if not is_name(self.name):
            raise InputError(
                "not a name for a model",
                where=repr(self.name),
                why="it is empty, has a slash, or begins with a dot",
                hint="use letters, digits, spaces and dashes",
            )

    @property
    def prefix(self) -> str:
        """What the names of the model's files begin with."""
        return f"{self.name}_{self.kind}"

    @property
    def saves(self) -> Path:
        """The folder of the complete saves."""
        return self.folder / saves.FOLDER / self.prefix

    def path(self, file: str) -> Path:
        """The flat file ``<name>_SAEHD_<file>``."""
        return self.folder / f"{self.prefix}_{file}"

    def exists(self) -> bool:
        """Whether there is a model to load.

        One whose flat files were all removed after a finished save is gone, as its owner wanted.
        """
        if flat_files(self.folder, self.prefix):
            return self.path(DATA).exists() or bool(saves.complete(self.saves))
        newest = saves.complete(self.saves)[:1]
        return bool(newest) and newest[0].folder.name != saves.read_published(self.saves)

    def load(self, *, repair: bool = True) -> LoadedModel:
        """The files to read.

        repair: complete a publication that was cut short and set damaged files aside; False only looks, as at a model
        that another process trains.

        Raises:
            InputError: there is no model.
            CorruptFileError: nothing sound is left.
        """
        while True:
            if not self.exists():
                raise InputError(
                    "no model",
                    where=self.path("*"),
                    why=self._what_is_left(),
                    hint="train one first, or copy the files of a model there",
                )
            known = saves.complete(self.saves)
            model = self._load(FlatState(flat_files(self.folder, self.prefix), known), repair)
            if repair or saves.complete(self.saves)[:1] == known[:1]:  # else its owner has saved meanwhile
                return model

    def _what_is_left(self) -> str:
        kept = saves.complete(self.saves)
        return f"its files were removed; {len(kept)} save(s) are still in {self.saves}" if kept else ""

    def _load(self, flat: FlatState, repair: bool) -> LoadedModel:
        if DATA in flat.foreign:
            return self._load_by_hand(flat, repair)
        if not flat.saves:
            raise CorruptFileError(
                "the model's data.dat is damaged",
                where=self.path(DATA),
                why=flat.damaged[DATA],
                hint="restore it from a backup",
            )
        # From here on a save is the model; sound files of a person's take the place of its own.
        save, broken = self._newest_sound(flat)
        remarks: list[Remark] = [DamagedSave(worse.iteration, save.iteration) for worse in broken]
        remarks += self._damaged_files(flat)
        remarks += [FileByHand(path.name) for path in flat.foreign.values()]
        if repair:
            remarks += self._repair(save, broken, flat)
        own = {name: save.folder / name for name in save.files}
        files = _without_stale_averages(own | flat.foreign, flat.foreign)
        if flat.foreign:
            return self._adopt(files, remarks, repair)
        return _logged(LoadedModel(files, save.iteration, tuple(remarks)))

    def _load_by_hand(self, flat: FlatState, repair: bool) -> LoadedModel:
        """A model whose data.dat was put there: its flat files are the model, whatever the saves hold."""
        remarks: list[Remark] = [ModelByHand()] if flat.saves else []
        sound = {name: path for name, path in flat.files.items() if name not in flat.damaged}
        files = _without_stale_averages(sound, flat.foreign)
        return self._adopt(files, remarks + self._damaged_files(flat), repair)

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

    def _adopt(self, files: Mapping[str, Path], remarks: list[Remark], repair: bool) -> LoadedModel:
        """Make a save of files that came from elsewhere, so that they too survive what comes next."""
        data = read_data(files[DATA])
        if not repair:
            return _logged(LoadedModel(dict(files), data.iteration, tuple(remarks)))
        try:
            own_folder(self.folder / saves.FOLDER, self.prefix)
            saves.remove_incomplete(self.saves)
            save = self._write(data.iteration, {}, files)
            self._publish(save, list(files))
            self._set_averages_aside(files)
        except OSError as error:
            raise _explained(error, self.folder) from error
        own = {name: save.folder / name for name in save.files}
        return _logged(LoadedModel(own, save.iteration, tuple(remarks)))

    def _repair(self, save: Save, broken: list[Save], flat: FlatState) -> list[Remark]:
        """Set what is damaged aside and complete the publication of ``save``."""
        stale = [name for name in save.files if name not in flat.foreign and not flat.is_published(save, name)]
        try:
            moved = [saves.set_aside(flat.files[name], self.saves) for name in flat.damaged]
            moved += [saves.set_aside(worse.folder, self.saves) for worse in broken]
            if stale:
                self._publish(save, stale)
        except OSError as error:
            raise _explained(error, self.folder) from error
        return [SetAside(self.saves / saves.ASIDE)] if moved else []

    def _damaged_files(self, flat: FlatState) -> list[Remark]:
        return [DamagedFile(self.path(name).name, why) for name, why in flat.damaged.items()]

    def save(self, iteration: int, files: Mapping[str, Write], *, alone: bool = False) -> Save:
        """Write a complete save, all or nothing, then publish it.

        files: name without prefix -> function that writes its bytes. Flat files that are not among them (of an option
        now off) become part of the save as they are, but for averages of weights, which would no longer belong to
        them: these are set aside.
        alone: the save is another model, and flat files that are not among ``files`` are removed once it is in place.

        Raises:
            DiskFullError: no space is left.
            PipelineError: the operating system refused something else. In both cases the last complete save is what
                the next ``load`` returns.
        """
        try:
            own_folder(self.folder / saves.FOLDER, self.prefix)
            # What a killed run left goes first, for a save needs the space.
            saves.remove_incomplete(self.saves)
            fsio.remove_leftovers(self.folder)
            flat = flat_files(self.folder, self.prefix)
            others = {name: path for name, path in flat.items() if name not in files and not name.startswith(AVERAGED)}
            save = self._write(iteration, files, {} if alone else others)
            self._publish(save, list(save.files))
            for path in others.values() if alone else ():
                path.unlink()
            self._set_averages_aside(files)
            saves.prune(self.saves, KEPT_SAVES)
        except OSError as error:
            raise _explained(error, self.folder) from error
        return save

    def _set_averages_aside(self, kept: Container[str]) -> None:
        for name, path in flat_files(self.folder, self.prefix).items():
            if name.startswith(AVERAGED) and name not in kept:
                saves.set_aside(path, self.saves)

    def _write(self, iteration: int, files: Mapping[str, Write], others: Mapping[str, Path]) -> Save:
        """A complete save of written ``files`` and of ``others`` as they are; not published yet."""
        incoming = self.saves / f"{saves.INCOMING}{iteration:08d}-{uuid.uuid4().hex[:8]}"
        # Iterations do not order saves: a run that was rolled back reaches one twice.
        sequence = max((save.sequence for save in saves.complete(self.saves)), default=0) + 1
        incoming.mkdir()
        try:
            digests = {name: saves.write_file(incoming / name, write) for name, write in files.items()}
            for name, path in others.items():
                link_or_copy(path, incoming / name)  # a link keeps the bytes even when the flat name is replaced
                digests[name] = saves.digest(incoming / name)
            return saves.finish(incoming, iteration, sequence, digests)
        # Also for Ctrl-C: a folder that is not finished only takes room.
        except BaseException:
            shutil.rmtree(incoming, ignore_errors=True)
            raise

    def _publish(self, save: Save, names: Sequence[str]) -> None:
        """Make the flat files of these names those of the save. The order matters: ``PUBLISHED`` is written last."""
        for name in names:
            publish(save.folder / name, self.path(name))
        fsio.fsync_dir(self.folder)
        saves.write_published(save)


def _logged(model: LoadedModel) -> LoadedModel:
    for remark in model.remarks:
        log.warning("%s", remark)
    return model


def _without_stale_averages(files: Mapping[str, Path], foreign: Container[str]) -> dict[str, Path]:
    """The files but for averages of weights that were since replaced by hand."""

    def is_stale(name: str) -> bool:
        return name.startswith(AVERAGED) and name not in foreign and name.removeprefix(AVERAGED) in foreign

    return {name: path for name, path in files.items() if not is_stale(name)}


def _explained(error: OSError, folder: Path) -> PipelineError:
    explained = from_os_error(error)
    if isinstance(explained, DiskFullError):
        return DiskFullError(
            "no space left for a save of the model",
            where=folder,
            why="the save before it is complete and was kept",
            hint="free some space (a save needs as much as the model's files together) and run the same command again",
        )
    return explained
