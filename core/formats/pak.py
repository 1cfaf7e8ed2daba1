"""Packed facesets (``faceset.pak``): a header, a pickled list with one dict a face, a table of offsets, the face files one after another."""

import os
import struct
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptFileError, PipelineError, from_os_error
from core.formats import dfl_image, pak_entries
from core.formats.face_metadata import from_dict, polygons_to_dict
from core.formats.metadata_pattern import Plain
from core.formats.names import UniqueNames, safe_component, safe_image_name
from core.formats.pickle import safe_pickle
from core.formats.pickle.writer import fragment, listed_pairs, spelled_points
from core.geometry.align import FaceType
from core.imaging import jpeg
from core.types import FaceRecord

VERSION = 1
HEADER = struct.Struct("<QQ")
_SALVAGE = "python -m core unpack SIDE --salvage recovers the faces that are whole"
# Numbers whose meaning changed in 2020; the name inside an embedded face decides.
_AMBIGUOUS = frozenset({FaceType.WHOLE_FACE, FaceType.HEAD})
_OLD_NUMBERS = {5: "head", 6: "head_no_align"}
_NAMES = {int(kind): kind.file_name for kind in FaceType} | _OLD_NUMBERS


class PakReader:
    """A packed faceset. ``records`` needs no pixels; ``read`` is random access by ``pread``, safe in threads and forked processes.

    Records hold what the list in the file holds (no source landmarks, rectangle or matrix); :meth:`full_record` reads the embedded face, which is
    authoritative. Names are sanitised and unique. ``problems``: (name, reason) of faces left out.
    Raises CorruptFileError (damaged, truncated, hostile), InputError (no such file). With ``salvage`` truncation only shortens the list.
    """

    def __init__(self, path: Path, *, salvage: bool = False):
        self.path, self.salvage = Path(path), salvage
        self.problems: list[tuple[str, str]] = []
        self._numbers: list[Any] = []
        self._damaged: dict[int, tuple[str, str | None, str]] = {}
        self._fd = -1
        try:
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
        begin = HEADER.size + len(config)
        self._restart()
        items = pak_entries.load(config, self._record)
        if items is None:
            items = safe_pickle.load_list(config, self._record, restart=self._restart, where=self.path)
        del config
        table_size = 8 * (len(items) + 1)
        raw = self._pread(begin, table_size)
        if len(raw) != table_size:
            raise self._corrupt("the table of offsets is cut short, so are the faces")
        table = np.frombuffer(raw, "<u8")
        starts, sizes, whole = self._spans(table, begin + table_size)
        self._repair(starts, sizes, items)
        kept = [i for i, item in enumerate(items) if item is not None and whole[i]]
        self.problems += [
            (item.name, "cut short") for item, ok in zip(items, whole, strict=True) if item is not None and not ok
        ]
        self.records: list[FaceRecord] = [items[i] for i in kept]
        self._starts, self._sizes, self._numbers = starts[kept], sizes[kept], [self._numbers[i] for i in kept]
        self._resolve_face_types()

    def _restart(self) -> None:
        self._numbers, self._names, self.problems, self._damaged = [], UniqueNames(), [], {}

    def _config(self) -> bytes:
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

    def _spans(self, table: NDArray[Any], data: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
        """Absolute starts, sizes, and which faces lie wholly in the file. The last entry is absolute in original files, relative in some others."""
        if len(table) > 1 and (
            int(table.max()) > 2**62 or (np.diff(table[:-1].astype(np.int64)) < 0).any() or int(table[0]) != 0
        ):
            raise self._corrupt("the offsets of the faces make no sense")
        offsets = table.astype(np.int64)
        last = int(offsets[-1])
        end = last if last == self._size or data + last > self._size else data + last
        ends = np.append(offsets[1:-1] + data, end) if len(offsets) > 1 else np.zeros(0, np.int64)
        starts = offsets[:-1] + data
        whole = (ends <= self._size) & (ends > starts)
        if not whole.all() and not self.salvage:
            raise self._corrupt(f"{int((~whole).sum())} of {len(whole)} faces are cut short", hint=_SALVAGE)
        return starts, ends - starts, whole

    def _record(self, item: Any) -> FaceRecord | None:
        number = item.get("face_type") if type(item) is dict else None
        self._numbers.append(number)
        index = len(self._numbers) - 1
        try:
            if type(item) is not dict:
                raise CorruptFileError("an entry is no dict", where=self.path)
            return self._checked_record(item, index, number)
        except PipelineError as error:
            name, person = (item.get("filename"), item.get("person_name")) if type(item) is dict else (None, None)
            self._damaged[index] = (
                safe_image_name(name, f"face_{index:06d}.jpg"),
                person and safe_component(person, "person"),
                error.why or error.what,
            )
            return None

    def _repair(self, starts: NDArray[Any], sizes: NDArray[Any], items: list[FaceRecord | None]) -> None:
        """Entries that make no sense are replaced by what the embedded face says, or reported."""
        for index, (name, person, why) in self._damaged.items():
            try:
                data = self._pread(int(starts[index]), max(0, int(sizes[index])))
                items[index] = replace(
                    dfl_image.parse(data, self._names.take(name, person), where=self.path), person=person
                )
            except PipelineError:
                self.problems.append((name, why))

    def _checked_record(self, item: dict, index: int, number: Any) -> FaceRecord:
        person = item.get("person_name")
        person = None if person is None else safe_component(person, "person")
        name = safe_image_name(item.get("filename"), f"face_{index:06d}.jpg")
        shape = item.get("shape")
        if (
            not isinstance(shape, (tuple, list))
            or len(shape) < 2
            or not all(type(n) is int and 0 < n < 65536 for n in shape[:2])
        ):
            raise CorruptFileError("damaged entry", where=name, why="it has no size")
        item["xseg_mask"] = (
            item.get("xseg_mask_compressed") if item.get("xseg_mask_compressed") is not None else item.get("xseg_mask")
        )
        item["face_type"] = _NAMES.get(number, "") if type(number) is int else number
        record = from_dict({key: item[key] for key in _USED if key in item}, name, (shape[0], shape[1]), self.path)
        unique = self._names.take(name, person)
        return record if person is None and unique == name else replace(record, name=unique, person=person)

    def _resolve_face_types(self) -> None:
        """Find out what the ambiguous numbers meant when the file was made; the first and the last face of a kind are asked."""
        for number in {n for n in self._numbers if type(n) is int and (n in _AMBIGUOUS or n in _OLD_NUMBERS)}:
            indices = [i for i, other in enumerate(self._numbers) if other == number]
            answers = {self._embedded_type(i) for i in (indices[0], indices[-1])} - {None}
            if answers - {_NAMES[number]}:
                for i in indices:
                    self._set_face_type(i, answers.copy().pop() if len(answers) == 1 else self._embedded_type(i))

    def _set_face_type(self, index: int, name: str | None) -> None:
        if name is not None:
            self.records[index] = replace(self.records[index], face_type=name)

    def _embedded_type(self, index: int) -> str | None:
        try:
            return self.full_record(index).face_type
        except PipelineError:
            return None

    def __len__(self) -> int:
        return len(self.records)

    def read(self, index: int) -> bytes:
        """The face file. Raises CorruptFileError when the pak shrank since it was opened."""
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
        """The record inside the embedded face file, with this pak's name and person."""
        record = self.records[index]
        return replace(
            dfl_image.parse(self.read(index), record.name, where=f"{self.path}:{record.name}"), person=record.person
        )

    def is_whole(self, index: int) -> bool:
        """Whether the embedded picture has an end (a truncated pak's last face may not)."""
        data = self.read(index)
        try:
            return jpeg.is_complete(data) if data[:2] == jpeg.SOI else data.endswith(b"IEND\xaeB`\x82")
        except CorruptFileError:
            return False

    def _pread(self, position: int, size: int) -> bytes:
        parts = []
        while size > 0:
            part = os.pread(self._open(), min(size, 1 << 30), position)
            if not part:
                break
            parts.append(part)
            position, size = position + len(part), size - len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _corrupt(self, why: str, hint: str = "get the file from its source again") -> CorruptFileError:
        return CorruptFileError("damaged packed faceset", where=self.path, why=why, hint=hint)

    def __iter__(self) -> Iterator[FaceRecord]:
        return iter(self.records)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> "PakReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_fd": -1}


_USED = ("face_type", "landmarks", "source_filename", "seg_ie_polys", "ie_polys", "xseg_mask", "eyebrows_expand_mod")


def config_fragment(record: FaceRecord) -> bytes:
    """The pickled dict of one face, keys in the original's order, to be joined to the list of a pak."""
    mask = record.xseg_mask
    return _entry(
        record.name,
        record.face_type,
        record.shape,
        spelled_points(record.landmarks),
        record.source_filename,
        record.person,
        fragment(polygons_to_dict(record.polygons)) if record.polygons else _NO_POLYGONS,
        _NONE if mask is None else fragment(np.frombuffer(mask, np.uint8)),
        fragment(float(record.eyebrows_expand_mod)),
    )


def plain_fragment(plain: Plain, name: str, shape: tuple[int, int], person: str | None) -> bytes:
    """The same of a face whose metadata need not be decoded for it."""
    return _entry(
        name,
        plain.face_type,
        shape,
        listed_pairs(plain.points),
        plain.source_filename,
        person,
        _NO_POLYGONS,
        _NONE,
        _NO_BROWS,
    )


def _entry(
    name: str,
    face_type: str,
    shape: tuple[int, int],
    landmarks: bytes,
    source: str | None,
    person: str | None,
    polygons: bytes,
    mask: bytes,
    brows: bytes,
) -> bytes:
    return b"".join(
        (
            _ENTRY_START,
            fragment(name),
            _KEY["face_type"],
            _face_type(face_type),
            _KEY["shape"],
            _shape(shape),
            _KEY["landmarks"],
            landmarks,
            _KEY["seg_ie_polys"],
            polygons,
            _KEY["xseg_mask"],
            _NONE,
            _KEY["xseg_mask_compressed"],
            mask,
            _KEY["eyebrows_expand_mod"],
            brows,
            _KEY["source_filename"],
            _NONE if source is None else fragment(source),
            _KEY["person_name"],
            _NONE if person is None else fragment(person),
            b"u",
        )
    )


_NONE, _NO_POLYGONS, _NO_BROWS = fragment(None), fragment({"polys": []}), fragment(1.0)
_KEY = {
    key: fragment(key)
    for key in (
        "sample_type",
        "filename",
        "face_type",
        "shape",
        "landmarks",
        "seg_ie_polys",
        "xseg_mask",
        "xseg_mask_compressed",
        "eyebrows_expand_mod",
        "source_filename",
        "person_name",
    )
}
_ENTRY_START = b"}(" + _KEY["sample_type"] + fragment(safe_pickle.sample_type(1)) + _KEY["filename"]


@lru_cache(64)
def _face_type(name: str) -> bytes:
    return fragment(safe_pickle.face_type(int(FaceType.parse(name))))


@lru_cache(64)
def _shape(shape: tuple[int, int]) -> bytes:
    return fragment((*shape, 3))
