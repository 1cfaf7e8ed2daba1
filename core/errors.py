"""Errors that a person can act on, and the exit code of each kind.

Libraries raise; only ``core.__main__`` prints and exits. The message formula is: what, where, why, hint.
"""

import difflib
import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from core.console import one_line


class PipelineError(Exception):
    """A failure with an explanation.

    Subclasses carry the exit code of their kind, and the hint where nothing better is known.

    what: one sentence naming the failed operation.
    where: the file or option.
    why: the cause as found.
    hint: the next thing to do.
    """

    exit_code = 1
    usual_hint = ""

    def __init__(self, what: str, *, where: str | Path | None = None, why: str = "", hint: str = ""):
        super().__init__(what)
        self.what, self.where, self.why, self.hint = what, where, why, hint

    def __str__(self) -> str:
        lines = [f"{self.what}: {self.where}" if self.where else self.what]
        if self.why:
            lines.append(f"  {self.why}")
        if hint := self.hint or self.usual_hint:
            lines.append(f"hint: {hint}")
        return "\n".join(map(one_line, lines))

    def __reduce__(self):  # keyword-only arguments survive the trip from a worker process
        return _rebuild, (type(self), self.what, self.where, self.why, self.hint)


def _rebuild(kind, what, where, why, hint):
    return kind(what, where=where, why=why, hint=hint)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint with the word that was probably meant; empty where none is close."""
    by_letters = {name.lstrip("-"): name for name in known}
    close = difflib.get_close_matches(word.lstrip("-"), list(by_letters), n=1, cutoff=0.6)
    return f"did you mean {by_letters[close[0]]}?" if close else ""


class UsageError(PipelineError):
    """A flag or an argument that is unknown or has a wrong value."""

    exit_code = 2
    usual_hint = "add --help to the command: it lists the options and their ranges"


class InputError(PipelineError):
    """Something that is needed is missing, or is not what it should be."""

    exit_code = 3
    usual_hint = "`bash scripts/doctor.sh` shows what the workspace has and what the next step is"


class EnvironmentFault(PipelineError):
    """The machine: driver, ffmpeg, permissions."""

    exit_code = 4
    usual_hint = "`bash scripts/doctor.sh` checks drivers, ffmpeg and the disk"


class OutOfMemoryFault(PipelineError):
    """Host or device memory is used up."""

    exit_code = 5
    usual_hint = "close other programs, or choose a smaller size, such as a smaller --batch-size"


class DivergedError(PipelineError):
    """Training produced NaN or exploded."""

    exit_code = 6
    usual_hint = "the last save is untouched; try --clipgrad or a larger --batch-size"


class CorruptFileError(PipelineError):
    """A file whose bytes are damaged or hostile."""

    exit_code = 7
    usual_hint = "get the file from its source again, or move it away; it was not changed"


class DiskFullError(PipelineError):
    """No space left on the disk."""

    exit_code = 8
    usual_hint = "free some space and run the same command again; finished work was kept"


class Interrupted(PipelineError):
    """Asked to stop (Ctrl-C, SIGTERM, a STOP file); everything finished was saved."""

    exit_code = 130
    usual_hint = "run the same command again: it goes on where it stopped"


@contextmanager
def naming(path: str | Path) -> Iterator[None]:
    """What the operating system refuses inside is about this file, where it does not say so itself."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


def from_os_error(error: OSError) -> PipelineError:
    """The typed error for what the operating system refused."""
    where = error.filename or "(no file name given)"
    # To a person a used-up quota is a full disk.
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFullError("no space left on the disk", where=where, why=_room(error.filename))
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return EnvironmentFault(
            "no permission",
            where=where,
            why=error.strerror or "",
            hint="check the owner and mode of that folder, or choose another with WORKSPACE=/other/dir",
        )
    if error.errno == errno.ENOENT:
        return InputError("no such file", where=where)
    return EnvironmentFault("the operating system refused a file operation", where=where, why=str(error))


def _room(filename: object) -> str:
    """How much room there is where a file was to be written; empty where that is not known."""
    if not isinstance(filename, (str, bytes)):
        return ""
    folder = Path(os.fsdecode(filename)).parent
    try:
        status = shutil.disk_usage(folder)
        inodes = os.statvfs(folder).f_favail
    except (OSError, AttributeError):
        return ""
    if status.free > 1e6 and inodes == 0:
        return f"{folder} has room for no more files, though {status.free / 1e6:.0f} MB are free"
    return f"{status.free / 1e6:.1f} MB are free in {folder}"
