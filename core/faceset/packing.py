"""Loose faces into ``faceset.pak`` and back, losing nothing on the way."""

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core import fsio, parallel
from core.errors import CorruptFileError, EnvironmentFault, InputError, naming
from core.faceset.store import face_key, is_face
from core.formats.names import UniqueNames
from core.formats.pak import PakReader
from core.formats.pak_sources import FileSource, PakSource, Source
from core.formats.pak_writer import Packed, write_pak
from core.progress import Task
from core.safe_paths import own_folder
from core.workspace import list_images, natural_key

_RUN = 128  # faces that are written at a stretch


def loose_sources(folder: Path, person: bool | None) -> list[FileSource]:
    """The images to pack.

    person: True packs the sub-folders, each a person, False the folder itself, None the sub-folders if there are faces
        in any.

    Raises:
        InputError: there are images both in the folder and in sub-folders, or none in any of these.
    """
    in_people = (
        [FileSource(path, sub.name) for sub in _people(folder) for path in list_images(sub)]
        if person is not False
        else []
    )
    here = [FileSource(path) for path in list_images(folder)]
    if person is None and in_people and here:
        raise InputError(
            "both pictures and sub-folders with pictures",
            where=folder,
            why=f"{len(here)} pictures beside {len(_people(folder))} sub-folders",
            hint="--person packs the sub-folders as persons, --no-person packs the pictures of the folder itself",
        )
    if person and not in_people:
        raise InputError("no sub-folders with pictures to pack as persons", where=folder)
    found = in_people or here
    parallel.prepare(write_pak.__module__, len(found))
    return found


def _people(folder: Path) -> list[Path]:
    """The sub-folders, each a person."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        # A link may lead to anybody's pictures, and packed originals may be deleted.
        folders = [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
    names = [entry.name for entry in folders if not entry.name.startswith(".")]
    return [folder / name for name in sorted(names, key=natural_key)]


@dataclass(frozen=True)
class Merge:
    """What to pack.

    sources: in order.
    duplicates: how many faces came twice with the same bytes.
    renamed: (old, new) names of different faces with one name.
    """

    sources: list[Source]
    duplicates: int
    renamed: list[tuple[str, str]]


def merge(groups: Sequence[tuple[str, Sequence[Source]]], prefer_last: bool = False) -> Merge:
    """Join (label, sources) groups.

    A face with a name that is taken is dropped when one that had this name has the same bytes, and else gets the label
    of its group before its name; with ``prefer_last`` it replaces the earlier one.
    """
    # The places of the faces that have or had a name; the first is the one that has it.
    named: defaultdict[tuple[str | None, str], list[int]] = defaultdict(list)
    sources: list[Source] = []
    renamed: list[tuple[str, str]] = []
    names, duplicates = UniqueNames(), 0
    for label, group in groups:
        for source in group:
            name, person = source.name, source.person
            places = named[_key(name, person)]
            wanted = f"{label}_{name}" if places else name
            # Also with the one that has the other name by now: joining the same pak again brings nothing new.
            if places and any(_same(sources[at], source) for at in (*places, *named[_key(wanted, person)])):
                duplicates += 1
            elif places and prefer_last:
                sources[places[0]] = source
            else:
                new = names.take(wanted, person)
                if new != name:
                    renamed.append((name, new))
                    source = _rename(source, new, sources[places[0]] if places else None)
                    named[_key(new, person)].append(len(sources))
                places.append(len(sources))
                sources.append(source)
    return Merge(sources, duplicates, renamed)


def _key(name: str, person: str | None) -> tuple[str | None, str]:
    # Without case: on some file systems such names would be one file.
    return person, name.lower()


def _same(one: Source, other: Source) -> bool:
    # Different faces seldom have one size, so that most are told apart unread.
    return one.size() == other.size() and one.data() == other.data()


def _rename(source: Source, name: str, owner: Source | None) -> Source:
    """The source under another name. owner: whose name it would have had.

    Raises:
        InputError: a loose face would be renamed because of a packed one: which of the two is meant, nobody can tell.
    """
    if isinstance(source, PakSource):
        return PakSource(source.reader, source.index, name, source.person)
    if isinstance(source, FileSource) and not isinstance(owner, PakSource):
        return replace(source, new_name=name)
    raise InputError(
        "a loose face has the name of a different packed one",
        where=source.name,
        hint="--overwrite takes the loose one; or rename it",
    )


def open_pak(path: Path, *, salvage: bool = False) -> PakReader:
    """A pak that will be unpacked."""
    parallel.prepare(__name__, path.stat().st_size // 10_000)  # faces are seldom smaller
    return PakReader(path, salvage=salvage)


def pak_sources(reader: PakReader) -> list[Source]:
    """Every face of a pak."""
    return [PakSource(reader, i, record.name, record.person) for i, record in enumerate(reader.records)]


def pack(target: Path, joined: Merge, trash: Path) -> Packed:
    """Write ``joined`` to ``target``.

    A pak that is there goes to ``trash`` once the new one is complete and verified.
    """
    fresh = fsio.temporary_path(target.parent)
    packed = write_pak(fresh, joined.sources)
    if target.exists():
        # It keeps its name until the new one takes it: at no moment is there no pak.
        fsio.keep_in_trash(target, trash)
    fresh.replace(target)
    fsio.fsync_dir(target.parent)
    return packed


def in_pak(reader: PakReader, sources: Iterable[FileSource]) -> tuple[list[FileSource], list[FileSource]]:
    """The loose files that are byte for byte faces of the pak, and the others that are faces too."""
    inside = {(record.person, record.name): i for i, record in enumerate(reader.records)}
    same, others = [], []
    for source in sources:
        index = inside.get((source.person, source.path.name))
        if index is not None and bytes(reader.read(index)) == source.path.read_bytes():
            same.append(source)
        elif is_face(source.path):
            others.append(source)
    return same, others


def remove_originals(sources: Iterable[Source]) -> int:
    """Delete the loose files that are in a verified pak, and person folders that this empties.

    Returns how many files.
    """
    originals = [source for source in sources if isinstance(source, FileSource)]
    for source in originals:
        source.path.unlink(missing_ok=True)
    for folder in {source.path.parent for source in originals if source.person}:
        if not any(folder.iterdir()):
            folder.rmdir()
    return len(originals)


@dataclass(frozen=True)
class Unpacked:
    """What came of unpacking.

    written: new files.
    present: files that were there with the same bytes.
    replaced: files that moved to the trash.
    damaged: (name, reason) of faces left out.
    """

    written: int
    present: int
    replaced: int
    damaged: tuple[tuple[str, str], ...]


def unpack(reader: PakReader, folder: Path, trash: Path, *, overwrite: bool = False) -> Unpacked:
    """Write every face of ``reader`` as a file under ``folder``; read all of them back.

    Done files of an earlier run are kept as they are.

    Raises InputError, before anything is written, when a different file has a face's name and ``overwrite`` is off.
    """
    whole, damaged = _whole(reader)
    places = [_place(folder, reader, i) for i in whole]
    folder.mkdir(parents=True, exist_ok=True)
    for person in {reader.records[i].person for i in whole} - {None}:
        # Refuses a link, which would lead the faces out of the folder.
        own_folder(folder / str(person))
    same, different = _present(reader, whole, places)
    if different and not overwrite:
        raise InputError(
            "other files have the names of packed faces",
            where=folder,
            why=f"{len(different)}, such as {os.path.basename(min(different))}",
            hint="--overwrite moves them to workspace/.trash; or move them away",
        )
    for place in different:
        fsio.move_to_trash(Path(place), trash)
    todo = [(place, *reader.span(i)) for i, place in zip(whole, places, strict=True) if place not in same]
    with Task("unpacking", "face", total=len(todo)) as task:
        runs = [(str(reader.path), todo[at : at + _RUN]) for at in range(0, len(todo), _RUN)]
        for count in parallel.spread(_write_run, runs, files=_RUN):
            task.update(count)
    return Unpacked(len(todo), len(same), len(different), (*reader.problems, *damaged))


def _whole(reader: PakReader) -> tuple[list[int], list[tuple[str, str]]]:
    """The faces that have all their bytes; only a truncated pak has others."""
    if not reader.salvage:
        return list(range(len(reader))), []
    whole = [i for i in range(len(reader)) if reader.is_whole(i)]
    lost = set(range(len(reader))) - set(whole)
    return whole, [(face_key(reader.records[i]), "the picture is cut short") for i in sorted(lost)]


def _place(folder: Path, reader: PakReader, index: int) -> str:
    return f"{folder}/{face_key(reader.records[index])}"


def _present(reader: PakReader, indices: list[int], places: list[str]) -> tuple[set[str], set[str]]:
    """The places that hold the packed face already, and those that hold something else."""
    folders = {os.path.dirname(place) for place in places}
    there = {entry.path for folder in folders for entry in os.scandir(folder)}
    same: set[str] = set()
    different: set[str] = set()
    for index, place in zip(indices, places, strict=True):
        if place in there:
            path = Path(place)
            equal = (
                path.is_file() and path.stat().st_size == reader.size(index) and path.read_bytes() == reader.read(index)
            )
            found = same if equal else different
            found.add(place)
    return same, different


def _write_run(run: tuple[str, list[tuple[str, int, int]]]) -> int:
    """Write faces of a pak, (place, start, size) each; any process may do it. Returns how many."""
    path, faces = run
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        for place, start, size in faces:
            data = os.pread(fd, size, start)
            if len(data) != size:
                raise CorruptFileError(
                    "the packed faceset became shorter while it was in use", where=path, hint="unpack again"
                )
            _write_checked(place, data)
    finally:
        os.close(fd)
    return len(faces)


def _write_checked(place: str, data: bytes) -> None:
    """``data`` under ``place``, whole or not at all, read back before it gets its name.

    Plain system calls: there are very many of these.
    """
    temporary = fsio.temporary_path(Path(place).parent)
    # 0o666 as open() has it: the umask of the person takes away what it wants.
    fd = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with naming(place):
            written = os.write(fd, data)
            while written < len(data):  # a full disk takes a part, and refuses the rest
                written += os.write(fd, data[written:])
        # One byte more than expected, so that a file that is too long is seen as well.
        if os.pread(fd, len(data) + 1, 0) != data:
            raise EnvironmentFault(
                "a face reads back different from what was written",
                where=place,
                hint="check the disk and its free space; the pak was kept",
            )
        os.rename(temporary, place)
    except BaseException:
        os.unlink(temporary)
        raise
    finally:
        os.close(fd)
