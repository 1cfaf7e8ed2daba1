"""Looking a faceset over: what is in it, what is missing, what does not fit together."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from core.errors import InputError, PipelineError
from core.faceset.identity import face_id
from core.faceset.store import face_key, not_originals, why_empty
from core.formats import dfl_image
from core.formats.pak import PakReader
from core.geometry.align import transform_points
from core.imaging import jpeg
from core.imaging.codec import decode_image, jpeg_complaint
from core.imaging.masks import has_polygons, mask_origin
from core.parallel import spread
from core.types import FaceRecord
from core.workspace import PAK_NAME, list_images, other_faces

# Pixels between where the matrix puts the landmarks of the frame and where they are.
TOLERANCE = 1.0


@dataclass
class Findings:
    """Counts and names.

    faces: files with face metadata.
    face_types, sizes, masks, persons: how many faces have which; sizes such as 512x512, masks by who made them,
        persons "-" for those that belong to none.
    kinds: what is wrong -> names of the files it is wrong with.
    """

    faces: int = 0
    face_types: Counter[str] = field(default_factory=Counter)
    sizes: Counter[str] = field(default_factory=Counter)
    masks: Counter[str] = field(default_factory=Counter)
    persons: Counter[str] = field(default_factory=Counter)
    kinds: dict[str, list[str]] = field(default_factory=dict)

    def note(self, kind: str, name: str) -> None:
        """One more file with this fault."""
        self.kinds.setdefault(kind, []).append(name)


@dataclass(frozen=True)
class _Seen:
    """A file that was looked at.

    record: None for no face.
    notes: what is wrong with it.
    digest: of its image data, where the pixels were looked at.
    """

    name: str
    record: FaceRecord | None
    notes: tuple[str, ...]
    digest: str = ""


def check(folder: Path, pixels: bool, digests: Mapping[str, tuple[str, int]] | None = None) -> Findings:
    """Look at every face of a folder, loose or packed.

    pixels: decode the images too, and believe what the decoder complains of.
    digests: id of a face -> (digest of its image data when it was extracted, its side in pixels then), where known.

    Raises:
        InputError: there is none.
        CorruptFileError: the pak is damaged so that not even a part of it can be read.
    """
    pak, loose = folder / PAK_NAME, list_images(folder)
    if not pak.is_file() and not loose:
        raise InputError(
            "no faces", where=folder, why=why_empty(folder), hint="extract faces first, or copy a faceset there"
        )
    findings = Findings()
    if pak.is_file():
        # Salvage: a check tells of damage instead of ending at it.
        with PakReader(pak, salvage=True) as reader:
            _add(findings, _packed(reader, pixels), digests or {})
            loose = list(not_originals(reader, loose))
            for name, why in reader.problems:
                findings.note(f"unreadable: {why}", name)
    _add(findings, spread(_look_at_pixels if pixels else _look, loose), digests or {})
    for name, why in other_faces(folder):
        findings.note(f"not taken for a face: {why}", name)
    return findings


def _packed(reader: PakReader, pixels: bool) -> Iterator[_Seen]:
    """The person of a packed face stands in the pak, not in the face."""
    for index, record in enumerate(reader.records):
        seen = replace(_inspect(reader.read(index), record.name, pixels), name=face_key(record))
        if seen.record is not None and record.person is not None:
            seen = replace(seen, record=replace(seen.record, person=record.person))
        yield seen


def _look(path: Path) -> _Seen:
    return _inspect(path.read_bytes(), path.name, False)


def _look_at_pixels(path: Path) -> _Seen:
    return _inspect(path.read_bytes(), path.name, True)


def _inspect(data: bytes, name: str, pixels: bool) -> _Seen:
    try:
        record = dfl_image.parse(data, name)
        notes = notes_on(data, record)
        if data.startswith(jpeg.SOI) and not jpeg.is_complete(data):
            notes.append("unreadable: the end of the picture is missing")
        elif pixels and decode_image(data, name).shape[:2] != record.shape:
            notes.append("unreadable: the picture decodes to another size")
        elif pixels and (complaint := jpeg_complaint(data)):
            notes.append(f"damaged picture data: {complaint}")
        return _Seen(name, record, tuple(notes), dfl_image.image_digest(data) if pixels else "")
    except dfl_image.NotAFaceError:
        return _Seen(name, None, ("not a face",))
    except PipelineError as error:
        return _Seen(name, None, (f"unreadable: {error.why or error.what}",))


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


def _add(findings: Findings, files: Iterator[_Seen], digests: Mapping[str, tuple[str, int]]) -> None:
    names = set()
    for seen in files:
        for note in seen.notes:
            findings.note(note, seen.name)
        if seen.record is None:
            continue
        extracted, side = digests.get(face_id(seen.record), ("", 0))
        # Resizing makes other image data, rightly.
        if seen.digest and extracted not in ("", seen.digest) and side == seen.record.shape[1]:
            findings.note("picture data are not as extracted: damaged, or edited", seen.name)
        _count(findings, seen.record)
        key = (seen.record.person, seen.record.name.rsplit(".", 1)[0].lower())
        if key in names:
            findings.note("same name with another suffix or case", seen.name)
        names.add(key)


def _count(findings: Findings, record: FaceRecord) -> None:
    height, width = record.shape
    findings.faces += 1
    findings.face_types[record.face_type] += 1
    findings.sizes[f"{width}x{height}"] += 1
    findings.masks[_mask_kind(record)] += 1
    findings.persons[record.person or "-"] += 1


def _mask_kind(record: FaceRecord) -> str:
    return mask_origin(record) if record.xseg_mask or has_polygons(record) else "none"
