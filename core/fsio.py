"""Writing files so that a crash, a power cut or a full disk never leaves half a file under a real name."""

import errno
import fcntl
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from core.errors import CorruptFileError, InputError, naming
from core.safe_paths import own_folder

# Of the temporary files of this program: the number of the process, and what nobody can guess.
_TEMPORARY = re.compile(r"\.forge-(\d+)-[0-9a-f]{16}\.\w+")

_NAME_BYTES = 255  # of a file name, on every usual file system


def fsync_dir(folder: Path) -> None:
    """Make the names in ``folder`` durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # A new name is an entry of its folder, which a file's own fsync does not write out.
        os.fsync(fd)
    finally:
        os.close(fd)


def temporary_path(folder: Path, suffix: str = ".tmp") -> Path:
    """A name in ``folder`` for what is not whole yet, which nobody can guess and no listing takes for a result.

    It has nothing of the name that the file will get, which may be as long as names can be. Create it with mode "x", so
    that nothing is ever written into a file that was there.
    """
    return folder / f".forge-{os.getpid()}-{secrets.token_hex(8)}{suffix}"


@contextmanager
def atomic_writer(path: Path, *, durable: bool = True) -> Iterator[IO[bytes]]:
    """A binary file that appears under ``path`` whole, or not at all. A link at ``path`` is replaced, not followed.

    durable: without it there is no fsync, for the many small files of a run that can be made again.
    """
    temporary = temporary_path(path.parent)
    try:
        with naming(path), open(temporary, "xb") as stream:
            yield stream
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        os.replace(temporary, path)
    # Ctrl-C as well: it must not leave half a file lying about.
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        fsync_dir(path.parent)


def write_bytes(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write ``data`` under ``path``, whole or not at all; durable as in :func:`atomic_writer`."""
    with atomic_writer(path, durable=durable) as stream:
        stream.write(data)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` in UTF-8 under ``path``, whole or not at all; names in it that are no text are spelled out."""
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def append_text(path: Path, text: str, *, durable: bool = False) -> None:
    """Write ``text`` in UTF-8 at the end of a file of ours, which is made where it is missing.

    Raises:
        CorruptFileError: there is a link in its place.
    """
    with os.fdopen(_open_own(path, os.O_WRONLY | os.O_APPEND), "ab") as stream:
        stream.write(text.encode("utf-8", "backslashreplace"))
        if durable:
            stream.flush()
            os.fsync(stream.fileno())


def _open_own(path: Path, flags: int) -> int:
    """A regular file that only this program makes, never what a link leads to; made where it is missing."""
    try:
        # O_NONBLOCK: opening a pipe that nobody reads would wait for ever.
        descriptor = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    except OSError as error:
        # ELOOP is a link under O_NOFOLLOW, ENXIO a pipe that nobody reads.
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise _not_ours(path) from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_ours(path)
    return descriptor


def _not_ours(path: Path) -> CorruptFileError:
    return CorruptFileError(
        "a link, a pipe or a device in the place of a file of this program",
        where=path,
        why="what it leads to is not touched",
        hint="it was made by hand, or to harm: move it away",
    )


def move_to_trash(path: Path, trash: Path) -> Path:
    """Move a file or folder into ``trash`` under a time-stamped name; nothing is deleted. Returns the new place."""
    target = _place_in_trash(path, trash)
    shutil.move(path, target)
    return target


def keep_in_trash(path: Path, trash: Path) -> Path:
    """Put a file into ``trash`` that also stays where it is. Returns the new place.

    What replaces the file can take its name in one step, then.
    """
    target = _place_in_trash(path, trash)
    try:
        os.link(path, target)
    except OSError:  # another file system, or one without links
        shutil.copy2(path, target)
    return target


def _place_in_trash(path: Path, trash: Path) -> Path:
    own_folder(trash)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    for attempt in range(10_000):
        number = f".{attempt}" if attempt else ""
        target = trash / _fitting(f"{stamp}{number}-", path.name)
        # A link that leads nowhere takes the name, too.
        if not os.path.lexists(target):
            return target
    raise InputError("too many things in the trash under one name", where=trash, hint="empty that folder")


def _fitting(prefix: str, name: str) -> str:
    """``prefix`` and ``name`` as one file name; what would make it too long is cut off before the suffix."""
    stem, suffix = os.path.splitext(name)
    room = _NAME_BYTES - len(os.fsencode(prefix + suffix))
    if room >= len(os.fsencode(stem)) or room < 1:
        return prefix + name
    # The limit counts bytes, so the cut may fall within a character; what is left of that is dropped.
    return prefix + os.fsencode(stem)[:room].decode(errors="ignore") + suffix


def remove_leftovers(folder: Path, *, own: bool = True) -> int:
    """Delete the temporary files of writers that were killed in ``folder``; returns how many.

    Those of other processes that live are kept, and so is what has another kind of name or is no file.

    own: also those of this process; only where no other thread of it can be writing there.
    """
    if not folder.is_dir():
        return 0
    with os.scandir(folder) as entries:
        dead = (entry for entry in entries if entry.name.startswith(".") and _abandoned(entry.name, own))
        stale = [entry.path for entry in dead if entry.is_file(follow_symlinks=False)]
    for path in stale:
        Path(path).unlink(missing_ok=True)
    return len(stale)


def _abandoned(name: str, own: bool) -> bool:
    """Whether this is the name of a temporary file whose process has ended, or is this one and ``own``."""
    found = _TEMPORARY.fullmatch(name)
    if not found:
        return False
    number = int(found[1])
    if number == os.getpid():
        return own
    try:
        os.kill(number, 0)  # asks only whether it is there
    except (ProcessLookupError, OverflowError):
        return True
    # It lives, and belongs to somebody else.
    except PermissionError:
        return False
    return False


@contextmanager
def lock(path: Path, what: str) -> Iterator[None]:
    """Hold an exclusive advisory lock; the kernel frees it when the process dies, however it dies.

    what: the thing that is locked, for people.

    Raises:
        InputError: another process holds it.
        CorruptFileError: there is a link in the place of the lock, or of the folder of locks.
    """
    own_folder(path.parent)
    with open(_open_own(path, os.O_RDWR), "rb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            hint = "wait for it to end, or stop it first"
            raise InputError(f"another run is using {what}", where=path, hint=hint) from None
        yield
