"""The flat files of a model, as people and other programs see them, compared with the saves behind them."""

import errno
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from core.checkpoints.saves import FileDigest, Save, digest
from core.errors import PipelineError
from core.formats import dfl_weights
from core.fsio import temporary_path

_ENDINGS = (".npy", ".dat", ".txt", ".json")
# What file systems answer that have no hard links, or none to this place.
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.EXDEV, errno.ENOSYS, errno.EINVAL)
# By the end of a name; the first that fits.
_READERS = (
    ("data.dat", dfl_weights.read_data),
    ("opt.npy", dfl_weights.read_optimizer),
    (".npy", dfl_weights.read_weights),
)


def flat_files(folder: Path, prefix: str) -> dict[str, Path]:
    """Name without prefix -> path, of the model's files in ``folder``."""
    start = f"{prefix}_"
    # Not a glob of the prefix: a model's name may have brackets or stars.
    paths = [path for path in sorted(folder.glob("*")) if path.name.startswith(start)]
    return {path.name.removeprefix(start): path for path in paths if path.name.endswith(_ENDINGS) and path.is_file()}


def publish(source: Path, target: Path) -> None:
    """Make ``target`` the same file as ``source``, at once."""
    temporary = temporary_path(target.parent)
    link_or_copy(source, temporary)
    os.replace(temporary, target)
    temporary.unlink(missing_ok=True)  # replacing a link by a link to the same file leaves both


def link_or_copy(source: Path, target: Path) -> None:
    """A hard link, or a durable copy where the file system has no links."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        with open(source, "rb") as reader, open(target, "xb") as writer:
            shutil.copyfileobj(reader, writer, 1 << 20)
            writer.flush()
            os.fsync(writer.fileno())


def reason_unreadable(path: Path) -> str:
    """Why a file of a model cannot be used, or an empty text."""
    reader = next((read for ending, read in _READERS if path.name.endswith(ending)), None)
    try:
        if reader:
            reader(path)
    except PipelineError as error:
        return error.why or error.what
    return ""


@dataclass(frozen=True)
class FlatState:
    """How the flat files relate to the known saves. A file is hashed once, however many names it has.

    files: name without prefix -> path, of the flat files.
    saves: newest first.
    """

    files: dict[str, Path]
    saves: Sequence[Save]

    @cached_property
    def _digests(self) -> dict[tuple[int, int], FileDigest]:
        """(device, inode) -> digest: hard links are one file."""
        return {}

    def digest(self, path: Path) -> FileDigest | None:
        """None when there is no such file."""
        if not path.is_file():
            return None
        status = path.stat()
        key = (status.st_dev, status.st_ino)
        if key not in self._digests:
            self._digests[key] = digest(path)
        return self._digests[key]

    def is_intact(self, save: Save, name: str) -> bool:
        """Whether a file of a save is what was written."""
        return self.digest(save.folder / name) == save.files[name]

    def is_published(self, save: Save, name: str) -> bool:
        """Whether the flat file of that name is the one of the save."""
        return name in self.files and self.digest(self.files[name]) == save.files[name]

    def is_ours(self, name: str) -> bool:
        """Whether the flat file equals that file of a known save."""
        found = self.digest(self.files[name])
        return any(save.files.get(name) == found for save in self.saves)

    @cached_property
    def damaged(self) -> dict[str, str]:
        """Flat files that are no file of a save and are unreadable or nearly one, with the reason."""
        reasons = {name: self._damage(name) for name in self.files if not self.is_ours(name)}
        return {name: why for name, why in reasons.items() if why}

    @cached_property
    def foreign(self) -> dict[str, Path]:
        """Sound flat files with unknown content: put there by hand, or by another program."""
        unknown = {name: path for name, path in self.files.items() if not self.is_ours(name)}
        return {name: path for name, path in unknown.items() if name not in self.damaged}

    def _damage(self, name: str) -> str:
        """What is wrong with a flat file, or an empty text."""
        found = self.digest(self.files[name])
        written = [save.files[name] for save in self.saves if name in save.files]
        # Weights of another moment differ everywhere; an edited data.dat differs in a few bytes.
        if found and name.endswith(".npy") and any(known.resembles(found) for known in written):
            return "most of it equals what was saved, but not all"
        return reason_unreadable(self.files[name])

    def bad_files(self, save: Save) -> list[str]:
        """Files of a save that are damaged.

        One that a person has overwritten through its flat name (a link to it) is not: it is foreign.
        """
        broken = [name for name in save.files if not self.is_intact(save, name)]
        return [name for name in broken if not self._is_overwritten(save, name)]

    def _is_overwritten(self, save: Save, name: str) -> bool:
        path, written = self.foreign.get(name), save.folder / name
        return path is not None and path.exists() and written.exists() and os.path.samefile(path, written)
