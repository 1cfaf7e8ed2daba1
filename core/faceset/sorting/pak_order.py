"""Sorting a packed faceset: a new pak in the new order, checked face by face, takes the place of the old one.

The old pak stays in the history folder, for undoing, until somebody removes it.
"""

import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.faceset import journal
from core.faceset.journal import ALIGNED, HISTORY, TRASH, Move
from core.faceset.sorting.order import Order
from core.faceset.sorting.trash import free_name, names_taken
from core.formats import dfl_image
from core.formats.pak import PakReader
from core.formats.pak_sources import PakSource
from core.formats.pak_writer import write_pak
from core.fsio import write_bytes
from core.safe_paths import is_real_folder, own_folder
from core.types import FaceRecord
from core.workspace import PAK_NAME


def apply_to_pak(frames: Path, pak: PakReader, names: Sequence[str], order: Order, what: str) -> journal.Step | None:
    """Put ``order`` into effect as a step named ``what``; rejected faces become files in the trash.

    frames: the folder of the side. names: of the faces of the pak, as ``order`` has them.
    """
    places = {name: place for place, name in enumerate(names)}
    _forget_copies(frames)
    staging = own_folder(frames / HISTORY, f"pak-{time.time_ns()}")
    try:
        renames = _write_sorted(staging / PAK_NAME, pak, places, order)
        thrown = _unpack_rejected(frames, staging, pak, places, order.rejected)
    except BaseException:
        shutil.rmtree(staging)  # only what was made here
        raise
    place = staging.relative_to(frames).as_posix()
    swap = [Move(f"{ALIGNED}/{PAK_NAME}", f"{place}/before.pak"), Move(f"{place}/{PAK_NAME}", f"{ALIGNED}/{PAK_NAME}")]
    return journal.begin(frames, what, swap + thrown, renames)


def _forget_copies(frames: Path) -> None:
    """Remove the sorted copies of killed and of undone runs: all their faces are in the pak in use."""
    for folder in (frames / HISTORY).glob("pak-[0-9]*"):
        if is_real_folder(folder) and not (folder / "before.pak").exists():
            shutil.rmtree(folder)


def _write_sorted(path: Path, pak: PakReader, places: Mapping[str, int], order: Order) -> list[tuple[str, str]]:
    """Write the pak; returns (old, new) names. Each face keeps its person."""
    sources, renames = [], []
    for old, new in zip(order.names, order.new_names(), strict=True):
        person = pak.records[places[old]].person
        sources.append(PakSource(pak, places[old], new, person))
        renames.append((old, f"{person}/{new}" if person else new))
    write_pak(path, sources)
    return renames


def _unpack_rejected(
    frames: Path, staging: Path, pak: PakReader, places: Mapping[str, int], rejected: Mapping[str, str]
) -> list[Move]:
    """Write the faces as files into ``staging``; returns the moves from there to the trash."""
    planned, taken = [], names_taken(frames / TRASH)
    for name, reason in rejected.items():
        data, record = pak.read(places[name]), pak.records[places[name]]
        target = free_name(Path(name).name, taken)
        write_bytes(staging / target, _with_metadata(data, record), durable=False)
        planned.append(Move((staging / target).relative_to(frames).as_posix(), f"{TRASH}/{target}", reason))
    return planned


def _with_metadata(data: bytes, record: FaceRecord) -> bytes:
    """The face file as it was packed; one without metadata of its own gets the pak's."""
    try:
        dfl_image.parse(data, record.name)
    except dfl_image.NotAFaceError:
        return dfl_image.embed(data, record)
    return data
