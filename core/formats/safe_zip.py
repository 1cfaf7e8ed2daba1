"""Reading ZIP archives that strangers made.

Expected names only, no path escapes, bounded sizes and ratios, checksums verified. Members are found by the last part
of their name, so an archive may keep them in a folder; where a member would land is never taken from the archive.
"""

import fnmatch
import os
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from core.errors import CorruptFileError, InputError, from_os_error
from core.fsio import atomic_writer

MAX_RATIO = 200  # deflate reaches about 1000 on zeros; weights and images stay below 20
MAX_MEMBERS = 1_000_000
_CHUNK = 1 << 20
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError)


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
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive, _chosen(archive, tuple(wanted), max_bytes, path)
    except _DAMAGED as error:
        raise _refused(path, f"it is damaged: {error or type(error).__name__}") from None
    except OSError as error:
        raise from_os_error(error) from None


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
    return chosen


def _validate_name(info: zipfile.ZipInfo, path: Path) -> None:
    name = info.orig_filename  # ``filename`` ends at a NUL, behind which the rest could hide
    parts = PurePosixPath(name).parts
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
    os.chmod(target, 0o644)  # whatever the archive says
    return target


def _refused(path: Path, why: str) -> CorruptFileError:
    hint = "the file is damaged or was made to attack its reader; get it from its source again"
    return CorruptFileError("refused an archive", where=path, why=why, hint=hint)
