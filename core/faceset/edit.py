"""Changing the metadata of faces, loose or packed; pixels stay as they are, byte for byte."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import PipelineError
from core.faceset.identity import identified
from core.faceset.store import Faceset
from core.formats import dfl_image
from core.formats.pak import PakReader
from core.formats.pak_entry import write_entry
from core.formats.pak_sources import PakSource, Source
from core.formats.pak_writer import write_pak
from core.progress import progress
from core.types import FaceRecord
from core.workspace import PAK_NAME

Change = Callable[[FaceRecord], FaceRecord]


@dataclass(frozen=True)
class _Changed:
    """A face of a pak with another record."""

    reader: PakReader
    index: int
    name: str
    person: str | None
    change: Change

    def data(self) -> bytes:
        data = self.reader.read(self.index)
        return dfl_image.embed(data, self.change(identified(dfl_image.parse(data, self.name))))

    def size(self) -> int:
        return len(self.data())

    def entry(self, data: bytes) -> bytes:
        return write_entry(replace(dfl_image.parse(data, self.name), person=self.person))


def change_records(faceset: Faceset, changes: Mapping[int, Change]) -> list[tuple[str, str]]:
    """Give faces, by index, the record that their change makes of the old one.

    Loose files one by one; a pak is written anew, compared with what was asked for, and takes the old one's place at
    once. Returns (name, reason) of loose faces that could not be changed.
    """
    if not changes:
        return []
    if faceset.packed:
        records = faceset.records()
        rewrite_pak(faceset.folder / PAK_NAME, {face_of(records[i]): change for i, change in changes.items()})
        return []
    problems = []
    for index, change in progress(changes.items(), total=len(changes), description="changing faces", unit="face"):
        path = faceset.path(index)
        try:
            image = path.read_bytes()
            dfl_image.write(path, image, change(identified(dfl_image.parse(image, path.name, where=path))))
        except PipelineError as error:
            problems.append((path.name, error.why or error.what))
    return problems


def face_of(record: FaceRecord) -> tuple[str | None, str]:
    return record.person, record.name


def rewrite_pak(path: Path, changes: dict[tuple[str | None, str], Change]) -> None:
    """The pak with other records for the faces named in ``changes`` by (person, name); the rest is copied."""
    with PakReader(path) as reader:
        sources: list[Source] = []
        for i, record in enumerate(reader.records):
            change = changes.get(face_of(record))
            plain = PakSource(reader, i, record.name, record.person)
            sources.append(plain if change is None else _Changed(reader, i, record.name, record.person, change))
        write_pak(path, sources)
