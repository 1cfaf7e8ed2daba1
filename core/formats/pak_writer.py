"""Writing a packed faceset: whole or not at all, and compared with its sources before it gets its name."""

import math
import os
import tempfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import IO, NamedTuple, Protocol

import numpy as np

from core import fsio
from core.errors import EnvironmentFault, InputError, PipelineError, from_os_error
from core.formats import dfl_image, metadata_pattern
from core.formats.face_metadata import FACE_TYPES
from core.formats.pak import HEADER, VERSION, PakReader
from core.formats.pak_entry import write_entry, write_plain_entry
from core.formats.pickle import safe_pickle
from core.parallel import spread
from core.progress import Task

_BLOCK = 1 << 20
_RUN = 128  # faces that are copied and compared at a stretch
_SAMPLE = 64  # faces that tell how long the list will be


class Source(Protocol):
    """A face to pack."""

    @property
    def name(self) -> str: ...
    @property
    def person(self) -> str | None: ...
    def size(self) -> int: ...
    def data(self) -> bytes: ...
    def entry(self, data: bytes) -> bytes: ...


@dataclass(frozen=True)
class FileSource:
    """A loose face file."""

    path: Path
    person: str | None = None

    def __reduce__(self):  # half the time of the usual way, for the very many that go to workers
        return _file_source, (os.fspath(self.path), self.person)

    @property
    def name(self) -> str:
        return self.path.name

    def size(self) -> int:
        """Bytes of the file; 0 when it is gone: :meth:`data` says why."""
        try:
            return os.stat(self.path).st_size
        except OSError:
            return 0

    def data(self) -> bytes:
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                return _read_all(fd)
            finally:
                os.close(fd)
        except OSError as error:
            raise from_os_error(error) from None

    def entry(self, data: bytes) -> bytes:
        """The face in the list of the pak."""
        payload, shape = dfl_image.stored(data, str(self.path))
        plain = metadata_pattern.plain(payload)
        if plain and plain.face_type in FACE_TYPES:
            return write_plain_entry(plain, self.name, shape, self.person)
        return write_entry(replace(dfl_image.parse(data, self.name, where=self.path), person=self.person))


def _file_source(path: str, person: str | None) -> FileSource:
    return FileSource(Path(path), person)


def _read_all(fd: int) -> bytes:
    """A whole file by plain system calls: there are very many of these. The byte beyond its size shows that it does not grow meanwhile."""
    expected = os.fstat(fd).st_size
    data = os.read(fd, expected + 1)
    parts = [data]
    while len(data) != expected and (part := os.read(fd, 1 << 18)):
        parts.append(part)
    return data if len(parts) == 1 else b"".join(parts)


@dataclass(frozen=True)
class PakSource:
    """A face of another pak, perhaps under another name."""

    reader: PakReader
    index: int
    name: str
    person: str | None = None

    def size(self) -> int:
        return self.reader.size(self.index)

    def data(self) -> bytes:
        return self.reader.read(self.index)

    def entry(self, data: bytes) -> bytes:
        """The face in the list of the pak."""
        try:
            record = dfl_image.parse(data, self.name)
        except dfl_image.NotAFaceError:
            record = self.reader.records[self.index]
        return write_entry(replace(record, name=self.name, person=self.person))


@dataclass(frozen=True)
class Packed:
    """What went in. kept: the sources in order; sizes: bytes of each; problems: (name, reason) of those left out."""

    kept: tuple[Source, ...]
    sizes: tuple[int, ...]
    problems: tuple[tuple[str, str], ...]


class _Run(NamedTuple):
    """Sources whose files, of these sizes, go one after another into the new file ``path``, from ``start`` on."""

    path: str
    start: int
    sources: Sequence[Source]
    sizes: Sequence[int]


class _Taken(NamedTuple):
    """What became of a run. entries: of the list of the pak, one after another; kept: which of the sources are faces; checksums: CRC-32 of
    their files; problems: (name, reason) of the others."""

    entries: bytes
    kept: list[int]
    checksums: list[int]
    problems: list[tuple[str, str]]


class _Placed(NamedTuple):
    """Faces that lie one after another in the new file ``path``, from ``start`` on, with the sizes and CRC-32 of their files."""

    path: str
    start: int
    sizes: list[int]
    checksums: list[int]


def write_pak(path: Path, sources: Iterable[Source]) -> Packed:
    """Pack the faces of ``sources`` in their order; pictures that are no faces are left out and named in the result.

    Memory does not grow with the pictures. Every source is read once; the file is read back from the disk and compared before it appears under
    ``path``, replacing what is there. Raises InputError when nothing is a face or a source changes meanwhile.
    """
    listed = list(sources)
    with fsio.atomic_writer(path) as stream, tempfile.TemporaryFile(dir=path.parent) as listing:
        runs = _runs(stream.name, listed, HEADER.size + _head_size(listed))
        taken = _take_all(runs, listing)
        if not any(part.kept for part in taken):
            raise InputError(
                "nothing to pack",
                why=f"none of {len(listed)} pictures is a face",
                hint="python -m core check-faceset SIDE tells why",
            )
        placed = _settle(runs, taken, HEADER.size + listing.tell() + len(safe_pickle.LIST_END))
        checksum = _write_head(stream, listing, placed)
        os.fsync(stream.fileno())
        _check_head(stream.name, placed[0].start, checksum)
        _check_all(placed)
    kept = tuple(run.sources[at] for run, part in zip(runs, taken, strict=True) for at in part.kept)
    return Packed(
        kept,
        tuple(size for part in placed for size in part.sizes),
        tuple(problem for part in taken for problem in part.problems),
    )


def _head_size(sources: list[Source]) -> int:
    """Bytes for the list and the table of offsets: exact for few sources, for many ones hardly ever too little."""
    sample = sources[:: -(-len(sources) // _SAMPLE)] if sources else []
    sizes = np.array([_entry_size(source) for source in sample] or [0])
    unseen = 1 - len(sample) / max(1, len(sources))
    each = sizes.mean() + 4 * sizes.std() * math.sqrt(unseen / len(sizes))  # four standard errors above the mean
    return math.ceil(each * len(sources)) + len(safe_pickle.LIST_START + safe_pickle.LIST_END) + 8


def _entry_size(source: Source) -> int:
    try:
        return len(source.entry(source.data()) + safe_pickle.LIST_NEXT) + 8
    except PipelineError:
        return 0


def _runs(path: str, sources: list[Source], start: int) -> list[_Run]:
    runs = []
    for at in range(0, len(sources), _RUN):
        part = sources[at : at + _RUN]
        runs.append(_Run(path, start, part, [source.size() for source in part]))
        start += sum(runs[-1].sizes)
    return runs


def _take_all(runs: list[_Run], listing: IO[bytes]) -> list[_Taken]:
    """Copy the faces into their places, and write the list of the pak to ``listing``. A pak that this process has open is read by this process."""
    several = all(isinstance(source, FileSource) for run in runs for source in run.sources)
    found = []
    listing.write(safe_pickle.LIST_START)
    with Task("packing", "face", total=sum(len(run.sources) for run in runs)) as task:
        for taken in spread(_take, runs, files=_RUN) if several else map(_take, runs):
            listing.write(taken.entries)
            found.append(taken._replace(entries=b""))
            task.update(len(taken.kept) + len(taken.problems))
    return found


def _take(run: _Run) -> _Taken:
    """Read, describe and copy a run. No two runs overlap: any process may do it."""
    entries: list[bytes] = []
    taken = _Taken(b"", [], [], [])
    block, position = bytearray(), run.start
    with open(run.path, "r+b", buffering=0) as stream:
        for at, (source, size) in enumerate(zip(run.sources, run.sizes, strict=True)):
            try:
                data = source.data()
                entries.append(source.entry(data) + safe_pickle.LIST_NEXT)
            except PipelineError as error:
                taken.problems.append((source.name, f"{error.what}: {error.why}" if error.why else error.what))
                continue
            if len(data) != size:
                raise InputError(
                    "a face changed while it was packed",
                    where=source.name,
                    hint="stop what is editing the faces and pack again",
                )
            taken.kept.append(at)
            taken.checksums.append(zlib.crc32(data))
            block += data
            if len(block) >= _BLOCK:
                position += _put(stream.fileno(), block, position)
                block.clear()
        _put(stream.fileno(), block, position)
    return taken._replace(entries=b"".join(entries))


def _put(fd: int, data: bytes | bytearray, position: int) -> int:
    """Write all of ``data`` at ``position``. Returns how many bytes that are."""
    done = os.pwrite(fd, data, position)
    while done < len(data):  # a disk that is nearly full takes a part; the next one says why
        done += os.pwrite(fd, data[done:], position + done)
    return done


def _settle(runs: list[_Run], taken: list[_Taken], list_end: int) -> list[_Placed]:
    """Close the gaps of pictures that are no faces, and make room for the head if there is too little."""
    count = sum(len(part.kept) for part in taken)
    start, placed = list_end + 8 * (count + 1), []
    if runs[0].start >= start + safe_pickle.UNUSED_LEAST:
        start = runs[0].start
    for run, part in zip(runs, taken, strict=True):
        placed.append(_Placed(run.path, start, [run.sizes[at] for at in part.kept], part.checksums))
        start += sum(placed[-1].sizes)
    # All that goes up ends up before anything that goes down: in this order nothing is written over what is still to be moved.
    moves = [(run.start, part.start, sum(part.sizes)) for run, part in zip(runs, placed, strict=True)]
    up, down = [move for move in moves if move[1] > move[0]], [move for move in moves if move[1] < move[0]]
    with open(runs[0].path, "r+b", buffering=0) as stream:
        for move in (*reversed(up), *down):
            _move(stream.fileno(), *move)
        stream.truncate(start)
    return placed


def _move(fd: int, start: int, to: int, size: int) -> None:
    """Move ``size`` bytes from ``start`` to ``to``, which may overlap."""
    blocks = range(0, size, _BLOCK)
    for at in blocks if to < start else reversed(blocks):
        _put(fd, os.pread(fd, min(_BLOCK, size - at), start + at), to + at)


def _write_head(stream: IO[bytes], listing: IO[bytes], placed: list[_Placed]) -> int:
    """Header, list and table of offsets, up to the first face. Returns their CRC-32.

    Room that is left over is filled up within the list. The last offset is absolute, as in original files.
    """
    sizes = [size for part in placed for size in part.sizes]
    offsets = np.zeros(len(sizes) + 1, "<u8")
    np.cumsum(sizes, out=offsets[1:])
    offsets[-1] += placed[0].start
    config_size = placed[0].start - HEADER.size - offsets.nbytes
    left = config_size - listing.tell() - len(safe_pickle.LIST_END)
    listing.write((safe_pickle.unused(left) if left else b"") + safe_pickle.LIST_END)
    listing.seek(0)
    checksum = 0
    for block in chain(
        [HEADER.pack(VERSION, config_size)], iter(lambda: listing.read(_BLOCK), b""), [offsets.tobytes()]
    ):
        checksum = zlib.crc32(block, checksum)
        stream.write(block)
    stream.flush()
    return checksum


def _check_head(path: str, size: int, expected: int) -> None:
    checksum = 0
    with open(path, "rb") as stream:
        while block := stream.read(min(_BLOCK, size)):
            checksum = zlib.crc32(block, checksum)
            size -= len(block)
    if checksum != expected:
        raise _differs(path)


def _check_all(placed: list[_Placed]) -> None:
    with Task("reading back", "face", total=sum(len(part.sizes) for part in placed)) as task:
        for part, _ in zip(placed, spread(_check, placed, files=_RUN), strict=True):
            task.update(len(part.sizes))


def _check(part: _Placed) -> None:
    """Read faces back and compare them with what was meant to be written."""
    with open(part.path, "rb", buffering=_BLOCK) as stream:
        stream.seek(part.start)
        for size, checksum in zip(part.sizes, part.checksums, strict=True):
            if zlib.crc32(stream.read(size)) != checksum:
                raise _differs(part.path)


def _differs(path: str) -> EnvironmentFault:
    return EnvironmentFault(
        "the packed faceset reads back different from what was written",
        where=path,
        hint="check the disk; nothing was replaced",
    )
