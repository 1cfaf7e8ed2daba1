"""The JSON that faceswap's alignments tool exports and its extraction imports: boxes and points, nothing else.

``{frame: [{"detected": [left, top, right, bottom], "landmarks_2d": [[x, y], ...]}, ...]}``, in frame pixels.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import CorruptFileError, InputError
from core.formats.faceswap import migrate, records
from core.formats.faceswap.document import FsaDocument, FsaFace, FsaFrame
from core.fsio import write_text

_BOX, _POINTS = "detected", "landmarks_2d"


def write(path: Path, document: FsaDocument) -> None:
    """Write the boxes and points, whole or not at all.

    Raises:
        InputError: a point is no number, for which JSON has no word.
    """
    frames = {frame.key: [_plain(face, frame.key) for face in frame.faces] for frame in document.frames}
    write_text(path, json.dumps(frames, indent=2) + "\n")


def document_of(raw: Any, where: object) -> FsaDocument:
    """The boxes and points in the value of a JSON file (see :func:`is_export`).

    Raises:
        CorruptFileError: it is damaged.
    """
    try:
        return FsaDocument(tuple(FsaFrame(key, _faces(key, faces)) for key, faces in raw.items()))
    except records.Malformed as error:
        raise CorruptFileError("a damaged export of alignments", where=str(where), why=str(error)) from None


def is_export(raw: Any) -> bool:
    """Whether the value of a JSON file is such an export: alignments from before 2019 are JSON, too."""
    if not isinstance(raw, dict) or migrate.DATA in raw or not all(isinstance(faces, list) for faces in raw.values()):
        return False
    first = next((face for faces in raw.values() for face in faces), None)
    return first is None or (isinstance(first, dict) and _POINTS in first)


def _plain(face: FsaFace, frame: str) -> dict[str, Any]:
    if not np.isfinite(face.landmarks).all():
        raise InputError("a face with points that are no numbers cannot be written", where=frame)
    x, y, w, h = face.box
    return {_BOX: [x, y, x + w, y + h], _POINTS: face.landmarks.tolist()}


def _faces(key: str, faces: list) -> tuple[FsaFace, ...]:
    try:
        return tuple(_face(records.require(face, dict)) for face in faces)
    except records.Malformed as error:
        raise records.Malformed(f"the frame {key[:80]!r}: {error}") from None
    except KeyError as error:
        raise records.Malformed(f"the frame {key[:80]!r} has no {error}") from None


def _face(raw: dict) -> FsaFace:
    points = records.landmarks(raw[_POINTS])
    corners = records.require(raw[_BOX], list) if _BOX in raw or len(points) != 4 else _around(points)
    if len(corners) != 4:
        raise records.Malformed("a box that has not four numbers")
    left, top, right, bottom = (records.pixel(n) for n in corners)
    return FsaFace((left, top, right - left, bottom - top), points)


def _around(points: np.ndarray) -> list[float]:
    """The box around the corners of a rotated one, which may stand without a box."""
    return [*points.min(0).astype(float), *points.max(0).astype(float)]
