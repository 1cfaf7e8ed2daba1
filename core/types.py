"""What crosses a module boundary. Conventions are in docs/conventions.md; each docstring repeats what bites."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.console import one_line

Status = Literal["kept", "filtered", "dropped"]


@dataclass(frozen=True, eq=False)
class Face:
    """A face of a frame: what detection finds, the database keeps, a person edits, rendering and merging take.

    Everything is in frame pixels; what is cut out of the frame is an aligned face (``FaceRecord``).

    box: float32 (4,), left, top, right, bottom, of the detector.
    confidence: 0..1, of the detector, that this is a face.
    roll: radians, the clockwise turn of the head as seen in the frame; 0 is upright.
    five: float64 (5, 2), the subject's right eye, left eye, nose, right and left corner of the mouth as the detector
        saw them; None where it does not say. The database does not keep them.
    pose: pitch, yaw, roll in radians where they were found by more than the landmarks; kept as scores.
    landmarks: float64 (68, 2); None where they were not looked for.
    landmark_confidence: 0..1, of the landmarker, that this is a face.
    frame: file name of the frame.
    origin: who found it: the name of a detector, ``imported``, ``hand``, ``interpolated``.
    status: ``kept``; ``filtered`` by a rule; ``dropped`` by a person. reason: why it was not kept.
    person: who it is, as far as somebody said; empty where nobody did.
    track: the faces of one person in consecutive frames have one number, from 1; 0 where none was given.
    extra: what nothing else here holds (JSON values), such as the unknown keys of files of other programs.
    id: 16 hexadecimal digits that stay with the face whatever happens to its files; empty until it is given.
    """

    box: NDArray[np.float32]
    confidence: float
    roll: float = 0.0
    landmarks: NDArray[np.float64] | None = None
    landmark_confidence: float = 0.0
    frame: str = ""
    origin: str = ""
    status: Status = "kept"
    reason: str = ""
    person: str = ""
    track: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""
    five: NDArray[np.float64] | None = None
    pose: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class Polygon:
    """A hand-drawn outline in pixels of the aligned face. include: adds to the mask, else cuts out of it; points:
    float32 (n, 2).
    """

    include: bool
    points: NDArray[np.float32]


@dataclass(frozen=True)
class FaceRecord:
    """All of an aligned face but its pixels.

    name: file name.
    shape: (height, width) of the aligned image.
    landmarks: float64 (68, 2), pixels of the aligned image.
    face_type: name as in the file, such as ``whole_face``.
    source_filename: file name of the frame.
    source_rect: int (4,), left, top, right, bottom of the detector's box in the frame.
    source_landmarks: float64 (68, 2), pixels of the frame.
    image_to_face_mat: float64 (2, 3), pixels of the frame to pixels of the aligned image.
    polygons: drawn by hand; those that include come first.
    xseg_mask: an encoded PNG or JPEG of any size that covers the aligned square, or None.
    eyebrows_expand_mod: how far the mask of the landmarks reaches above the eyebrows; 1 is the usual.
    person: sub-folder in a faceset of several persons.
    extra: keys of the file that are not ours, kept as they are.
    face_id: the id of the face (``Face.id``) as the file says it, empty where it does not.
    """

    name: str
    shape: tuple[int, int]
    landmarks: NDArray[np.float64]
    face_type: str = "full_face"
    source_filename: str | None = None
    source_rect: tuple[int, int, int, int] | None = None
    source_landmarks: NDArray[np.float64] | None = None
    image_to_face_mat: NDArray[np.float64] | None = None
    polygons: tuple[Polygon, ...] = ()
    xseg_mask: bytes | None = None
    eyebrows_expand_mod: float = 1.0
    person: str | None = None
    extra: dict = field(default_factory=dict)
    face_id: str = ""


@dataclass(frozen=True)
class StageReport:
    """What a stage did, for people.

    rows: (label, value).
    warnings: lines that they should read.
    outputs: what was written.
    """

    title: str
    rows: tuple[tuple[str, object], ...] = ()
    warnings: tuple[str, ...] = ()
    outputs: tuple[Path, ...] = ()

    def __str__(self) -> str:
        width = max((len(label) for label, _ in self.rows), default=0)
        lines = [self.title, *(f"  {label:<{width}}  {value}" for label, value in self.rows)]
        lines += [f"warning: {text}" for text in self.warnings]
        lines += [f"  -> {path}" for path in self.outputs]
        return "\n".join(map(one_line, lines))
