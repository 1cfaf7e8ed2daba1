"""What a face file holds."""

import math
from dataclasses import dataclass

from core.errors import InputError
from core.faceset.checking import notes_on
from core.formats import dfl_image
from core.geometry.pose import pitch_yaw_roll
from core.imaging import png
from core.imaging.masks import decode_mask
from core.types import FaceRecord


@dataclass(frozen=True)
class StoredMask:
    """A mask in a face file.

    container: PNG or JPEG; size: bytes of it.
    shape: (height, width).
    covered: 0..1, the mean of the mask.
    """

    container: str
    size: int
    shape: tuple[int, int]
    covered: float


@dataclass(frozen=True)
class Description:
    """A face file.

    container: PNG or JPEG; size: bytes of it.
    record: its metadata.
    pitch, yaw: degrees, NaN when the landmarks have no pose.
    pose_problem: why they have none, or "".
    mask: the stored mask, or None.
    notes: what is missing in it, does not fit together, or keeps the original program from reading it.
    """

    container: str
    size: int
    record: FaceRecord
    pitch: float
    yaw: float
    pose_problem: str
    mask: StoredMask | None
    notes: tuple[str, ...]


def describe(data: bytes, name: str) -> Description:
    """Everything about the face file ``data``.

    Raises:
        NotAFaceError: it has no face metadata.
        CorruptFileError: its bytes are damaged.
    """
    record = dfl_image.parse(data, name)
    pitch, yaw, problem = _pose(record)
    return Description(
        container=_container(data),
        size=len(data),
        record=record,
        pitch=pitch,
        yaw=yaw,
        pose_problem=problem,
        mask=_mask(record),
        notes=tuple(notes_on(data, record)),
    )


def _container(data: bytes) -> str:
    return "PNG" if data.startswith(png.SIGNATURE) else "JPEG"


def _pose(record: FaceRecord) -> tuple[float, float, str]:
    try:
        pitch, yaw, _ = pitch_yaw_roll(record.landmarks, record.shape[1])
    except InputError as error:
        return math.nan, math.nan, error.why
    return math.degrees(pitch), math.degrees(yaw), ""


def _mask(record: FaceRecord) -> StoredMask | None:
    if record.xseg_mask is None:
        return None
    mask = decode_mask(record.xseg_mask, record.name)
    return StoredMask(_container(record.xseg_mask), len(record.xseg_mask), mask.shape[:2], float(mask.mean()))
