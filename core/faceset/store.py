"""One view of a faceset, loose files or ``faceset.pak``: records without pixels, the image files, a fingerprint."""

import hashlib
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from core.errors import InputError, PipelineError, from_os_error
from core.faceset.identity import face_id
from core.faceset.steps import GROUPS, PARKED
from core.formats import dfl_image
from core.formats.pak import PakReader
from core.parallel import spread
from core.types import FaceRecord
from core.workspace import PAK_NAME, list_images, natural_key, other_faces

log = logging.getLogger(__name__)
_NAMED = 20


@dataclass(frozen=True, eq=False)
class Faceset:
    """Faces in the natural order of person and name, the same for loose files and a pak of them.

    folder: where it lives.
    problems: (name, reason) of files that are not in it because they are no faces or damaged.
    May be sent to other processes and read from threads.
    """

    folder: Path
    problems: tuple[tuple[str, str], ...]
    _records: tuple[FaceRecord, ...]
    _pak: PakReader | None = None
    _order: tuple[int, ...] = ()
    _moved: "_Moved" = field(default_factory=lambda: _Moved())

    def __len__(self) -> int:
        return len(self._records)

    def records(self) -> list[FaceRecord]:
        """All records; those from a pak have no source landmarks, rectangle or matrix (see :meth:`full_record`)."""
        return list(self._records)

    def read(self, index: int) -> bytes:
        """The image file of a face."""
        if self._pak is not None:
            return self._pak.read(self._order[index])
        return self.path(index).read_bytes()

    def read_face(self, index: int) -> tuple[FaceRecord, bytes]:
        """The record and the image file of a face, which belong together whatever happens to the files meanwhile.

        A pak is read as it was when it was opened. A loose file may be sorted, renamed, masked or deleted while
        training reads it: what it says about itself is believed, and a face that is elsewhere by now is found there.

        Raises:
            InputError: the face is gone.
            CorruptFileError: its file is damaged.
        """
        if self._pak is not None:
            return self.full_record(index), self.read(index)
        wanted = face_id(self._records[index])
        found = _read_as(self.path(index), wanted)
        if found is None:
            place = self._moved.find(self.folder, wanted)
            found = None if place is None else _read_as(place, wanted)
        if found is None:
            raise InputError("a face is gone", where=self.path(index), why="it was deleted or replaced by another one")
        return found

    def full_record(self, index: int) -> FaceRecord:
        """The record with all that the face file holds."""
        return self._records[index] if self._pak is None else self._pak.full_record(self._order[index])

    def subset(self, indices: Iterable[int]) -> "Faceset":
        """The faces of these numbers, in this order, as a faceset of its own."""
        chosen = list(indices)
        order = tuple(self._order[i] for i in chosen) if self._pak is not None else ()
        return replace(self, _records=tuple(self._records[i] for i in chosen), _order=order)

    def path(self, index: int) -> Path:
        """The loose file of a face. Raises InputError for a packed faceset."""
        if self._pak is not None:
            raise InputError("this faceset is packed", where=self._pak.path, hint="unpack it first: step 3.4 or 4.4")
        return self.folder / self._records[index].name

    @property
    def packed(self) -> bool:
        return self._pak is not None

    def fingerprint(self) -> str:
        """A hash that changes when faces come, go, or change in what training sees of them.

        Of their pixels only the size of the file counts.

        The same for loose files and a pak of them.
        """
        total = hashlib.sha256()
        for index, record in enumerate(self._records):
            total.update(_face_digest(record, self.size(index)))
        return total.hexdigest()

    def size(self, index: int) -> int:
        return self._pak.size(self._order[index]) if self._pak is not None else os.stat(self.path(index)).st_size

    def close(self) -> None:
        if self._pak is not None:
            self._pak.close()


class _Moved:
    """Where faces went that are no longer under their old names; looked up anew when the folder has changed."""

    def __init__(self) -> None:
        self._seen = 0
        self._places: dict[str, Path] = {}

    def find(self, folder: Path, face: str) -> Path | None:
        """The file that shows the face now, or None."""
        changed = folder.stat().st_mtime_ns if folder.is_dir() else 0
        if changed != self._seen:
            records, _ = read_records(list_images(folder))
            self._places = {face_id(record): folder / record.name for record in records}
            self._seen = changed
        return self._places.get(face)


def _read_as(path: Path, face: str) -> tuple[FaceRecord, bytes] | None:
    """A face file with its record; None where there is none, or that of another face."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise from_os_error(error) from None
    record = dfl_image.parse(data, path.name, where=path)
    return (record, data) if face_id(record) == face else None


def _face_digest(record: FaceRecord, size: int) -> bytes:
    head = repr(
        (
            record.person,
            record.name,
            size,
            tuple(record.shape),
            record.face_type,
            round(record.eyebrows_expand_mod, 6),
            record.source_filename,
        )
    )
    digest = hashlib.sha256(head.encode("utf-8", "surrogatepass"))
    digest.update(np.asarray(record.landmarks, "<f8").tobytes())
    for polygon in record.polygons:
        digest.update(b"+" if polygon.include else b"-")
        digest.update(np.asarray(polygon.points, "<f4").tobytes())
    digest.update(record.xseg_mask or b"")
    return digest.digest()


def face_key(record: FaceRecord) -> str:
    """What people call a face of a faceset: its file name, in a pak of several persons ``person/name``."""
    return f"{record.person}/{record.name}" if record.person else record.name


def open_faceset(folder: Path) -> Faceset:
    """The faceset in ``folder``.

    Raises InputError when there is none, when no picture is a face, and when a pak and loose images that are not just
    its originals lie side by side, and when a sort was interrupted; CorruptFileError for a damaged pak.
    """
    if any(folder.glob(f"{PARKED}*")):
        raise InputError(
            "sorting was interrupted: some faces are between two names",
            where=folder,
            hint="run the sort step of this side again",
        )
    pak, loose = folder / PAK_NAME, list_images(folder)
    if pak.is_file():
        return _open_packed(pak, loose)
    if not loose:
        raise InputError(
            "no faces", where=folder, why=why_empty(folder), hint="extract faces first, or copy a faceset there"
        )
    return loose_faceset(folder, loose)


def why_empty(folder: Path) -> str:
    """Why a folder has no faces."""
    groups = folder.with_name(GROUPS)
    if groups.is_dir() and any(groups.rglob("*.*")):
        return f"they are divided into groups in {groups}: `--undo` of the sort step (3.1, 4.1) brings them back"
    people = sorted(p.name for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []
    if people:
        return (
            f"there are only sub-folders ({', '.join(people[:5])}): packing (step 3.3 or 4.3) makes one faceset of them"
        )
    others = other_faces(folder)
    if others:
        name, why = others[0]
        more = f"; and {len(others) - 1} more" if len(others) > 1 else ""
        return f"not taken for a face: {name}: {why}{more}"
    return "the folder is empty" if folder.is_dir() else "the folder does not exist"


def warn_of_other_faces(folder: Path) -> None:
    """Name the images and paks in a folder of faces that are not taken for faces, in the log."""
    others = other_faces(folder)
    for name, why in others[:_NAMED]:
        log.warning("left out: %s: %s", name, why)
    if len(others) > _NAMED:
        log.warning("and %d more were left out", len(others) - _NAMED)


def _open_packed(pak: Path, loose: list[Path]) -> Faceset:
    reader = PakReader(pak)
    try:
        _check_only_originals(reader, loose)
    except BaseException:
        reader.close()
        raise
    order = sorted(range(len(reader)), key=lambda i: _key(reader.records[i]))
    return Faceset(pak.parent, tuple(reader.problems), tuple(reader.records[i] for i in order), reader, tuple(order))


def _key(record: FaceRecord) -> tuple:
    return natural_key(record.person or ""), natural_key(record.name)


def _check_only_originals(reader: PakReader, loose: list[Path]) -> None:
    """Loose faces beside a pak are fine as long as each was packed: else nobody could say which faces count."""
    for path in not_originals(reader, loose):
        if is_face(path):
            raise InputError(
                "a packed faceset and other loose faces in one folder",
                where=reader.path.parent,
                why=f"{path.name} is not what is in {PAK_NAME}",
                hint="pack again with --append --overwrite to take the loose faces in, or move either of them away",
            )


def not_originals(reader: PakReader, loose: Iterable[Path]) -> Iterator[Path]:
    """The loose files that are not, byte for byte, faces of the pak beside them.

    Those older than the pak are compared by size only.
    """
    inside = {record.name: i for i, record in enumerate(reader.records) if record.person is None}
    packed_at = reader.path.stat().st_mtime
    for path in loose:
        index, info = inside.get(path.name), path.stat()
        same = index is not None and reader.size(index) == info.st_size
        # Comparing the bytes of all faces at every opening would take as long as packing them.
        if same and index is not None and info.st_mtime > packed_at:
            same = reader.read(index) == path.read_bytes()
        if not same:
            yield path


def is_face(path: Path) -> bool:
    try:
        dfl_image.read(path)
    except dfl_image.NotAFaceError:
        return False
    except PipelineError:
        return path.suffix.lower() in (".jpg", ".jpeg", ".png")
    return True


def loose_faceset(folder: Path, paths: list[Path]) -> Faceset:
    """The faceset of these files in ``folder``. Raises InputError when none of them is a face."""
    records, problems = read_records(paths)
    if not records:
        first = "; ".join(f"{name}: {why}" for name, why in problems[:3])
        raise InputError(
            "no picture here is a face",
            where=folder,
            why=first,
            hint="extract faces first, or put metadata back (step 3.6 or 4.6)",
        )
    return Faceset(folder, tuple(problems), tuple(records))


def read_records(paths: Sequence[Path]) -> tuple[list[FaceRecord], list[tuple[str, str]]]:
    """The records of face files in order, and (name, reason) of those that are none."""
    records: list[FaceRecord] = []
    problems: list[tuple[str, str]] = []
    for path, found in zip(paths, spread(_read_one, paths), strict=True):
        if isinstance(found, str):
            problems.append((path.name, found))
        else:
            records.append(found)
    return records, problems


def _read_one(path: Path) -> FaceRecord | str:
    try:
        return dfl_image.read(path)
    except PipelineError as error:
        return f"{error.what} ({error.why})" if error.why else error.what
