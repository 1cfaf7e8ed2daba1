"""Faces that other programs found, taken into the database of a side."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError, PipelineError
from core.faceset.database.frames import FrameRow, frame_ids
from core.faceset.exchange.incoming import Incoming, IncomingFrame, from_face, from_fsa, from_record
from core.faceset.exchange.merge import Merged, merge
from core.faceset.exchange.names import FrameNames, names_here
from core.formats import dfl_image
from core.formats.faceswap import face_png, fsa
from core.formats.faceswap.face_png import FaceHeader
from core.jobs.alignments.exchange.opened import frame_choice, opened_or_new
from core.jobs.alignments.opened import OpenedFaces
from core.progress import progress
from core.types import FaceRecord
from core.video.find import look_beside
from core.workspace import Side, Workspace, list_frames, list_images


@dataclass(frozen=True)
class Imported:
    """What was taken in.

    frames, faces: how many the file or folder has. merged: what became of them. film: that its frames are named after;
    empty where they are pictures. without_frame: names of frames, now in the database, that are not on the disk.
    choice: how the frames step chose among the frames of the film, so that numbers may not be those of the file; empty
    where it took all. remarks: what could not be taken as it is. left_out: (name, why).
    """

    frames: int
    faces: int
    merged: Merged
    film: str
    without_frame: tuple[str, ...]
    choice: str
    remarks: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]


def import_file(workspace: Workspace, name: str, path: Path, *, prefer_file: bool = False) -> Imported:
    """Take in the faces of an alignments file of faceswap, or of an export of its.

    A face that is here, in about the same place of the same frame, stays as it is, and gets the masks, identities and
    the thumbnail that it lacks; with ``prefer_file`` it becomes what the file says.

    Raises:
        InputError: no such file, or none that is read here.
        CorruptFileError: it is damaged or hostile.
    """
    with opened_or_new(workspace, name) as opened:
        document = fsa.read(path, _film_here(opened.side))
        names = _names(opened, [frame.key for frame in document.frames])
        remarks: Counter[str] = Counter()
        kind = "json" if path.suffix.lower() == ".json" else "fsa"
        coming = list(from_fsa(document.frames, names.names, f"imported:{kind}", remarks))
        merged = merge(opened.connection, coming, f"import {path.name}", prefer_file=prefer_file)
        _note_unknown(remarks, len(document.meta) + len(document.beside))
        faces = document.face_count()
        return _imported(opened, len(document.frames), faces, merged, names, remarks, document.remarks, ())


def import_pictures(
    workspace: Workspace, name: str, folder: Path | None = None, *, prefer_file: bool = False
) -> Imported:
    """Take in the faces that pictures show: those of faceswap, and those of DeepFaceLab.

    A face is known by its frame and its place there, never by the number in a name. folder: ``aligned`` without it.

    Raises:
        InputError: no such folder, or there is no picture in it.
    """
    with opened_or_new(workspace, name) as opened:
        place = folder or opened.side.aligned
        paths = list_images(place)
        if not paths:
            raise InputError("no pictures", where=place, hint="name the folder of face pictures")
        remarks: Counter[str] = Counter()
        headers, records, left_out = _read(paths)
        names = _names(opened, sorted({header.frame for header in headers}))
        # The masks of faces in ``aligned`` stay where they are: in these very files.
        with_masks = place != opened.side.aligned
        coming = _by_frame(headers, records, names, remarks, left_out, with_masks=with_masks)
        tool = f"faces from {place.name}"
        merged = merge(opened.connection, coming, tool, prefer_file=prefer_file, twins=False)
        faces = len(headers) + len(records)
        return _imported(opened, len(coming), faces, merged, names, remarks, (), tuple(left_out))


def _read(paths: Iterable[Path]) -> tuple[list[FaceHeader], list[FaceRecord], list[tuple[str, str]]]:
    headers, records, left_out = [], [], []
    for path in progress(list(paths), description="pictures", unit="face"):
        try:
            header = face_png.read(path) if path.suffix.lower() == ".png" else None
            if header is not None:
                headers.append(header)
            else:
                records.append(dfl_image.read(path))
        except PipelineError as error:
            left_out.append((path.name, error.why or error.what))
    return headers, records, left_out


def _by_frame(
    headers: list[FaceHeader],
    records: list[FaceRecord],
    names: FrameNames,
    remarks: Counter[str],
    left_out: list[tuple[str, str]],
    *,
    with_masks: bool,
) -> list[IncomingFrame]:
    rows: dict[str, FrameRow] = {}
    found: dict[str, list[Incoming]] = {}
    for header in headers:
        if header.frame not in names.names:
            continue
        name = names.names[header.frame]
        height, width = header.frame_shape or (0, 0)
        rows[name] = FrameRow(name, width=width, height=height)
        found.setdefault(name, []).append(from_face(header.face, header.index, name, "imported:png", remarks))
    for record in records:
        incoming = from_record(record, "imported:dfl", remarks, with_mask=with_masks)
        if incoming is None:
            left_out.append((record.name, "it does not say from which frame it is, or where it was there"))
            continue
        rows.setdefault(incoming.face.frame, FrameRow(incoming.face.frame))
        found.setdefault(incoming.face.frame, []).append(incoming)
    return [IncomingFrame(row, tuple(found[name])) for name, row in rows.items()]


def _names(opened: OpenedFaces, keys: list[str]) -> FrameNames:
    known = {*frame_ids(opened.connection), *(path.name for path in list_frames(opened.side.frames))}
    return names_here(keys, known)


def _film_here(side: Side) -> str | None:
    films = look_beside(side).films
    return films[0].name if len(films) == 1 else None


def _note_unknown(remarks: Counter[str], count: int) -> None:
    if count:
        remarks["unknown keys of the file as a whole, which are not kept"] += count


def _imported(
    opened: OpenedFaces,
    frames: int,
    faces: int,
    merged: Merged,
    names: FrameNames,
    remarks: Counter[str],
    said: tuple[str, ...],
    left_out: tuple[tuple[str, str], ...],
) -> Imported:
    there = {path.name for path in list_frames(opened.side.frames)}
    missing = tuple(name for name in merged.frames if name not in there) if there else ()
    counted = tuple(f"{what}: {count}" for what, count in sorted((remarks + merged.remarks).items()))
    refused = tuple((key[:80], "it names no file") for key in names.refused)
    choice = frame_choice(opened.side) if names.film else ""
    return Imported(frames, faces, merged, names.film, missing, choice, (*said, *counted), (*left_out, *refused))
