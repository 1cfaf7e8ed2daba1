"""Alignments files of faceswap: ``.fsa`` of every version, and the ``.json`` and ``.pickle`` files before them.

An ``.fsa`` is a zlib stream of one pickle. It is read by our own interpreter of pickles, which runs nothing, and
written with builtin types only, so that every version of faceswap reads it.
"""

import itertools
import mmap
import os
import shutil
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core import safe_files
from core.errors import CorruptFileError, InputError, from_os_error, naming
from core.formats.faceswap import export_json, migrate, records, spelling
from core.formats.faceswap.document import FsaDocument
from core.formats.faceswap.packing import packed
from core.formats.faceswap.spelling import NEWEST, Profile
from core.formats.pickle import safe_pickle
from core.fsio import atomic_writer

MOST_BYTES = 1 << 36  # of a file
# Real files unpack to two to twelve times their size; the limit does not bind what is small anyway.
_MOST_RATIO, _SMALL = 200, 1 << 24
_IN_MEMORY = 1 << 26  # what unpacks to more is mapped from a temporary file
_CHUNK = 1 << 20
_LET_GO = 10_000  # dicts: about a thousand faces


def read(path: Path, film: str | None = None) -> FsaDocument:
    """The alignments in a file of any version, or the boxes and points in an export of faceswap's.

    film: file name of the film that they are of; keys of old versions get its suffix then.

    Raises:
        InputError: no such file, or one in YAML.
        CorruptFileError: a damaged or hostile file.
    """
    if path.suffix.lower() in (".yaml", ".yml"):
        hint = "open it once with faceswap 1 or 2, which makes an .fsa of it, and import that"
        raise InputError("alignments in YAML are not read", where=path, hint=hint)
    try:
        raw = _raw(path)
        return export_json.document_of(raw, path) if export_json.is_export(raw) else _document(raw, path, film)
    except CorruptFileError as error:
        # Those of single frames do not know the file.
        raise CorruptFileError(error.what, where=error.where or path, why=error.why, hint=error.hint) from None


def write(path: Path, document: FsaDocument, profile: Profile = NEWEST) -> Path | None:
    """Write an ``.fsa``, whole or not at all; returns where the file that was there is kept, None where there was none.

    What the format cannot hold (``extra``, ``meta``, ``beside``) is not written: faceswap would refuse the file.
    """
    kept = _keep(path)
    with atomic_writer(path) as stream:
        stream.writelines(packed(spelling.spelled(document, profile)))
    return kept


@dataclass(frozen=True)
class NotWritten:
    """How many unknown keys a document has that :func:`write` leaves out."""

    faces: int
    frames: int
    document: int


def not_written(document: FsaDocument) -> NotWritten:
    """What of a document stays behind when it is written."""
    faces = [face for frame in document.frames for face in frame.faces]
    in_faces = sum(len(face.extra) + sum(len(mask.extra) for mask in face.masks.values()) for face in faces)
    in_frames = sum(len(frame.extra) for frame in document.frames)
    return NotWritten(in_faces, in_frames, len(document.meta) + len(document.beside))


def _document(raw: Any, path: Path, film: str | None) -> FsaDocument:
    version, data, meta, beside = migrate.unwrapped(raw, path)
    changes: Counter[str] = Counter()
    renamed = migrate.renamed_video_keys(list(data), film) if film and version < 2.4 else {}
    if renamed:
        changes[f"names of frames got the suffix of {film}"] = len(renamed)
    frames = []
    for key in list(data):
        if not isinstance(key, str):
            raise CorruptFileError("not an alignments file", why="a frame whose name is no text")
        # Each is taken out, so that a large file is not held twice.
        frames.append(records.read_frame(renamed.get(key, key), migrate.entry_of(data.pop(key), changes)))
    remarks = tuple(f"{what}: {count}" for what, count in sorted(changes.items()))
    return FsaDocument(tuple(frames), version, meta, beside, remarks)


def with_film(document: FsaDocument, film: str) -> FsaDocument:
    """The document with the keys of old versions renamed to the suffix of its film (a file name)."""
    renamed = migrate.renamed_video_keys([frame.key for frame in document.frames], film)
    frames = tuple(replace(frame, key=renamed.get(frame.key, frame.key)) for frame in document.frames)
    return replace(document, frames=frames)


def _raw(path: Path) -> Any:
    with safe_files.opened(path, MOST_BYTES) as stream:
        start = stream.read(64)
    if start[:1] == b"\x78":
        with _unpacked(path) as data:
            return safe_pickle.loads(data, where=path, points=True, fold=_folding(data))
    if start.lstrip()[:1] == b"{":
        return safe_files.read_json(path, "damaged alignments", safe_files.LARGE)
    if start[:1] == b"\x80" or path.suffix.lower() in (".p", ".pickle"):
        data = safe_files.read_bytes(path)
        return safe_pickle.loads(data, where=path, points=True, fold=records.fold)
    why = "it begins neither like a zlib stream nor like JSON or a pickle"
    raise CorruptFileError("not an alignments file", where=path, why=why)


def _folding(data: bytes | mmap.mmap) -> Callable[[dict], None]:
    """``records.fold``, which from time to time lets go of the parts of a mapped file that were read."""
    calls = itertools.count(1)

    def fold(raw: dict) -> None:
        records.fold(raw)
        if isinstance(data, mmap.mmap) and next(calls) % _LET_GO == 0:
            data.madvise(mmap.MADV_DONTNEED)

    return fold


@contextmanager
def _unpacked(path: Path) -> Iterator[bytes | mmap.mmap]:
    """The bytes inside a zlib stream; large ones lie in a temporary file, so that they take no memory."""
    with safe_files.opened(path, MOST_BYTES) as stream, tempfile.SpooledTemporaryFile(_IN_MEMORY) as unpacked:
        most = max(_SMALL, os.fstat(stream.fileno()).st_size * _MOST_RATIO)
        try:
            with naming(tempfile.gettempdir()):
                _unpack(stream, unpacked, most, path)
        except OSError as error:
            raise from_os_error(error) from None
        if not unpacked.tell():
            raise CorruptFileError("damaged alignments", where=path, why="there is nothing in it")
        if unpacked.tell() <= _IN_MEMORY:
            unpacked.seek(0)
            yield unpacked.read()
            return
        unpacked.flush()
        with mmap.mmap(unpacked.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data


def _unpack(stream, out, most: int, path: Path) -> None:
    unpack, size = zlib.decompressobj(), 0
    while not unpack.eof:
        packed = unpack.unconsumed_tail or stream.read(_CHUNK)
        if not packed:
            raise CorruptFileError("truncated alignments", where=path, why="the end of the file is missing")
        try:
            part = unpack.decompress(packed, _CHUNK)
        except zlib.error as error:
            raise CorruptFileError("damaged alignments", where=path, why=str(error)) from None
        size += len(part)
        if size > most:
            why = f"it unpacks to more than {_MOST_RATIO} times its size"
            raise CorruptFileError("refused alignments", where=path, why=why)
        out.write(part)


def _keep(path: Path) -> Path | None:
    """A second name for the file at ``path``, as faceswap names its backups; the file keeps its own name, too."""
    if not path.is_file():
        return None
    stamp = time.strftime("%Y-%m-%d_%H.%M.%S")
    for number in range(10_000):
        clash = f"({number})" if number else ""
        kept = path.with_name(f"{path.stem}_bk_{stamp}{clash}{path.suffix}")
        if not os.path.lexists(kept):
            # Not a link to it: faceswap writes into the file that it finds.
            shutil.copy2(path, kept)
            return kept
    raise InputError("too many backups of one second", where=path)
