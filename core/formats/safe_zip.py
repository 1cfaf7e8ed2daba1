"""Reading ZIP archives that strangers made.

Expected names only, no path escapes, bounded sizes and ratios, checksums verified. Members are found by the last part
of their name, so an archive may keep them in a folder; where a member would land is never taken from the archive.
"""

import errno
import fnmatch
import io
import lzma
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from core import safe_files
from core.errors import CorruptFileError, InputError, from_os_error
from core.fsio import atomic_writer

MAX_RATIO = 200  # deflate reaches about 1000 on zeros; weights and images stay below 20
MAX_MEMBERS = 200_000
# Bytes of the list of members, all of which is read at once: enough for so many of usual names.
_MAX_DIRECTORY = 1 << 24
_MAX_ARCHIVE = 1 << 40
_CHUNK = 1 << 20
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
)
# And what zipfile raises by chance where a list of members is damaged.
_DAMAGED_LIST = (*_DAMAGED, IndexError, KeyError, TypeError, AttributeError)


def read_members(path: Path, wanted: Iterable[str], max_bytes: int) -> dict[str, bytes]:
    """File name -> bytes of the members whose file name matches one of the patterns ``wanted``.

    wanted: such as ``XSeg_256.npy``, ``*.jpg``.
    max_bytes: of all of them together when unpacked.

    Raises:
        InputError: no such archive.
        CorruptFileError: it is damaged or hostile: names that leave the archive, one name twice, links, encryption,
            sizes that lie or are over the limit.
    """
    with _opened(path, wanted, max_bytes) as (archive, members):
        return {name: _read(archive, info, path) for name, info in members.items()}


def extract_members(path: Path, wanted: Iterable[str], folder: Path, max_bytes: int) -> list[Path]:
    """Write the matching members into ``folder`` under their file names; returns the paths.

    Everything is validated before the first byte is written; each file appears whole or not at all. Existing files of
    the same name are replaced.

    Raises:
        InputError: no such archive, or no room for what is in it.
        CorruptFileError: as :func:`read_members`.
    """
    with _opened(path, wanted, max_bytes) as (archive, members):
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if (needed := sum(info.file_size for info in members.values())) > free:
            raise InputError(
                "not enough room to unpack an archive",
                where=folder,
                why=f"{needed:,} bytes are needed, {free:,} are free",
            )
        return [_write(archive, info, folder / name, path) for name, info in members.items()]


@contextmanager
def _opened(
    path: Path, wanted: Iterable[str], max_bytes: int
) -> Iterator[tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo]]]:
    with safe_files.opened(path, _MAX_ARCHIVE) as stream:
        with _explained(path, _DAMAGED_LIST):
            archive = zipfile.ZipFile(_Bounded(stream))
        with archive, _explained(path, _DAMAGED):
            yield archive, _chosen(archive, tuple(wanted), max_bytes, path)


@contextmanager
def _explained(path: Path, damaged: tuple[type[Exception], ...]) -> Iterator[None]:
    """Errors of zipfile as ours. damaged: those that tell of damage."""
    try:
        yield
    except damaged as error:
        raise _refused(path, f"it is damaged: {str(error)[:200] or type(error).__name__}") from None
    except OSError as error:
        # Without a number it comes from a decompressor; a place before the file is no valid argument.
        if error.errno in (None, errno.EINVAL):
            raise _refused(path, f"it is damaged: {error}") from None
        raise from_os_error(error) from None


class _Bounded(io.BufferedIOBase):
    """An archive of which no more than a list of members can have is read at once: what it says of its size is not
    believed.
    """

    def __init__(self, stream: IO[bytes]):
        self._stream = stream

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _MAX_DIRECTORY:
            raise ValueError(f"a list of members of {size:,} bytes")
        return self._stream.read(_MAX_DIRECTORY if size is None or size < 0 else size)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True


def _chosen(
    archive: zipfile.ZipFile, wanted: tuple[str, ...], max_bytes: int, path: Path
) -> dict[str, zipfile.ZipInfo]:
    """File name -> member, validated."""
    infos = archive.infolist()
    if len(infos) > MAX_MEMBERS:
        raise _refused(path, f"{len(infos):,} members")
    chosen: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        _validate_name(info, path)
        name = PurePosixPath(info.filename).name
        if info.is_dir() or not any(fnmatch.fnmatchcase(name, pattern) for pattern in wanted):
            continue
        if name in chosen:
            raise _refused(path, f"two members are called {name}")
        _validate_member(info, path)
        chosen[name] = info
    if (total := sum(info.file_size for info in chosen.values())) > max_bytes:
        raise _refused(path, f"its files take {total:,} bytes unpacked, at most {max_bytes:,} are allowed")
    if sum(info.compress_size for info in chosen.values()) > path.stat().st_size:
        raise _refused(path, "its files lie over each other")
    return chosen


def _validate_name(info: zipfile.ZipInfo, path: Path) -> None:
    name = info.orig_filename  # ``filename`` ends at a NUL, behind which the rest could hide
    parts = PurePosixPath(name).parts
    if not info.filename:
        raise _refused(path, "a member without a name")
    if name.startswith("/") or ".." in parts or "\\" in name or "\0" in name or (parts and parts[0].endswith(":")):
        raise _refused(path, f"the member {name!r} points outside the archive")


def _validate_member(info: zipfile.ZipInfo, path: Path) -> None:
    mode = info.external_attr >> 16  # of Unix; 0 where the archive was made on another system
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise _refused(path, f"the member {info.filename!r} is a link or a device")
    if info.flag_bits & 1:  # zipfile would ask for a password
        raise _refused(path, f"the member {info.filename!r} is encrypted")
    if info.file_size > MAX_RATIO * max(info.compress_size, 1024):  # what is tiny may well be all zeros
        ratio = info.file_size / max(info.compress_size, 1)
        raise _refused(path, f"the member {info.filename!r} unpacks to {ratio:,.0f} times its size")


def _chunks(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> Iterator[bytes]:
    """The unpacked bytes; the checksum is verified at the end. Never more than the declared size."""
    seen = 0
    with archive.open(info) as stream:
        while data := stream.read(_CHUNK):
            seen += len(data)
            if seen > info.file_size:
                raise _refused(path, f"the member {info.filename!r} is larger than it says")
            yield data
    if seen != info.file_size:
        raise _refused(path, f"the member {info.filename!r} is shorter than it says")


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> bytes:
    return b"".join(_chunks(archive, info, path))


def _write(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, path: Path) -> Path:
    with atomic_writer(target) as stream:
        stream.writelines(_chunks(archive, info, path))
    return target


def _refused(path: Path, why: str) -> CorruptFileError:
    hint = "the file is damaged or was made to attack its reader; get it from its source again"
    return CorruptFileError("refused an archive", where=path, why=why, hint=hint)
