"""The names that faces had when they were extracted."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from core.formats.names import safe_component
from core.types import FaceRecord


def original_names(records: Iterable[FaceRecord], taken: set[str]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Old name -> ``<stem of the frame>_<k><suffix>``, k counting the faces of a frame in the order given; and (name, reason) of faces that keep
    theirs. ``taken``: all names of the folder. No new name is one that a keeping file has.
    """
    records = list(records)
    unknown = [
        (record.name, "it does not say which frame it is from") for record in records if not record.source_filename
    ]
    leaving = {record.name for record in records if record.source_filename}
    blocked = {name.lower() for name in taken - leaving}
    counts: Counter[str] = Counter()
    names: dict[str, str] = {}
    for record in records:
        if not record.source_filename:
            continue
        stem, suffix = Path(safe_component(record.source_filename, "frame")).stem, Path(record.name).suffix
        while True:
            new = f"{stem}_{counts[stem]}{suffix}"
            counts[stem] += 1
            if new.lower() not in blocked:
                break
        names[record.name] = new
    return names, unknown
