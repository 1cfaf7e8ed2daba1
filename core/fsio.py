"""Writing files so that a crash, a power cut or a full disk never leaves half a file under a real name."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from core.errors import InputError, naming


def fsync_dir(folder: Path) -> None:
    """Make the names in ``folder`` durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextmanager
def atomic_writer(path: Path, *, durable: bool = True) -> Iterator[IO[bytes]]:
    """A binary file that appears under ``path`` whole, or not at all.

    The temporary name starts with a dot and ends with ``.tmp``, so no listing takes it for a result.

    durable: without it there is no fsync, for the many small files of a run that can be made again.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with naming(path), open(temporary, "wb") as stream:
            yield stream
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        os.replace(temporary, path)
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
    trash.mkdir(parents=True, exist_ok=True)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    for attempt in range(10_000):
        number = f".{attempt}" if attempt else ""
        target = trash / f"{stamp}{number}-{path.name}"
        if not target.exists():
            return target
    raise InputError("too many things in the trash under one name", where=trash, hint="empty that folder")


def remove_leftovers(folder: Path) -> int:
    """Delete the temporary files of writers that were killed in ``folder``; returns how many.

    Those of other processes that live are kept, and so is what has another kind of name.
    """
    stale = [path for path in folder.glob(".*.tmp") if _abandoned(path)]
    for path in stale:
        path.unlink(missing_ok=True)
    return len(stale)


def _abandoned(path: Path) -> bool:
    """Whether the process whose number is in a temporary name has ended, or is this one."""
    number = path.name.split(".")[-2]
    if not number.isdecimal():
        return False
    if int(number) == os.getpid():
        return True
    try:
        os.kill(int(number), 0)  # asks only whether it is there
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False
    return False


@contextmanager
def lock(path: Path, what: str) -> Iterator[None]:
    """Hold an exclusive advisory lock; the kernel frees it when the process dies, however it dies.

    what: the thing that is locked, for people.

    Raises:
        InputError: another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            hint = "wait for it to end, or stop it first"
            raise InputError(f"another run is using {what}", where=path, hint=hint) from None
        yield
