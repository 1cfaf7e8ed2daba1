"""Packed facesets (``faceset.pak``).

A header, a pickled list with one dict a face, a table of offsets, then the face files one after another. What an entry
of the list says is in :mod:`core.formats.pak_entry`, writing in :mod:`core.formats.pak_writer`.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptFileError, PipelineError, from_os_error
from core.formats import dfl_image
from core.formats.names import UniqueNames
from core.formats.pak_entry import AMBIGUOUS_FACE_TYPES, FACE_TYPE_NAMES, name_of, person_of, read_entry
from core.formats.pickle import safe_pickle
from core.imaging import jpeg, png
from core.imaging.dimensions import dimensions, validate_dimensions
from core.types import FaceRecord

VERSION = 1
HEADER = struct.Struct("<QQ")  # version, bytes of the list
OFFSET_BYTES = 8
_LARGEST_OFFSET = 2**62
_USUAL_PIXELS = 1 << 22  # of a face; what has more is looked at
_LARGEST_READ = 1 << 30  # the system reads no more than 2 GiB at once
_SALVAGE = "scripts/3.4_unpack_src.sh --salvage recovers the faces that are whole (dst: 4.4)"


class _Listed(NamedTuple):
    """What the list says about a face.

    face_type: as it is stored, a number or a name.
    record: None when the entry makes no sense; then ``why`` tells.
    """

    name: str
    person: str | None
    face_type: Any
    record: FaceRecord | None
    why: str = ""


class _Spans(NamedTuple):
    """Where the faces lie: absolute starts and sizes in bytes, and which are wholly in the file; each (n,)."""

    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]
    whole: NDArray[np.bool_]


class PakReader:
    """A packed faceset.

    Opening needs no pixels; ``read`` is random access by ``pread``, safe in threads and forked processes.

    records: what the list in the file holds, names made safe and unique; source landmarks, rectangle and matrix are
        only in the embedded face, see :meth:`full_record`.
    problems: (name, reason) of faces left out.
    salvage: a truncated file only shortens the list.

    Raises:
        InputError: no such file.
        CorruptFileError: a damaged, truncated or hostile file.
    """

    def __init__(self, path: Path, *, salvage: bool = False):
        self.path, self.salvage = Path(path), salvage
        self.problems: list[tuple[str, str]] = []
        self._fd = -1
        try:
            # Of the open file, for another one may take its name.
            self._size = os.stat(self._open()).st_size
            self._load()
        except BaseException:
            self.close()
            raise

    def _open(self) -> int:
        if self._fd < 0:
            try:
                self._fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                raise from_os_error(error) from None
        return self._fd

    def _load(self) -> None:
        config = self._config()
        listed = safe_pickle.load_list(config, self._listed, where=self.path)
        spans = self._spans(len(listed), HEADER.size + len(config))
        # The raw list can be as large as all that was made of it.
        del config
        records = self._named(listed, spans)
        kept = []
        for index, (record, whole) in enumerate(zip(records, spans.whole, strict=True)):
            if record is None:
                continue
            if not whole:
                self.problems.append((_called(record), "cut short"))
            elif self._is_too_large(record, int(spans.starts[index]), int(spans.sizes[index])):
                self.problems.append((_called(record), "the list says another size than the picture"))
            else:
                kept.append(index)
        self.records: list[FaceRecord] = [records[i] for i in kept]  # type: ignore[misc]
        self._starts, self._sizes = spans.starts[kept], spans.sizes[kept]
        self._resolve_face_types([listed[i].face_type for i in kept])

    def _config(self) -> bytes:
        """The pickled list."""
        head = self._pread(0, HEADER.size)
        if len(head) < HEADER.size:
            raise self._corrupt(f"only {self._size} bytes")
        version, length = HEADER.unpack(head)
        if version != VERSION:
            raise CorruptFileError(
                "not a packed faceset", where=self.path, why=f"version {version}, only {VERSION} is known"
            )
        if length > self._size - HEADER.size:
            raise self._corrupt("the list of faces is cut short: nothing can be recovered")
        return self._pread(HEADER.size, length)

    def _listed(self, index: int, entry: Any) -> _Listed:
        face_type = entry.get("face_type") if type(entry) is dict else None
        name, person = name_of(entry, index), person_of(entry)
        try:
            return _Listed(name, person, face_type, read_entry(entry, name, self.path))
        except PipelineError as error:
            return _Listed(name, person, face_type, None, error.why or error.what)

    def _spans(self, count: int, begin: int) -> _Spans:
        """From the table of offsets of ``count`` faces, which begins at ``begin``."""
        table_size = OFFSET_BYTES * (count + 1)
        raw = self._pread(begin, table_size)
        if len(raw) != table_size:
            raise self._corrupt("the table of offsets is cut short, so are the faces")
        table = np.frombuffer(raw, "<u8")
        # Compared as unsigned numbers: the largest would be negative as int64, or overflow where they are added up.
        if count and (int(table.max()) > _LARGEST_OFFSET or int(table[0]) != 0):
            raise self._corrupt("the offsets of the faces make no sense")
        offsets, data = table.astype(np.int64), begin + table_size
        if (np.diff(offsets[:-1]) < 0).any():
            raise self._corrupt("the offsets of the faces make no sense")
        # The last entry, where the faces end, is absolute in original files and relative in some others.
        last = int(offsets[-1])
        end = last if last == self._size or data + last > self._size else data + last
        starts = offsets[:-1] + data
        ends = np.append(starts[1:], end) if count else starts
        whole = (ends <= self._size) & (ends > starts)
        if not whole.all() and not self.salvage:
            raise self._corrupt(f"{int((~whole).sum())} of {count} faces are cut short", hint=_SALVAGE)
        return _Spans(starts, ends - starts, whole)

    def _named(self, listed: list[_Listed], spans: _Spans) -> list[FaceRecord | None]:
        """The records under unique names. An entry that makes no sense is replaced by what the embedded face says."""
        names = UniqueNames()
        records: list[FaceRecord | None] = [None] * len(listed)
        for index, face in enumerate(listed):
            if face.record is not None:
                records[index] = _renamed(face.record, names.take(face.name, face.person), face.person)
        # Only now the damaged ones: none of them shall take the name of a sound one.
        for index, face in enumerate(listed):
            if face.record is None:
                try:
                    data = self._pread(int(spans.starts[index]), max(0, int(spans.sizes[index])))
                    record = dfl_image.parse(data, face.name, where=self.path)
                    records[index] = _renamed(record, names.take(face.name, face.person), face.person)
                except PipelineError:
                    self.problems.append((_called(face), face.why))
        return records

    def _is_too_large(self, record: FaceRecord, start: int, size: int) -> bool:
        """Whether the list gives a face far more pixels than it has: masks and crops would be made as large."""
        height, width = record.shape
        if height * width <= _USUAL_PIXELS + size:
            return False
        try:
            image = self._pread(start, size)
            validate_dimensions(image, record.name)
            return dimensions(image, record.name) != record.shape
        except PipelineError:
            return True

    def _resolve_face_types(self, stored: list[Any]) -> None:
        """Find out what the ambiguous numbers meant when the file was made.

        The first and the last face of each number are asked.
        """
        for number in {n for n in stored if type(n) is int and n in AMBIGUOUS_FACE_TYPES}:
            indices = [i for i, other in enumerate(stored) if type(other) is int and other == number]
            answers = {self._embedded_type(i) for i in (indices[0], indices[-1])} - {None}
            if not answers - {FACE_TYPE_NAMES[number]}:
                continue
            agreed = answers.pop() if len(answers) == 1 else None
            for i in indices:
                face_type = agreed or self._embedded_type(i)
                if face_type is not None:
                    self.records[i] = replace(self.records[i], face_type=face_type)

    def _embedded_type(self, index: int) -> str | None:
        try:
            return self.full_record(index).face_type
        except PipelineError:
            return None

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[FaceRecord]:
        return iter(self.records)

    def read(self, index: int) -> bytes:
        """The face file.

        Raises:
            CorruptFileError: the pak shrank since it was opened.
        """
        start, size = self.span(index)
        data = self._pread(start, size)
        if len(data) != size:
            raise self._corrupt("it became shorter while it was in use")
        return data

    def size(self, index: int) -> int:
        """Bytes of the face file."""
        return int(self._sizes[index])

    def span(self, index: int) -> tuple[int, int]:
        """Where the face file lies in the pak, and its bytes."""
        return int(self._starts[index]), int(self._sizes[index])

    def full_record(self, index: int) -> FaceRecord:
        """The record inside the embedded face file, with this pak's name and person.

        Raises:
            CorruptFileError, NotAFaceError: as :func:`core.formats.dfl_image.parse`.
        """
        record = self.records[index]
        embedded = dfl_image.parse(self.read(index), record.name, where=f"{self.path}:{record.name}")
        return replace(embedded, person=record.person)

    def is_whole(self, index: int) -> bool:
        """Whether the embedded image has an end (a truncated pak's last face may not)."""
        data = self.read(index)
        if data[:2] != jpeg.SOI:
            return png.is_complete(data)
        try:
            return jpeg.is_complete(data)
        except CorruptFileError:
            return False

    def _pread(self, position: int, size: int) -> bytes:
        """Up to ``size`` bytes at ``position``: fewer at the end of the file."""
        parts = []
        while size > 0:
            part = os.pread(self._open(), min(size, _LARGEST_READ), position)
            if not part:
                break
            parts.append(part)
            position, size = position + len(part), size - len(part)
        # What came in one piece, as nearly all does, is not copied once more.
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _corrupt(self, why: str, hint: str = "get the file from its source again") -> CorruptFileError:
        return CorruptFileError("damaged packed faceset", where=self.path, why=why, hint=hint)

    def close(self) -> None:
        """Close the file; the next ``read`` opens it again."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> "PakReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __getstate__(self) -> dict:  # a worker process opens the file for itself
        return self.__dict__ | {"_fd": -1}


def _called(face: FaceRecord | _Listed) -> str:
    """For people: persons may have files of one name."""
    return f"{face.person}/{face.name}" if face.person else face.name


def _renamed(record: FaceRecord, name: str, person: str | None) -> FaceRecord:
    if person is None and name == record.name:
        return record
    return replace(record, name=name, person=person)
