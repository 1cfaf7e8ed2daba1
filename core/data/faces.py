"""One face of a faceset as training wants it: picture and masks at the network's resolution, kept in memory while there is room."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptFileError
from core.faceset.store import Faceset
from core.geometry.align import FaceType, face_matrix
from core.imaging.codec import decode_image
from core.imaging.masks import best_mask, eyes_mask, mouth_mask
from core.types import FaceRecord

Array = NDArray[np.float32]


@dataclass(frozen=True)
class TrainingFace:
    """A prepared face. image_f32: (R, R, 3) BGR; mask: the whole face, (R, R, 1); eyes_mouth: (R, R, 1); all float32, about 0..1
    (cubic interpolation may overshoot the image a little)."""

    image_f32: Array
    mask: Array
    eyes_mouth: Array

    @property
    def nbytes(self) -> int:
        return self.image_f32.nbytes + self.mask.nbytes + self.eyes_mouth.nbytes


def prepare(record: FaceRecord, image: NDArray[np.uint8], size: int, face_type: FaceType) -> TrainingFace:
    """The face at ``size`` pixels, cut as ``face_type``; the mask is the XSeg mask, else the polygons, else the landmark hull."""
    shape = image.shape[:2]
    mask = np.asarray(best_mask(record)[0], np.float32).reshape(*shape, 1)
    features = np.clip(eyes_mask(shape, record.landmarks) + mouth_mask(shape, record.landmarks), 0, 1).reshape(
        *shape, 1
    ) * (mask > 0)
    matrix = _cut(record, size, face_type)
    return TrainingFace(
        _fit((image.astype(np.float32) / 255).astype(np.float32), size, matrix, cv2.INTER_CUBIC),
        _fit(mask, size, matrix, cv2.INTER_LINEAR)[..., None],
        _fit(features.astype(np.float32), size, matrix, cv2.INTER_LINEAR)[..., None],
    )


class FaceLoader:
    """The faces of one side by number, prepared on first use; those that fit into ``cache_bytes`` are kept.

    Nothing is evicted: in shuffled epochs the face that was used longest ago comes back soonest. ``polygons=False`` ignores
    hand-drawn masks, as the original does.
    """

    def __init__(
        self, faceset: Faceset, size: int, face_type: FaceType, cache_bytes: int = 0, *, polygons: bool = True
    ):
        self._faceset, self._polygons = faceset, polygons
        self._size, self._face_type, self._room = size, face_type, cache_bytes
        self._kept: dict[int, TrainingFace] = {}

    def __len__(self) -> int:
        return len(self._faceset)

    def face(self, index: int) -> TrainingFace:
        """The prepared face. Raises PipelineError when it cannot be read."""
        if index in self._kept:
            return self._kept[index]
        record, image = self._read(index)
        face = prepare(record, image, self._size, self._face_type)
        if face.nbytes <= self._room:
            self._room -= face.nbytes
            self._kept[index] = face
        return face

    def colours(self, index: int) -> Array:
        """The stored picture as a reference for colour transfer: (R, R, 3) float32, whatever its face type."""
        _, image = self._read(index)
        return cv2.resize(image.astype(np.float32) / 255, (self._size, self._size), interpolation=cv2.INTER_LINEAR)

    def _read(self, index: int) -> tuple[FaceRecord, NDArray[np.uint8]]:
        record = self._faceset.full_record(index)
        image = decode_image(self._faceset.read(index), record.name)
        if image.shape[:2] != tuple(record.shape):
            raise CorruptFileError(
                "a face has another size than its metadata says",
                where=record.name,
                why=f"{image.shape[:2]} instead of {record.shape}",
            )
        return record if self._polygons else replace(record, polygons=()), image


def _cut(record: FaceRecord, size: int, face_type: FaceType) -> NDArray[np.float64] | None:
    """The affine map to another face type, or None where the stored one is wanted."""
    if FaceType.parse(record.face_type) == face_type:
        return None
    return face_matrix(record.landmarks, size, face_type)


def _fit(picture: Array, size: int, matrix: NDArray[np.float64] | None, kind: int) -> Array:
    if matrix is not None:
        border = cv2.BORDER_REPLICATE if picture.shape[2] == 3 else cv2.BORDER_CONSTANT
        return cv2.warpAffine(picture, matrix, (size, size), flags=kind, borderMode=border)
    if picture.shape[1] != size:
        return cv2.resize(picture, (size, size), interpolation=kind)
    return picture[..., 0] if picture.shape[2] == 1 else picture
