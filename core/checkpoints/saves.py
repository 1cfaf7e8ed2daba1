"""Complete saves of a model: one folder each, whole from the moment its name appears.

A save is written under a name that starts with a dot, made durable, and renamed; the rename is the moment it counts.
"""

import hashlib
import json
import os
import shutil
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from core import fsio
from core.errors import CorruptFileError, InputError, PipelineError
from core.safe_files import read_object, read_text
from core.safe_paths import child, is_real_folder

FOLDER, MANIFEST, PUBLISHED, ASIDE = ".saves", "manifest.json", "PUBLISHED", "aside"
INCOMING = ".incoming-"
_BLOCK = 1 << 20
_PIECES = 64


@dataclass(frozen=True)
class FileDigest:
    """What a file's bytes are known by.

    sha256: hexadecimal.
    size: bytes.
    pieces: CRC-32 of 64 equal parts of the file, by which a damaged copy is told from another file.
    """

    sha256: str
    size: int
    pieces: tuple[int, ...]

    def resembles(self, other: "FileDigest") -> bool:
        """Equal in size and in more than half of the pieces: the same file with some damage."""
        # Not strict: files of fewer than 64 bytes have fewer pieces, and sizes are compared below.
        equal = sum(a == b for a, b in zip(self.pieces, other.pieces, strict=False))
        return self.size == other.size and 2 * equal > len(self.pieces)


@dataclass(frozen=True)
class Save:
    """A complete save.

    folder: where it is.
    iteration: of the model.
    sequence: order of the saves; a run that was rolled back reaches an iteration twice.
    files: name without prefix -> digest.
    """

    folder: Path
    iteration: int
    sequence: int
    files: dict[str, FileDigest]


def digest(path: Path) -> FileDigest:
    """The digest of a file, read once."""
    sha, size = hashlib.sha256(), path.stat().st_size
    # Rounded up, so that there are never more than 64 pieces.
    step = max(1, -(-size // _PIECES))
    pieces = []
    with open(path, "rb") as stream:
        for _ in range(-(-size // step)):
            crc, left = 0, step
            while left and (block := stream.read(min(left, _BLOCK))):
                sha.update(block)
                crc = zlib.crc32(block, crc)
                left -= len(block)
            pieces.append(crc)
    return FileDigest(sha.hexdigest(), size, tuple(pieces))


def write_file(path: Path, write: Callable[[IO[bytes]], None]) -> FileDigest:
    """Write a durable file. Returns the digest of what is on the disk."""
    with open(path, "xb") as stream:
        write(stream)
        stream.flush()
        os.fsync(stream.fileno())
    return digest(path)  # of what can be read back, not of what was meant


def finish(incoming: Path, iteration: int, sequence: int, files: dict[str, FileDigest]) -> Save:
    """Turn a folder of written files into a save: the manifest first, then the rename that makes it count."""
    manifest = {
        "iteration": iteration,
        "sequence": sequence,
        "files": {name: asdict(entry) for name, entry in files.items()},
    }
    fsio.write_text(incoming / MANIFEST, json.dumps(manifest))
    fsio.fsync_dir(incoming)
    final = incoming.with_name(incoming.name.removeprefix(INCOMING))
    os.rename(incoming, final)
    fsio.fsync_dir(final.parent)
    return Save(final, iteration, sequence, files)


def complete(folder: Path) -> list[Save]:
    """The saves in ``folder``, newest first; contents are not checked. Raises as :func:`read`."""
    if not folder.is_dir():
        return []
    folders = [path for path in folder.iterdir() if is_real_folder(path) and not path.name.startswith(".")]
    found = [save for path in folders if (save := read(path))]
    return sorted(found, key=lambda save: -save.sequence)


def read(folder: Path) -> Save | None:
    """The save in ``folder``; None when its manifest is missing or damaged.

    Raises:
        CorruptFileError: the manifest names files that are not in the folder of the save: it was made to harm.
    """
    path = folder / MANIFEST
    try:
        raw = read_object(path, "damaged manifest")
        files = {name: _read_digest(entry) for name, entry in raw["files"].items()}
        save = Save(folder, _count(raw["iteration"]), _count(raw["sequence"]), files)
    except (PipelineError, ValueError, KeyError, TypeError, AttributeError):
        return None
    for name in files:
        child(folder, name, path)
    return save


def _read_digest(entry: dict[str, Any]) -> FileDigest:
    if not isinstance(entry["sha256"], str) or not isinstance(entry["pieces"], list):
        raise ValueError("no digest")
    return FileDigest(entry["sha256"], _count(entry["size"]), tuple(entry["pieces"]))


def _count(value: Any) -> int:
    # type, not isinstance: true is an int as well.
    if type(value) is not int or not 0 <= value < 1 << 62:
        raise ValueError(f"{str(value)[:40]} is no count")
    return value


def read_published(folder: Path) -> str:
    """Name of the save whose flat files are complete, or an empty text."""
    try:
        return read_text(folder / PUBLISHED).strip()
    except (InputError, CorruptFileError):
        return ""


def write_published(save: Save) -> None:
    """Note that all flat files are those of ``save``."""
    fsio.write_text(save.folder.parent / PUBLISHED, save.folder.name + "\n")


def remove_incomplete(folder: Path) -> None:
    """Delete what a writer that was killed has left."""
    for path in folder.glob(f"{INCOMING}*"):
        shutil.rmtree(path, ignore_errors=True)
    fsio.remove_leftovers(folder)


def prune(folder: Path, keep: int) -> None:
    """Delete saves beyond the newest ``keep``."""
    for save in complete(folder)[keep:]:
        # Renamed first: a save that is half deleted must not pass for a complete one.
        gone = save.folder.with_name(INCOMING + save.folder.name)
        os.rename(save.folder, gone)
        shutil.rmtree(gone, ignore_errors=True)


def set_aside(path: Path, folder: Path) -> Path:
    """Move a damaged save or file out of the way, inside ``folder``."""
    return fsio.move_to_trash(path, folder / ASIDE)
