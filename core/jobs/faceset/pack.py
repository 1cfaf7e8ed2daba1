"""The loose faces of a side into ``faceset.pak``, several paks into one, and back."""

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from core import fsio
from core.errors import InputError
from core.faceset import packing
from core.faceset.database import images
from core.faceset.database.connection import open_database
from core.faceset.register import note_packed
from core.faceset.store import face_key, why_empty
from core.formats.pak import PakReader
from core.formats.pak_sources import FileSource, Source
from core.jobs.side import opened_side
from core.workspace import Side, Workspace


@dataclass(frozen=True)
class PackedFaces:
    """What is in a pak now.

    pak: the file.
    new: whether it was written; else it held these faces already.
    faces, persons, bytes: how many; persons is 0 where faces have none.
    duplicates: faces that came twice. renamed: (old, new) names of different faces with one name.
    problems: (name, reason) of files left out.
    originals_removed: loose files that were deleted since they are in the pak.
    """

    pak: Path
    new: bool
    faces: int
    persons: int = 0
    bytes: int = 0
    duplicates: int = 0
    renamed: tuple[tuple[str, str], ...] = ()
    problems: tuple[tuple[str, str], ...] = ()
    originals_removed: int = 0


@dataclass(frozen=True)
class UnpackedFaces:
    """What came out of a pak.

    written: new files; present: were there already; replaced: others went to the trash for them.
    damaged: (name, reason) of faces that could not be recovered.
    complete: every face is a loose file now. trashed_pak: where the pak went, None where it was kept.
    """

    folder: Path
    written: int
    present: int
    replaced: int
    damaged: tuple[tuple[str, str], ...]
    complete: bool
    trashed_pak: Path | None


def pack_faces(
    workspace: Workspace,
    name: str,
    *,
    merge: Sequence[Path] = (),
    append: bool = False,
    person: bool | None = None,
    overwrite: bool = False,
    remove_originals: bool = False,
) -> PackedFaces:
    """Pack the loose faces of a side.

    merge: paks to join into this side's, in place of its loose faces. append: add to the pak that is there.
    person: True packs each sub-folder as a person, False the folder itself, None whichever has images.
    overwrite: replace the pak that is there, with ``append`` faces of the same name; what goes, goes to the trash.
    remove_originals: delete loose files once the pak has been read back and compared.

    Raises:
        InputError: there is nothing to pack, or a pak already that holds other faces.
        CorruptFileError: a pak is damaged.
    """
    with opened_side(workspace, name) as side:
        if side.pak.exists() and not (append or overwrite):
            return _packed_before(side, person, bool(merge), remove_originals)
        side.aligned.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            earlier = [side.pak] if append and side.pak.exists() else []
            groups: list[tuple[str, Sequence[Source]]] = [
                (path.stem, packing.pak_sources(stack.enter_context(PakReader(path)))) for path in [*earlier, *merge]
            ]
            loose = [] if merge else packing.loose_sources(side.aligned, person)
            if not loose and not merge:
                hint = "extract the faces first: step 3 or 4"
                raise InputError("no pictures to pack", where=side.aligned, why=why_empty(side.aligned), hint=hint)
            joined = packing.merge([*groups, ("loose", loose)], prefer_last=append and overwrite)
            packed = packing.pack(side.pak, joined, workspace.trash)
        inside = [f"{source.person}/{source.name}" if source.person else source.name for source in packed.kept]
        people = {source.person for source in packed.kept} - {None}
        return PackedFaces(
            pak=side.pak,
            new=True,
            faces=len(packed.kept),
            persons=len(people),
            bytes=sum(packed.sizes),
            duplicates=joined.duplicates,
            renamed=tuple(joined.renamed),
            problems=packed.problems,
            originals_removed=_note(side, inside, packed.kept, packed.sizes, remove_originals),
        )


def _packed_before(side: Side, person: bool | None, merge: bool, remove_originals: bool) -> PackedFaces:
    """Finish what an earlier run began: a pak that holds every loose face. Raises InputError for any other pak."""
    with PakReader(side.pak) as reader:
        same, others = packing.in_pak(reader, packing.loose_sources(side.aligned, person))
        if others or merge:
            raise InputError(
                "there is a packed faceset already",
                where=side.pak,
                why="" if merge else f"{len(others)} loose faces are not in it",
                hint=f"--append adds the {'paks' if merge else 'loose faces'} to it, --overwrite replaces it",
            )
        sizes = [source.path.stat().st_size for source in same]
        inside = [face_key(record) for record in reader.records]
        removed = _note(side, inside, same, sizes, remove_originals)
        return PackedFaces(side.pak, new=False, faces=len(reader), originals_removed=removed)


def _note(
    side: Side, inside: Collection[str], kept: Sequence[Source], sizes: Sequence[int], remove_originals: bool
) -> int:
    """The database learns what is in the pak; returns how many originals were deleted.

    inside: names of all its faces. kept: sources that are in it, with their bytes.
    """
    if side.database.is_file():
        with open_database(side.database) as connection:
            loose = {
                source.path.name: size
                for source, size in zip(kept, sizes, strict=True)
                if isinstance(source, FileSource) and source.person is None
            }
            note_packed(connection, inside, loose)
            if remove_originals:
                # Before the files go: a row whose file is not there would count as deleted by hand.
                images.forget_images(connection, images.ALIGNED, loose)
    return packing.remove_originals(kept) if remove_originals else 0


def unpack_faces(
    workspace: Workspace, name: str, *, overwrite: bool = False, keep_pak: bool = False, salvage: bool = False
) -> UnpackedFaces:
    """Write every face of the pak of a side as a loose file.

    overwrite: replace different files of the same name; they go to the trash. keep_pak: leave the pak where it is; else
    it goes to the trash once every face has been read back. salvage: recover what is whole of a truncated pak.

    Raises:
        InputError: there is no pak, or other files have the names of its faces.
        CorruptFileError: the pak is damaged.
    """
    with opened_side(workspace, name) as side:
        if not side.pak.is_file():
            raise InputError("no packed faceset", where=side.pak, hint="pack the faces first: step 3.3 or 4.3")
        with packing.open_pak(side.pak, salvage=salvage) as reader:
            done = packing.unpack(reader, side.aligned, workspace.trash, overwrite=overwrite)
        complete = not salvage and not done.damaged
        trashed = None
        if complete and not keep_pak:
            trashed = fsio.move_to_trash(side.pak, workspace.trash)
            _forget_pak(side)
        return UnpackedFaces(
            folder=side.aligned,
            written=done.written,
            present=done.present,
            replaced=done.replaced,
            damaged=tuple(done.damaged),
            complete=complete,
            trashed_pak=trashed,
        )


def _forget_pak(side: Side) -> None:
    if side.database.is_file():
        with open_database(side.database) as connection:
            images.forget_images(connection, images.PAK)
