"""What faceswap knows about the faces of a film or a folder of frames: the content of its alignments file.

Everything is in frame pixels, except the pixels of a mask, which come with their matrix.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import CorruptFileError

NEWEST_VERSION = 2.4
CENTRINGS = ("face", "head", "legacy")
LARGEST_MASK = 4096  # pixels of a side

# Of 98 points those that are the 68, in their order.
_OF_98 = (
    *range(0, 33, 2),
    *range(33, 38),
    *range(42, 47),
    *range(51, 60),
    *(60, 61, 63, 64, 65, 67),
    *(68, 69, 71, 72, 73, 75),
    *range(76, 88),
    *range(88, 96),
)


@dataclass(frozen=True, eq=False, slots=True)
class FsaMask:
    """A mask of a face.

    stored_size: pixels of a side. centering: ``face``, ``head`` or ``legacy``, of the crop that it covers.
    frame_to_mask: float64 (2, 3). interpolator: OpenCV's number of the way back into the frame.
    packed: the pixels as the file has them, a zlib stream of stored_size * stored_size bytes.
    extra: keys that the format does not know.
    """

    stored_size: int
    centering: str
    frame_to_mask: NDArray[np.float64]
    interpolator: int
    packed: bytes
    extra: Mapping[str, Any] = field(default_factory=dict)

    def pixels(self) -> NDArray[np.uint8]:
        """The mask: uint8 (stored_size, stored_size), 0..255.

        Raises:
            CorruptFileError: the stream is damaged, or has another size.
        """
        wanted = self.stored_size**2
        unpack = zlib.decompressobj()
        try:
            raw = unpack.decompress(self.packed, wanted + 1)
        except zlib.error as error:
            raise CorruptFileError("a damaged mask", why=str(error)) from None
        if len(raw) != wanted or not unpack.eof:
            raise CorruptFileError(
                "a damaged mask", why=f"it does not have {self.stored_size} x {self.stored_size} pixels"
            )
        return np.frombuffer(raw, np.uint8).reshape(self.stored_size, self.stored_size)


def make_mask(
    pixels: NDArray[np.uint8], frame_to_mask: ArrayLike, centering: str = "face", interpolator: int | None = None
) -> FsaMask:
    """A mask from its pixels, uint8 (s, s).

    interpolator: computed from the matrix unless it is given: 1 where the mask is smaller than the frame, else 3.
    """
    matrix = np.asarray(frame_to_mask, np.float64)[:2]
    if interpolator is None:
        interpolator = 1 if np.hypot(matrix[0, 0], matrix[1, 0]) < 1 else 3
    # The usual level takes two to eight times as long for a tenth less.
    packed = zlib.compress(np.ascontiguousarray(pixels, np.uint8).tobytes(), 1)
    return FsaMask(len(pixels), centering, matrix, interpolator, packed)


@dataclass(frozen=True, eq=False, slots=True)
class FsaFace:
    """A face of a frame.

    box: x, y, w, h in whole pixels; may lie outside the frame.
    landmarks: float32 (68, 2), or (4, 2) corners of a box, or (98, 2): as the file has them.
    masks, identities: by name; an identity is a float32 vector. thumb: a JPEG, or None.
    extra: keys that the format does not know.
    """

    box: tuple[int, int, int, int]
    landmarks: NDArray[np.float32]
    masks: Mapping[str, FsaMask] = field(default_factory=dict)
    identities: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    thumb: bytes | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, slots=True)
class FsaFrame:
    """A frame and its faces, in the order of their index.

    key: its file name; of a film ``<stem>_<number from 1, six digits><suffix>``.
    video_meta: ``pts_time`` and ``keyframe`` of a film's frame.
    """

    key: str
    faces: tuple[FsaFace, ...] = ()
    video_meta: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class FsaDocument:
    """An alignments file.

    version: as the file says; the content is that of the newest, whatever it was read from.
    meta, beside: what is in ``__meta__`` but the version, and beside ``__data__``.
    remarks: what reading had to change, for people.
    """

    frames: tuple[FsaFrame, ...]
    version: float = NEWEST_VERSION
    meta: Mapping[str, Any] = field(default_factory=dict)
    beside: Mapping[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    def face_count(self) -> int:
        return sum(len(frame.faces) for frame in self.frames)


def landmarks_68(points: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """The 68 of a face's points; None where they are only the corners of a box."""
    if len(points) == 68:
        return points
    return points[list(_OF_98)] if len(points) == 98 else None
