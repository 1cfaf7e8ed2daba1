"""Writing a packed faceset: whole or not at all, and compared with its sources before it gets its name.

The list lies before the faces, and its length is known only when all faces have been read. So the faces go to where a
sample says that the list will end; room that is left over is filled up within the list, and if there is too little the
faces are moved up. That way every face is read once.
"""

import math
import os
import tempfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from core import fsio
from core.errors import EnvironmentFault, InputError, PipelineError
from core.formats.pak import HEADER, OFFSET_BYTES, VERSION
from core.formats.pak_sources import FileSource, Source
from core.formats.pickle import safe_pickle
from core.parallel import spread
from core.progress import Task

_BLOCK = 1 << 20  # bytes that are copied, moved and compared at once
_RUN = 128  # faces that are copied and compared at a stretch
_SAMPLE = 64  # faces that tell how long the list will be
_STANDARD_ERRORS = 4  # above the mean length that the sample shows


@dataclass(frozen=True)
class Packed:
    """What went in.

    kept: the sources, in order.
    sizes: bytes of each.
    problems: (name, reason) of those left out.
    """

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
    """What became of a run.

    entries: of the list of the pak, one after another.
    kept: which of the sources are faces.
    checksums: CRC-32 of their files.
    problems: (name, reason) of the others.
    """

    entries: bytes
    kept: list[int]
    checksums: list[int]
    problems: list[tuple[str, str]]


class _Placed(NamedTuple):
    """Faces one after another in the new file ``path``, from ``start`` on, with the sizes and CRC-32 of their files."""

    path: str
    start: int
    sizes: list[int]
    checksums: list[int]


def write_pak(path: Path, sources: Iterable[Source]) -> Packed:
    """Pack the faces of ``sources`` in their order; what is no face is left out and named in the result.

    Memory does not grow with the images. The file is read back from the disk and compared before it appears under
    ``path``, replacing what is there.

    Raises:
        InputError: nothing is a face, or a source changes meanwhile.
        EnvironmentFault: the disk gives back something else than was written.
    """
    listed = list(sources)
    with fsio.atomic_writer(path) as stream, tempfile.TemporaryFile(dir=path.parent) as listing:
        runs = _runs(stream.name, listed, HEADER.size + _head_size(listed))
        taken = _take_all(runs, listing)
        if not any(part.kept for part in taken):
            raise InputError(
                "nothing to pack",
                why=f"none of {len(listed)} pictures is a face",
                hint="bash scripts/3.9_check_src.sh says why (dst: 4.9_check_dst.sh)",
            )
        placed = _settle(runs, taken, HEADER.size + listing.tell() + len(safe_pickle.LIST_END))
        checksum = _write_head(stream, listing, placed)
        os.fsync(stream.fileno())
        _check_head(stream.name, placed[0].start, checksum)
        _check_all(placed)
    return _packed(runs, taken, placed)


def _packed(runs: list[_Run], taken: list[_Taken], placed: list[_Placed]) -> Packed:
    kept = (run.sources[at] for run, part in zip(runs, taken, strict=True) for at in part.kept)
    sizes = (size for part in placed for size in part.sizes)
    problems = (problem for part in taken for problem in part.problems)
    return Packed(tuple(kept), tuple(sizes), tuple(problems))


def _head_size(sources: list[Source]) -> int:
    """Bytes for the list and the table of offsets: exact for few sources, for many ones hardly ever too little."""
    sample = sources[:: -(-len(sources) // _SAMPLE)] if sources else []
    sizes = np.array([_entry_size(source) for source in sample] or [0])
    # The finite population correction: a sample of all faces has no error.
    unseen = 1 - len(sample) / max(1, len(sources))
    each = sizes.mean() + _STANDARD_ERRORS * sizes.std() * math.sqrt(unseen / len(sizes))
    frame = len(safe_pickle.LIST_START + safe_pickle.LIST_END) + OFFSET_BYTES  # there is one offset more than faces
    return math.ceil(each * len(sources)) + frame


def _entry_size(source: Source) -> int:
    """Bytes of a face in list and table; 0 for what is no face."""
    try:
        return len(source.entry(source.data()) + safe_pickle.LIST_NEXT) + OFFSET_BYTES
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
    """Copy the faces into their places, and write the list of the pak to ``listing``.

    A pak that this process has open is read by this process.
    """
    loose = all(isinstance(source, FileSource) for run in runs for source in run.sources)
    found = []
    listing.write(safe_pickle.LIST_START)
    with Task("packing", "face", total=sum(len(run.sources) for run in runs)) as task:
        for taken in spread(_take, runs, files=_RUN) if loose else map(_take, runs):
            listing.write(taken.entries)
            # The entries are in the file now; kept, they would make memory grow with the faceset.
            found.append(taken._replace(entries=b""))
            task.update(len(taken.kept) + len(taken.problems))
    return found


def _take(run: _Run) -> _Taken:
    """Read, describe and copy a run. No two runs overlap: any process may do it."""
    entries: list[bytes] = []
    taken = _Taken(b"", [], [], [])
    block, position = bytearray(), run.start
    # r+ keeps what other runs have written to the same file.
    with open(run.path, "r+b", buffering=0) as stream:
        for at, (source, size) in enumerate(zip(run.sources, run.sizes, strict=True)):
            try:
                data = source.data()
                entries.append(source.entry(data) + safe_pickle.LIST_NEXT)
            except PipelineError as error:
                taken.problems.append((source.name, f"{error.what}: {error.why}" if error.why else error.what))
                continue
            _require_size(source, data, size)
            taken.kept.append(at)
            taken.checksums.append(zlib.crc32(data))
            block += data
            if len(block) >= _BLOCK:
                position += _put(stream.fileno(), block, position)
                block.clear()
        _put(stream.fileno(), block, position)
    return taken._replace(entries=b"".join(entries))


def _require_size(source: Source, data: bytes, size: int) -> None:
    if len(data) != size:
        raise InputError(
            "a face changed while it was packed",
            where=source.name,
            hint="stop what is editing the faces and pack again",
        )


def _put(fd: int, data: bytes | bytearray, position: int) -> int:
    """Write all of ``data`` at ``position``. Returns how many bytes that are."""
    done = os.pwrite(fd, data, position)
    while done < len(data):  # a disk that is nearly full takes a part; the next one says why
        done += os.pwrite(fd, data[done:], position + done)
    return done


def _settle(runs: list[_Run], taken: list[_Taken], list_end: int) -> list[_Placed]:
    """Close the gaps of what is no face, and make room for the head if there is too little."""
    count = sum(len(part.kept) for part in taken)
    start = list_end + OFFSET_BYTES * (count + 1)
    # What is left over can be filled up within the list only from this size on.
    if runs[0].start >= start + safe_pickle.UNUSED_LEAST:
        start = runs[0].start
    placed = []
    for run, part in zip(runs, taken, strict=True):
        placed.append(_Placed(run.path, start, [run.sizes[at] for at in part.kept], part.checksums))
        start += sum(placed[-1].sizes)
    # All that goes up ends up before anything that goes down: in this order nothing is written over what is still to
    # be moved.
    moves = [(run.start, part.start, sum(part.sizes)) for run, part in zip(runs, placed, strict=True)]
    up = [move for move in moves if move[1] > move[0]]
    down = [move for move in moves if move[1] < move[0]]
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
    blocks = iter(lambda: listing.read(_BLOCK), b"")
    checksum = 0
    for block in chain([HEADER.pack(VERSION, config_size)], blocks, [offsets.tobytes()]):
        checksum = zlib.crc32(block, checksum)
        stream.write(block)
    stream.flush()
    return checksum


def _check_head(path: str, size: int, expected: int) -> None:
    """Read the first ``size`` bytes back and compare their CRC-32."""
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
