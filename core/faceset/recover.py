"""The names that faces had when they were extracted."""

from collections.abc import Iterable
from pathlib import Path

from core.formats.names import safe_component
from core.types import FaceRecord


def original_names(records: Iterable[FaceRecord], taken: set[str]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """New names for faces, after the frames they came from.

    records: faces of one folder; taken: all names in it.

    Returns old name -> ``<stem of the frame>_<k><suffix>``, k counting the faces of a frame in the order given, and
    (name, why) of faces that keep theirs. No new name is one that a file keeps.
    """
    records = list(records)
    known = [record for record in records if record.source_filename]
    unknown = [record for record in records if not record.source_filename]
    # Case counts nowhere: the folder may be copied to a disk that ignores it.
    blocked = {name.lower() for name in taken - {record.name for record in known}}
    counts: dict[str, int] = {}
    names = {record.name: _next_name(record, counts, blocked) for record in known}
    return names, [(record.name, "it does not say which frame it is from") for record in unknown]


def _next_name(record: FaceRecord, counts: dict[str, int], blocked: set[str]) -> str:
    """The first free name of the face's frame. counts: stem of a frame -> its next number; kept up here."""
    stem = Path(safe_component(record.source_filename or "", "frame")).stem
    suffix = Path(record.name).suffix
    while True:
        number = counts.get(stem, 0)
        counts[stem] = number + 1
        name = f"{stem}_{number}{suffix}"
        if name.lower() not in blocked:
            return name
