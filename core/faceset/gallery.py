"""The images of a faceset as sorting sees them: a folder or a pak, faces and other images alike, in order of names."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.errors import CorruptFileError, InputError, from_os_error
from core.faceset.database import images
from core.faceset.database.connection import open_database
from core.faceset.store import face_key, why_empty
from core.formats import dfl_image
from core.formats.pak import PakReader
from core.types import FaceRecord
from core.workspace import PAK_NAME, list_images


@dataclass(frozen=True)
class Gallery:
    """The images of a faceset.

    names: file names; in a pak of several persons ``person/name``.
    keys: 16 bytes for each, of its contents, that tell whether scores still hold.
    pak: the open pak, or None for loose files.
    """

    folder: Path
    names: tuple[str, ...]
    keys: tuple[bytes, ...]
    pak: PakReader | None = None

    def __len__(self) -> int:
        return len(self.names)

    def read(self, index: int) -> bytes:
        """The bytes of an image file.

        Raises:
            InputError: it is no longer there.
        """
        if self.pak is not None:
            return bytes(self.pak.read(index))
        try:
            return (self.folder / self.names[index]).read_bytes()
        except OSError as error:
            raise from_os_error(error) from None

    def record(self, index: int) -> FaceRecord | None:
        """The face's record; None for an image without (whole) metadata."""
        return record_of(self.read(index), self.names[index])


def record_of(data: bytes, name: str) -> FaceRecord | None:
    """The record in an image file's bytes; None when there is none, or it is damaged."""
    try:
        return dfl_image.parse(data, name)
    except (InputError, CorruptFileError):
        return None


@contextmanager
def open_gallery(folder: Path, *, only_to_look: bool = False) -> Iterator[Gallery]:
    """The faceset in ``folder``.

    only_to_look: of a pak beside loose images, which packing leaves there unless told otherwise, take the pak. Who
        changes one of the two would have to change the other.

    Raises:
        InputError: the folder holds both a pak and loose images, or neither.
    """
    pak, paths = folder / PAK_NAME, list_images(folder)
    if pak.exists() and paths and not only_to_look:
        raise InputError(
            "a packed faceset and loose faces in one folder",
            where=folder,
            hint="unpack the pak, or move one of the two away",
        )
    if pak.exists():
        with PakReader(pak) as reader:
            yield _packed(folder, reader)
    elif paths:
        yield Gallery(folder, tuple(path.name for path in paths), contents(folder.parent / "faces.db", paths))
    else:
        raise InputError(
            "no faces", where=folder, why=why_empty(folder), hint="extract faces first, or copy a faceset there"
        )


def _packed(folder: Path, reader: PakReader) -> Gallery:
    names = tuple(map(face_key, reader.records))
    keys = tuple(_key(hashlib.sha256(reader.read(index)).hexdigest()) for index in range(len(reader)))
    return Gallery(folder, names, keys, reader)


def contents(database: Path, paths: Sequence[Path]) -> tuple[bytes, ...]:
    """16 bytes for each loose file that tell what is in it, whatever it is called: the same as for a packed one.

    The face database, where there is one, remembers them as long as a file keeps its size and time.
    """
    if not database.is_file():
        return tuple(_key(_sha256(path)) for path in paths)
    with open_database(database) as connection:
        known = {row.name: row for row in images.images(connection)}
        seen: dict[str, tuple[str, int, int]] = {}
        for path in paths:
            # Size and time stand for the content, so that a second sort reads no images.
            status, row = path.stat(), known.get(path.name)
            now = (status.st_size, status.st_mtime_ns)
            if row is None or not row.sha256 or (row.bytes, row.mtime_ns) != now:
                seen[path.name] = (_sha256(path), *now)
        images.note_contents(connection, images.ALIGNED, seen)
    return tuple(_key(seen[path.name][0] if path.name in seen else known[path.name].sha256) for path in paths)


def _sha256(path: Path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _key(sha256: str) -> bytes:
    return bytes.fromhex(sha256)[:16]
