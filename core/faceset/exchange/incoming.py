"""Faces of other programs' files in our types: all that can be taken into the database."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptFileError
from core.faceset.database import frame_masks
from core.faceset.database.frame_masks import FrameMask
from core.faceset.database.frames import FrameRow
from core.faceset.exchange.placed import stored_mask
from core.faceset.register import imported_face
from core.formats.faceswap.document import FsaFace, FsaFrame, FsaMask, landmarks_68
from core.imaging.masks import mask_origin
from core.safe_paths import is_name
from core.types import Face, FaceRecord

# Under this name ``extra`` of a face and of a frame has what faceswap's files say and we have no place for.
FACESWAP = "faceswap"


@dataclass(frozen=True, eq=False)
class Incoming:
    """A face that may be new.

    face: its id may be empty. masks: kind -> what makes it, for they are many; without a geometry. vectors: embedder ->
    identity vector. thumb: a JPEG. found_points: of a smoothed face, see ``core.faceset.database.measured``.
    """

    face: Face
    masks: Mapping[str, Callable[[], FrameMask]] = field(default_factory=dict)
    vectors: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    thumb: bytes | None = None
    found_points: bytes | None = None


@dataclass(frozen=True, eq=False)
class IncomingFrame:
    """A frame and its faces."""

    row: FrameRow
    faces: tuple[Incoming, ...]


def from_fsa(
    frames: tuple[FsaFrame, ...], names: Mapping[str, str], origin: str, remarks: Counter[str]
) -> Iterator[IncomingFrame]:
    """The frames of an alignments file that have a name here.

    names: key -> name here. origin: of the faces, such as ``imported:fsa``. remarks: counts what could not be taken as
    it is.
    """
    for frame in frames:
        if frame.key not in names:
            continue
        name = names[frame.key]
        faces = tuple(from_face(face, index, name, origin, remarks) for index, face in enumerate(frame.faces))
        yield IncomingFrame(_frame_row(frame, name, remarks), faces)


def from_face(face: FsaFace, index: int, frame: str, origin: str, remarks: Counter[str]) -> Incoming:
    """A face of a file with its masks, identities and thumbnail. index: its place among the faces of its frame."""
    masks = {name: _maker(name, mask, origin) for name, mask in face.masks.items()}
    sound = {name: vector for name, vector in face.identities.items() if np.isfinite(vector).all()}
    if len(sound) < len(face.identities):
        remarks["identities that are no numbers"] += len(face.identities) - len(sound)
    return Incoming(_face_of(face, index, frame, origin, remarks), masks, sound, face.thumb)


def _face_of(face: FsaFace, index: int, frame: str, origin: str, remarks: Counter[str]) -> Face:
    x, y, w, h = face.box
    points = landmarks_68(face.landmarks)
    kept: dict[str, Any] = {"index": index}
    if points is not None and not np.isfinite(points).all():
        remarks["faces whose points are no numbers: only their box was taken"] += 1
        points = None
    elif len(face.landmarks) != 68:
        kept["points"] = face.landmarks.tolist()
    unknown = _json_only(face.extra, remarks)
    masks = {name: _json_only(mask.extra, remarks) for name, mask in face.masks.items() if mask.extra}
    kept |= {"unknown": unknown} if unknown else {}
    kept |= {"masks": masks} if masks else {}
    return Face(
        box=np.array([x, y, x + w, y + h], np.float32),
        confidence=np.nan,
        roll=np.nan,
        landmarks=None if points is None else points.astype(np.float64),
        landmark_confidence=np.nan,
        frame=frame,
        origin=origin,
        extra={FACESWAP: kept},
    )


def from_record(record: FaceRecord, origin: str, remarks: Counter[str], *, with_mask: bool) -> Incoming | None:
    """The face of a DeepFaceLab face file; None where the file does not say where in which frame it is.

    with_mask: its stored mask goes along, under the name of who made it (``xseg``, ``hull`` ...).
    """
    if record.source_landmarks is None or not is_name(record.source_filename):
        return None
    face = replace(imported_face(record), origin=origin)
    if record.polygons:
        remarks["faces whose hand-drawn outlines stay in their file"] += 1
    if not with_mask:
        return Incoming(face)
    try:
        found = stored_mask(record)
    except CorruptFileError:
        remarks["masks that are damaged"] += 1
        found = None
    if found is None:
        return Incoming(face)
    pixels, matrix = found
    kind = mask_origin(record)
    made = FrameMask(kind, frame_masks.encode(pixels), matrix, record.face_type, 1, origin, "")
    return Incoming(face, {kind: lambda: made})


def _maker(name: str, mask: FsaMask, origin: str) -> Callable[[], FrameMask]:
    def make() -> FrameMask:
        png = frame_masks.encode(mask.pixels())
        return FrameMask(name, png, mask.frame_to_mask, mask.centering, mask.interpolator, origin, "")

    return make


def _frame_row(frame: FsaFrame, name: str, remarks: Counter[str]) -> FrameRow:
    kept = {"video_meta": _json_only(frame.video_meta, remarks), "unknown": _json_only(frame.extra, remarks)}
    kept = {what: values for what, values in kept.items() if values}
    time = frame.video_meta.get("pts_time")
    # Whole numbers are in the unit of the film, which the file does not say.
    seconds = time if isinstance(time, float) and np.isfinite(time) else None
    return FrameRow(name, time=seconds, extra={FACESWAP: kept} if kept else {})


def _json_only(values: Mapping[str, Any], remarks: Counter[str]) -> dict[str, Any]:
    """What JSON can hold of unknown keys."""
    kept = {}
    for key, value in values.items():
        try:
            json.dumps(value)
        except (TypeError, ValueError, RecursionError):
            remarks["unknown keys with values that cannot be kept"] += 1
            continue
        kept[str(key)] = value
    return kept
