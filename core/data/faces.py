"""One face of a faceset as training wants it: image and masks at the network's resolution, kept while there is room."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from core.data.reading import Cache, to_face_type
from core.errors import CorruptFileError
from core.faceset.store import Faceset
from core.geometry.align import FaceType, Matrix
from core.imaging.codec import decode_image
from core.imaging.masks import best_mask, eyes_mask, mouth_mask
from core.types import FaceRecord

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class TrainingFace:
    """A prepared face at R x R pixels, all float32, about 0..1: cubic interpolation may overshoot a little.

    image_f32: (R, R, 3) BGR.
    mask: (R, R, 1), the whole face.
    eyes_mouth: (R, R, 1), what counts extra.
    """

    image_f32: FloatArray
    mask: FloatArray
    eyes_mouth: FloatArray

    @property
    def nbytes(self) -> int:
        return self.image_f32.nbytes + self.mask.nbytes + self.eyes_mouth.nbytes


def prepare(record: FaceRecord, image: NDArray[np.uint8], size: int, face_type: FaceType) -> TrainingFace:
    """The face at ``size`` pixels, cropped as ``face_type``.

    The mask is the stored one, else the polygons, else the landmark hull.
    image: uint8 H x W x 3 BGR, the aligned face of the record.
    """
    height, width = image.shape[:2]
    mask = np.asarray(best_mask(record)[0], np.float32).reshape(height, width, 1)
    features = eyes_mask((height, width), record.landmarks) + mouth_mask((height, width), record.landmarks)
    # Eyes and mouth count only where they are in sight.
    features = np.clip(features, 0, 1).reshape(height, width, 1) * (mask > 0)
    image_f32 = (image.astype(np.float32) / 255).astype(np.float32)
    matrix = to_face_type(record, size, face_type)
    return TrainingFace(
        image_f32=_fit(image_f32, size, matrix, cv2.INTER_CUBIC),
        mask=_fit(mask, size, matrix, cv2.INTER_LINEAR)[..., None],
        eyes_mouth=_fit(features.astype(np.float32), size, matrix, cv2.INTER_LINEAR)[..., None],
    )


class FaceLoader:
    """The faces of one side by number, prepared on first use; those that fit into ``cache_bytes`` are kept.

    polygons: False ignores hand-drawn masks, as the original does.
    """

    def __init__(
        self, faceset: Faceset, size: int, face_type: FaceType, cache_bytes: int = 0, *, polygons: bool = True
    ):
        self._faceset = faceset
        self._size = size
        self._face_type = face_type
        self._polygons = polygons
        self._cache: Cache[TrainingFace] = Cache(cache_bytes)

    def __len__(self) -> int:
        return len(self._faceset)

    def face(self, index: int) -> TrainingFace:
        """The prepared face.

        Raises:
            PipelineError: it cannot be read.
        """
        return self._cache.get(index, self._prepared)

    def color_reference(self, index: int) -> FloatArray:
        """The stored image whatever its face type, for the transfer of its colors: float32 (R, R, 3) BGR, 0..1.

        Raises:
            PipelineError: it cannot be read.
        """
        _, image = self._read(index)
        return cv2.resize(image.astype(np.float32) / 255, (self._size, self._size), interpolation=cv2.INTER_LINEAR)

    def _prepared(self, index: int) -> TrainingFace:
        record, image = self._read(index)
        return prepare(record, image, self._size, self._face_type)

    def _read(self, index: int) -> tuple[FaceRecord, NDArray[np.uint8]]:
        record, data = self._faceset.read_face(index)
        image = decode_image(data, record.name)
        if image.shape[:2] != tuple(record.shape):
            raise CorruptFileError(
                "a face has another size than its metadata says",
                where=record.name,
                why=f"{image.shape[:2]} instead of {record.shape}",
            )
        return record if self._polygons else replace(record, polygons=()), image


def _fit(image: FloatArray, size: int, matrix: Matrix | None, interpolation: int) -> FloatArray:
    """An image (H, W, C) at ``size`` pixels, through ``matrix`` where there is one; a single channel is dropped."""
    if matrix is not None:
        # Beyond its edge an image goes on as it ends; there is no face there, so a mask does not.
        border = cv2.BORDER_REPLICATE if image.shape[2] == 3 else cv2.BORDER_CONSTANT
        return cv2.warpAffine(image, matrix, (size, size), flags=interpolation, borderMode=border)
    if image.shape[1] != size:
        return cv2.resize(image, (size, size), interpolation=interpolation)
    return image[..., 0] if image.shape[2] == 1 else image
