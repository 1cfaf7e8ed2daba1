"""Writing a packed faceset: whole or not at all, and compared with its sources before it gets its name."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, NamedTuple, Protocol, TypeVar

import numpy as np

from core import fsio
from core.errors import EnvironmentFault, InputError, PipelineError, from_os_error
from core.formats import dfl_image, metadata_pattern, safe_pickle
from core.formats.face_metadata import FACE_TYPES
from core.formats.pak import HEADER, VERSION, PakReader, config_fragment, plain_fragment
from core.formats.parallel import spread
from core.progress import progress

T = TypeVar("T")
R = TypeVar("R")
_BLOCK = 1 << 20
_RUN = 128  # faces that are described, copied and compared at a stretch


class Source(Protocol):
    """A face to pack."""

    @property
    def name(self) -> str: ...
    @property
    def person(self) -> str | None: ...
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
            return plain_fragment(plain, self.name, shape, self.person)
        return config_fragment(replace(dfl_image.parse(data, self.name, where=self.path), person=self.person))


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

    def data(self) -> bytes:
        return self.reader.read(self.index)

    def entry(self, data: bytes) -> bytes:
        """The face in the list of the pak."""
        try:
            record = dfl_image.parse(data, self.name)
        except dfl_image.NotAFaceError:
            record = self.reader.records[self.index]
        return config_fragment(replace(record, name=self.name, person=self.person))


@dataclass(frozen=True)
class Packed:
    """What went in. kept: the sources in order; sizes: bytes of each; problems: (name, reason) of those left out."""

    kept: tuple[Source, ...]
    sizes: tuple[int, ...]
    problems: tuple[tuple[str, str], ...]


class _Described(NamedTuple):
    """Sources as the pak needs them. entries: of its list, one after another; kept: which of the sources are faces; sizes, digests: of
    their files, SHA-256; problems: (name, reason) of the others."""

    entries: bytes
    kept: list[int]
    sizes: list[int]
    digests: list[bytes]
    problems: list[tuple[str, str]]


class _Run(NamedTuple):
    """Faces that lie one after another in the new file ``path``, from ``start`` on: what each comes from, its size and its SHA-256."""

    path: str
    start: int
    sources: Sequence[Source]
    sizes: Sequence[int]
    digests: Sequence[bytes]


def write_pak(path: Path, sources: Iterable[Source]) -> Packed:
    """Pack the faces of ``sources`` in their order; pictures that are no faces are left out and named in the result.

    Memory does not grow with the pictures. The file is read back from the disk and compared before it appears under ``path``, replacing what
    is there. Raises InputError when nothing is a face or a source changes meanwhile.
    """
    with fsio.atomic_writer(path) as stream:
        head = _write_head(stream, list(sources))
        runs = _runs(stream.name, head)
        loose = all(isinstance(source, FileSource) for source in head.kept)
        _each(_copy, runs, "packing", in_parallel=loose)
        os.fsync(stream.fileno())
        _check_head(stream.name, head)
        _each(_check, [run._replace(sources=()) for run in runs], "reading back")
    return Packed(tuple(head.kept), tuple(head.sizes), tuple(head.problems))


def _each(work: Callable[[_Run], None], runs: list[_Run], desc: str, in_parallel: bool = True) -> None:
    with progress(total=sum(len(run.sizes) for run in runs), desc=desc, unit="face") as bar:
        for run, _ in zip(runs, _spread(work, runs, in_parallel), strict=True):
            bar.update(len(run.sizes))


def _spread(work: Callable[[T], R], runs: Sequence[T], in_parallel: bool) -> Iterator[R]:
    """In several processes when there are many faces, and they do not come from a pak, which this process has open."""
    return spread(work, runs, files=_RUN) if in_parallel else map(work, runs)


@dataclass
class _Head:
    """All but the faces: header, list and table. kept: the faces to copy, with their sizes and digests; size, digest: of the head itself."""

    kept: list[Source] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    header: bytes = b""
    size: int = 0
    digest: bytes = b""


def _write_head(stream: IO[bytes], listed: list[Source]) -> _Head:
    """Describe the faces, and write everything before them."""
    head, listing = _Head(), _HashedStream(stream)
    stream.write(bytes(HEADER.size))
    listing.write(safe_pickle.LIST_START)
    _write_list(listing, listed, head)
    if not head.kept:
        raise InputError("nothing to pack", why=f"none of {len(head.problems)} pictures is a face", hint="python -m core check-faceset SIDE tells why")
    listing.write(safe_pickle.LIST_END)
    _finish_head(listing, head)
    return head


def _write_list(listing: "_HashedStream", listed: list[Source], head: _Head) -> None:
    """The entries of all faces, which are entered into ``head``."""
    groups = [listed[at : at + _RUN] for at in range(0, len(listed), _RUN)]
    loose = all(isinstance(source, FileSource) for source in listed)
    with progress(total=len(listed), desc="reading faces", unit="face") as bar:
        for group, found in zip(groups, _spread(_describe, groups, loose), strict=True):
            listing.write(found.entries)
            head.kept += [group[at] for at in found.kept]
            head.sizes += found.sizes
            head.digests += found.digests
            head.problems += found.problems
            bar.update(len(group))


def _finish_head(listing: "_HashedStream", head: _Head) -> None:
    """The table of offsets, and the length of the list in the header. The last offset is absolute, as in original files."""
    stream = listing.stream
    config_end = stream.tell()
    offsets = np.zeros(len(head.sizes) + 1, "<u8")
    np.cumsum(head.sizes, out=offsets[1:])
    head.size = config_end + offsets.nbytes
    offsets[-1] += head.size
    listing.write(offsets.tobytes())
    head.header, head.digest = HEADER.pack(VERSION, config_end - HEADER.size), listing.total.digest()
    stream.seek(0)
    stream.write(head.header)
    stream.flush()


def _runs(path: str, head: _Head) -> list[_Run]:
    runs, start = [], head.size
    for at in range(0, len(head.kept), _RUN):
        part = slice(at, at + _RUN)
        runs.append(_Run(path, start, head.kept[part], head.sizes[part], head.digests[part]))
        start += sum(head.sizes[part])
    return runs


class _HashedStream:
    """A stream that hashes what is written."""

    def __init__(self, stream: IO[bytes]):
        self.stream, self.total = stream, hashlib.sha256()

    def write(self, data: bytes) -> None:
        self.total.update(data)
        self.stream.write(data)


def _describe(sources: Sequence[Source]) -> _Described:
    entries: list[bytes] = []
    found = _Described(b"", [], [], [], [])
    for at, source in enumerate(sources):
        try:
            data = source.data()
            entries.append(source.entry(data) + safe_pickle.LIST_NEXT)
        except PipelineError as error:
            found.problems.append((source.name, f"{error.what}: {error.why}" if error.why else error.what))
            continue
        found.kept.append(at)
        found.sizes.append(len(data))
        found.digests.append(_digest(data))
    return found._replace(entries=b"".join(entries))


def _copy(run: _Run) -> None:
    """The faces of a run into their places. No two runs overlap: any process may do it."""
    fd, position = os.open(run.path, os.O_WRONLY | os.O_CLOEXEC), run.start
    try:
        for source, size, digest in zip(run.sources, run.sizes, run.digests, strict=True):
            data = source.data()
            if len(data) != size or _digest(data) != digest:
                raise InputError("a face changed while it was packed", where=source.name, hint="stop what is editing the faces and pack again")
            _put(fd, data, position)
            position += size
    finally:
        os.close(fd)


def _put(fd: int, data: bytes, position: int) -> None:
    done = os.pwrite(fd, data, position)
    while done < len(data):  # a disk that is nearly full takes a part; the next one says why
        done += os.pwrite(fd, data[done:], position + done)


def _check(run: _Run) -> None:
    """Read a run back and compare it with what was meant to be written."""
    with open(run.path, "rb", buffering=_BLOCK) as stream:
        stream.seek(run.start)
        for size, digest in zip(run.sizes, run.digests, strict=True):
            if _digest(stream.read(size)) != digest:
                raise _differs(run.path)


def _check_head(path: str, head: _Head) -> None:
    total, left = hashlib.sha256(), head.size - HEADER.size
    with open(path, "rb") as stream:
        if stream.read(HEADER.size) != head.header:
            raise _differs(path)
        while block := stream.read(min(_BLOCK, left)):
            total.update(block)
            left -= len(block)
    if total.digest() != head.digest:
        raise _differs(path)


def _differs(path: str) -> EnvironmentFault:
    return EnvironmentFault("the packed faceset reads back different from what was written", where=path, hint="check the disk; nothing was replaced")


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
