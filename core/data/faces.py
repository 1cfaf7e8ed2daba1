"""One face of a faceset as training wants it: image and masks at the network's resolution, kept while there is room."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.data.reading import to_face_type
from core.errors import CorruptFileError
from core.faceset.store import Faceset
from core.geometry.align import FaceType, Matrix
from core.imaging.codec import decode_image
from core.imaging.masks import best_mask, best_mask_levels, eyes_mask, eyes_mouth_levels, mouth_mask
from core.types import FaceRecord

FloatArray = NDArray[np.float32]
_CHANNELS = 5  # image, mask, eyes and mouth
_LEVEL = np.float32(1 / 255)


# Gives face ``index``, by the function where it is not kept.
Keep = Callable[[int, Callable[[int], "TrainingFace"]], "TrainingFace"]


@dataclass(frozen=True)
class TrainingFace:
    """A prepared face at R x R pixels: uint8, 0..255; of exact training float32, about 0..1 (cubic interpolation may
    overshoot a little).

    image: (R, R, 3) BGR.
    mask: (R, R, 1), the whole face.
    eyes_mouth: (R, R, 1), what counts extra.
    """

    image: NDArray[Any]
    mask: NDArray[Any]
    eyes_mouth: NDArray[Any]

    @property
    def nbytes(self) -> int:
        return self.image.nbytes + self.mask.nbytes + self.eyes_mouth.nbytes

    def to_bytes(self) -> bytes:
        """One array after the other."""
        return b"".join(array.tobytes() for array in (self.image, self.mask, self.eyes_mouth))

    @classmethod
    def from_bytes(cls, data: bytes, size: int, *, exact: bool) -> "TrainingFace":
        """The face of ``to_bytes``; read-only. size: R."""
        flat: NDArray[Any] = np.frombuffer(data, dtype_of(exact))
        image, mask, eyes_mouth = np.split(flat, [3 * size**2, 4 * size**2])
        plane = (size, size, 1)
        return cls(image.reshape(size, size, 3), mask.reshape(plane), eyes_mouth.reshape(plane))


def dtype_of(exact: bool) -> type:
    """Of prepared faces and of batches."""
    return np.float32 if exact else np.uint8


def face_bytes(size: int, *, exact: bool) -> int:
    """What a prepared face of ``size`` pixels takes."""
    return _CHANNELS * size**2 * np.dtype(dtype_of(exact)).itemsize


def as_floats(array: NDArray[Any]) -> FloatArray:
    """Images or masks as float32, 0..1, whatever they are stored as."""
    return array if array.dtype == np.float32 else np.multiply(array, _LEVEL, dtype=np.float32)


def prepare(
    record: FaceRecord, image: NDArray[np.uint8], size: int, face_type: FaceType, *, exact: bool = False
) -> TrainingFace:
    """The face at ``size`` pixels, cropped as ``face_type``.

    The mask is the stored one, else the polygons, else the landmark hull.
    image: uint8 H x W x 3 BGR, the aligned face of the record.
    exact: in float32, as the original does it.
    """
    shape = image.shape[:2]
    if exact:
        pixels: NDArray[Any] = (image.astype(np.float32) / 255).astype(np.float32)
        mask: NDArray[Any] = np.asarray(best_mask(record)[0], np.float32).reshape(shape)
        both = eyes_mask(shape, record.landmarks) + mouth_mask(shape, record.landmarks)
        # Eyes and mouth count only where they are in sight.
        features: NDArray[Any] = (np.clip(both, 0, 1).reshape(shape) * (mask > 0)).astype(np.float32)
    else:
        pixels = image
        mask = best_mask_levels(record).reshape(shape)
        everywhere = eyes_mouth_levels(shape, record.landmarks)
        features = cv2.bitwise_and(everywhere, everywhere, mask=mask)
    matrix = to_face_type(record, size, face_type)
    return TrainingFace(
        image=_fit(pixels, size, matrix, cv2.INTER_CUBIC),
        mask=_fit(mask, size, matrix, cv2.INTER_LINEAR)[..., None],
        eyes_mouth=_fit(features, size, matrix, cv2.INTER_LINEAR)[..., None],
    )


class FaceLoader:
    """The faces of one side by number, prepared on first use and kept by ``keep``.

    exact: in float32, and without hand-drawn masks, as the original does it.
    """

    def __init__(
        self, faceset: Faceset, size: int, face_type: FaceType, keep: Keep | None = None, *, exact: bool = False
    ):
        self._faceset = faceset
        self._size = size
        self._face_type = face_type
        self._exact = exact
        self._keep = keep

    def __len__(self) -> int:
        return len(self._faceset)

    def face(self, index: int) -> TrainingFace:
        """The prepared face.

        Raises:
            PipelineError: it cannot be read.
        """
        return self._keep(index, self._prepared) if self._keep else self._prepared(index)

    def color_reference(self, index: int) -> FloatArray:
        """The stored image whatever its face type, for the transfer of its colors: float32 (R, R, 3) BGR, 0..1.

        Raises:
            PipelineError: it cannot be read.
        """
        _, image = self._read(index)
        return cv2.resize(image.astype(np.float32) / 255, (self._size, self._size), interpolation=cv2.INTER_LINEAR)

    def _prepared(self, index: int) -> TrainingFace:
        record, image = self._read(index)
        return prepare(record, image, self._size, self._face_type, exact=self._exact)

    def _read(self, index: int) -> tuple[FaceRecord, NDArray[np.uint8]]:
        record, data = self._faceset.read_face(index)
        image = decode_image(data, record.name)
        if image.shape[:2] != tuple(record.shape):
            raise CorruptFileError(
                "a face has another size than its metadata says",
                where=record.name,
                why=f"{image.shape[:2]} instead of {record.shape}",
            )
        return replace(record, polygons=()) if self._exact else record, image


def _fit(image: NDArray[Any], size: int, matrix: Matrix | None, interpolation: int) -> NDArray[Any]:
    """An image (H, W, 3) or mask (H, W) at ``size`` pixels, through ``matrix`` where there is one."""
    if matrix is not None:
        # Beyond its edge an image goes on as it ends; there is no face there, so a mask does not.
        border = cv2.BORDER_REPLICATE if image.ndim == 3 else cv2.BORDER_CONSTANT
        return cv2.warpAffine(image, matrix, (size, size), flags=interpolation, borderMode=border)
    if image.shape[1] != size:
        return cv2.resize(image, (size, size), interpolation=interpolation)
    return image
