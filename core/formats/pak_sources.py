"""What goes into a packed faceset: loose face files, and faces of other paks."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from core.errors import from_os_error
from core.formats import dfl_image, metadata_pattern
from core.formats.face_metadata import FACE_TYPES
from core.formats.pak import PakReader
from core.formats.pak_entry import write_entry, write_plain_entry

_READ = 1 << 18  # bytes at a time of a file that grows while it is read


class Source(Protocol):
    """A face to pack.

    name: of its file in the pak.
    person: its sub-folder in a faceset of persons.
    """

    @property
    def name(self) -> str: ...

    @property
    def person(self) -> str | None: ...

    def size(self) -> int:
        """Bytes of the face file."""

    def data(self) -> bytes:
        """The face file. Raises PipelineError when it cannot be read."""

    def entry(self, data: bytes) -> bytes:
        """The face in the list of the pak, ``data`` being its file. Raises PipelineError when it is no face."""


@dataclass(frozen=True)
class FileSource:
    """A loose face file.

    new_name: of the packed face, where it gets another one.
    """

    path: Path
    person: str | None = None
    new_name: str = ""

    def __reduce__(self):  # half the time of the usual way, for the very many that go to workers
        return _file_source, (os.fspath(self.path), self.person, self.new_name)

    @property
    def name(self) -> str:
        return self.new_name or self.path.name

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
        payload, shape = dfl_image.stored(data, str(self.path))
        plain = metadata_pattern.plain(payload)
        if plain and plain.face_type in FACE_TYPES:
            return write_plain_entry(plain, self.name, shape, self.person)
        record = dfl_image.parse(data, self.name, where=self.path)
        return write_entry(replace(record, person=self.person))


def _file_source(path: str, person: str | None, new_name: str) -> FileSource:
    return FileSource(Path(path), person, new_name)


def _read_all(fd: int) -> bytes:
    """A whole file by plain system calls, because there are very many of these.

    The byte beyond its size shows that it does not grow meanwhile.
    """
    expected = os.fstat(fd).st_size
    data = os.read(fd, expected + 1)
    parts = [data]
    while len(data) != expected and (part := os.read(fd, _READ)):
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
        try:
            record = dfl_image.parse(data, self.name)
        except dfl_image.NotAFaceError:
            # The list of its pak has what an entry needs.
            record = self.reader.records[self.index]
        return write_entry(replace(record, name=self.name, person=self.person))
