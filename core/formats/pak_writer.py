"""Writing a packed faceset: whole or not at all, and compared with its sources before it gets its name."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Protocol

import numpy as np

from core import fsio
from core.errors import EnvironmentFault, InputError, PipelineError, from_os_error
from core.formats import dfl_image, safe_pickle
from core.formats.pak import HEADER, VERSION, PakReader, config_fragment
from core.formats.parallel import spread
from core.progress import progress
from core.types import FaceRecord


class Source(Protocol):
    """A face to pack."""

    @property
    def name(self) -> str: ...
    @property
    def person(self) -> str | None: ...
    def data(self) -> bytes: ...
    def record(self, data: bytes) -> FaceRecord: ...


@dataclass(frozen=True)
class FileSource:
    """A loose face file."""

    path: Path
    person: str | None = None

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

    def record(self, data: bytes) -> FaceRecord:
        return replace(dfl_image.parse(data, self.name, where=self.path), person=self.person)


def _read_all(fd: int) -> bytes:
    """A whole file by plain system calls: there are very many of these."""
    first = os.read(fd, 1 << 18)
    parts = [first]
    while part := os.read(fd, 1 << 18):  # only the end of the file says that it was all
        parts.append(part)
    return first if len(parts) == 1 else b"".join(parts)


@dataclass(frozen=True)
class PakSource:
    """A face of another pak, perhaps under another name."""

    reader: PakReader
    index: int
    name: str
    person: str | None = None

    def data(self) -> bytes:
        return self.reader.read(self.index)

    def record(self, data: bytes) -> FaceRecord:
        try:
            record = dfl_image.parse(data, self.name)
        except dfl_image.NotAFaceError:
            record = self.reader.records[self.index]
        return replace(record, name=self.name, person=self.person)


@dataclass(frozen=True)
class Packed:
    """What went in. kept: the sources in order; sizes: bytes of each; problems: (name, reason) of those left out."""

    kept: tuple[Source, ...]
    sizes: tuple[int, ...]
    problems: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Described:
    config: bytes
    size: int
    digest: bytes
    problem: str = ""


def write_pak(path: Path, sources: Iterable[Source]) -> Packed:
    """Pack the faces of ``sources`` in their order; pictures that are no faces are left out and named in the result.

    Memory does not grow with the pictures. The file is read back from the disk and compared before it appears under ``path``, replacing what
    is there. Raises InputError when nothing is a face or a source changes meanwhile.
    """
    with fsio.atomic_writer(path) as stream:
        hashed = _HashedStream(stream)
        packed = _write(hashed, sources)
        stream.flush()
        os.fsync(stream.fileno())
        _verify(Path(stream.name), hashed.total.digest())
    return packed


class _HashedStream:
    """A stream that hashes what follows the header."""

    def __init__(self, stream: IO[bytes]):
        self.stream, self.total = stream, hashlib.sha256()

    def write(self, data: bytes) -> None:
        self.total.update(data)
        self.stream.write(data)


def _write(stream: _HashedStream, sources: Iterable[Source]) -> Packed:
    kept: list[Source] = []
    sizes: list[int] = []
    digests: list[bytes] = []
    problems: list[tuple[str, str]] = []
    stream.stream.write(HEADER.pack(VERSION, 0))
    stream.write(safe_pickle.LIST_START)
    listed = list(sources)
    for source, found in progress(_describe_all(listed), total=len(listed), desc="reading faces", unit="face"):
        if found.problem:
            problems.append((source.name, found.problem))
            continue
        stream.write(found.config + safe_pickle.LIST_NEXT)
        kept.append(source)
        sizes.append(found.size)
        digests.append(found.digest)
    if not kept:
        raise InputError("nothing to pack", why=f"none of {len(problems)} pictures is a face", hint="python -m core check-faceset SIDE tells why")
    stream.write(safe_pickle.LIST_END)
    _finish(stream, kept, sizes, digests)
    return Packed(tuple(kept), tuple(sizes), tuple(problems))


def _finish(stream: _HashedStream, kept: list[Source], sizes: list[int], digests: list[bytes]) -> None:
    """The offset table, the faces, and the length of the list in the header. The last offset is absolute, as in original files."""
    config_end = stream.stream.tell()
    offsets = np.zeros(len(kept) + 1, "<u8")
    np.cumsum(sizes, out=offsets[1:])
    offsets[-1] += config_end + offsets.nbytes
    stream.write(offsets.tobytes())
    for source, size, digest in progress(zip(kept, sizes, digests, strict=True), total=len(kept), desc="packing", unit="face"):
        data = source.data()
        if len(data) != size or _digest(data) != digest:
            raise InputError("a face changed while it was packed", where=source.name, hint="stop what is editing the faces and pack again")
        stream.write(data)
    stream.stream.seek(0)
    stream.stream.write(HEADER.pack(VERSION, config_end - HEADER.size))


def _verify(path: Path, expected: bytes) -> None:
    """Read the new file back and compare it with what was meant to be written."""
    total = hashlib.sha256()
    with open(path, "rb") as stream:
        stream.seek(HEADER.size)
        while block := stream.read(1 << 22):
            total.update(block)
    if total.digest() != expected:
        raise EnvironmentFault("the packed faceset reads back different from what was written", where=path, hint="check the disk; nothing was replaced")


def _describe_all(listed: list[Source]) -> Iterator[tuple[Source, _Described]]:
    """Each source with its entry; in several processes when there are many loose files."""
    if not all(isinstance(source, FileSource) for source in listed):
        return ((source, _describe(source)) for source in listed)
    return zip(listed, spread(_describe, listed), strict=True)


def _describe(source: Source) -> _Described:
    try:
        data = source.data()
        return _Described(config_fragment(source.record(data)), len(data), _digest(data))
    except PipelineError as error:
        return _Described(b"", 0, b"", f"{error.what}: {error.why}" if error.why else error.what)


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
