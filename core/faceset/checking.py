"""Looking a faceset over: what is in it, what is missing, what does not fit together."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from core.errors import InputError, PipelineError
from core.faceset.store import not_originals
from core.formats import dfl_image
from core.formats.pak import PakReader
from core.geometry.align import transform_points
from core.imaging import jpeg
from core.imaging.codec import decode_image
from core.parallel import spread
from core.types import FaceRecord
from core.workspace import list_images

TOLERANCE = 1.0  # pixels


@dataclass
class Findings:
    """Counts and names. kinds: name of a finding -> names of the faces it is about."""

    faces: int = 0
    face_types: Counter = field(default_factory=Counter)
    sizes: Counter = field(default_factory=Counter)
    masks: Counter = field(default_factory=Counter)
    persons: Counter = field(default_factory=Counter)
    kinds: dict[str, list[str]] = field(default_factory=dict)

    def note(self, kind: str, name: str) -> None:
        self.kinds.setdefault(kind, []).append(name)


@dataclass(frozen=True)
class _Seen:
    record: FaceRecord | None
    notes: tuple[str, ...]


def check(folder: Path, pixels: bool) -> Findings:
    """Look at every face of a folder, loose or packed. ``pixels``: decode the pictures too. Raises InputError when there is nothing."""
    pak, loose = folder / "faceset.pak", list_images(folder)
    findings = Findings()
    if pak.is_file():
        with PakReader(pak, salvage=True) as reader:
            _add(findings, _packed(reader, pixels))
            loose = list(not_originals(reader, loose))
            for name, why in reader.problems:
                findings.note(f"unreadable: {why}", name)
    if loose:
        _add(
            findings,
            zip((path.name for path in loose), spread(_look_at_pixels if pixels else _look, loose), strict=True),
        )
    if not pak.is_file() and not loose:
        raise InputError("no faces", where=folder, hint="extract faces first, or copy a faceset there")
    return findings


def _packed(reader: PakReader, pixels: bool) -> Iterator[tuple[str, _Seen]]:
    for index, record in enumerate(reader.records):
        seen = _inspect(reader.read(index), record.name, pixels)
        yield (
            record.name,
            seen
            if seen.record is None or record.person is None
            else _Seen(_with_person(seen.record, record.person), seen.notes),
        )


def _with_person(record: FaceRecord, person: str) -> FaceRecord:
    return replace(record, person=person)


def _look(path: Path) -> _Seen:
    return _inspect(path.read_bytes(), path.name, False)


def _look_at_pixels(path: Path) -> _Seen:
    return _inspect(path.read_bytes(), path.name, True)


def _inspect(data: bytes, name: str, pixels: bool) -> _Seen:
    try:
        record = dfl_image.parse(data, name)
        notes = notes_on(data, record)
        if data[:2] == jpeg.SOI and not jpeg.is_complete(data):
            notes.append("unreadable: the end of the picture is missing")
        elif pixels and decode_image(data, name).shape[:2] != record.shape:
            notes.append("unreadable: the picture decodes to another size")
        return _Seen(record, tuple(notes))
    except dfl_image.NotAFaceError:
        return _Seen(None, ("not a face",))
    except PipelineError as error:
        return _Seen(None, (f"unreadable: {error.why or error.what}",))


def notes_on(data: bytes, record: FaceRecord) -> list[str]:
    """What is missing in a face, does not fit together, or keeps the original program from reading it."""
    return [*_incomplete(record), *_for_the_original(data, record.name)]


def _incomplete(record: FaceRecord) -> Iterator[str]:
    if record.source_filename is None:
        yield "no source file name"
    if record.source_landmarks is None:
        yield "no landmarks in the frame"
    if record.image_to_face_mat is None:
        yield "no matrix"
    if record.source_landmarks is not None and record.image_to_face_mat is not None:
        apart = np.abs(transform_points(record.source_landmarks, record.image_to_face_mat) - record.landmarks).max()
        if apart > TOLERANCE:
            yield f"matrix and landmarks disagree by more than {TOLERANCE:g} px"
    if record.shape[0] != record.shape[1] and record.face_type != "mark_only":
        yield "not square"


def _for_the_original(data: bytes, name: str) -> Iterator[str]:
    """What keeps the original program from reading a file that this one reads."""
    if data[:2] != jpeg.SOI:
        yield "unreadable for DeepFaceLab: not a JPEG"
    elif dfl_image.restart_interval(data):
        yield "unreadable for DeepFaceLab: restart markers"
    elif not name.endswith(".jpg"):
        yield "unreadable for DeepFaceLab: its name does not end with .jpg"


def _add(findings: Findings, seen: Iterator[tuple[str, _Seen]] | zip) -> None:
    names: Counter = Counter()
    for name, face in seen:
        for note in face.notes:
            findings.note(note, name)
        if face.record is None:
            continue
        record = face.record
        findings.faces += 1
        findings.face_types[record.face_type] += 1
        findings.sizes["x".join(str(n) for n in record.shape[::-1])] += 1
        findings.masks["xseg" if record.xseg_mask else "polygons" if record.polygons else "none"] += 1
        findings.persons[record.person or "-"] += 1
        key = (record.person, record.name.rsplit(".", 1)[0].lower())
        names[key] += 1
        if names[key] > 1:
            findings.note("same name with another suffix or case", name)
