"""Training samples for the mask network: batch i is a pure function of (facesets, settings, i), as in ``batches``."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.data.reading import Cache, first_readable, to_face_type
from core.data.sampler import sample_seed, shuffled_index
from core.data.xseg_augment import augment, grey_sample
from core.data.xseg_labels import Labels, choose, label_mask, label_origin
from core.errors import InputError
from core.faceset.store import Faceset
from core.geometry.align import FaceType
from core.imaging.codec import decode_image
from core.types import FaceRecord

FloatArray = NDArray[np.float32]
_ORDER, _SAMPLE = 10, 11  # random streams


@dataclass(frozen=True)
class XSegSettings:
    """What samples are made of.

    resolution: side of the images, pixels.
    face_type: how much around the face they show.
    batch_size: samples of a batch.
    seed: of all that is random.
    occluders: 0..1, how often something is drawn in front of the face.
    plain: no changes at all, and the faces in their order: to look at.
    pretrain: the network shall make a grey image instead of a mask; every face will do.
    cache_bytes: room for prepared faces.
    """

    resolution: int
    face_type: FaceType
    batch_size: int
    seed: int = 0
    occluders: float = 0.0
    plain: bool = False
    pretrain: bool = False
    cache_bytes: int = 0


@dataclass(frozen=True)
class XSegBatch:
    """A batch of the mask network.

    iteration: its number.
    image: float32 (B, R, R, 3) BGR, 0..1.
    target: float32 (B, R, R, 1), the two-level mask; in pretraining a grey image, 0..1.
    skipped: the faces that could not be read, one line each.
    """

    iteration: int
    image: FloatArray
    target: FloatArray
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True)
class LabelledFace:
    """A prepared face at R x R pixels.

    image: uint8 (R, R, 3) BGR, a quarter of the memory that float32 takes.
    mask: float32 (R, R, 1), two-level.
    """

    image: NDArray[np.uint8]
    mask: FloatArray

    @property
    def nbytes(self) -> int:
        return self.image.nbytes + self.mask.nbytes


def prepare(
    record: FaceRecord, image: NDArray[np.uint8], mask: FloatArray, size: int, face_type: FaceType
) -> LabelledFace:
    """The face at ``size`` pixels, cropped as ``face_type``; black outside the stored image.

    image: uint8 H x W x 3 BGR, the aligned face of the record.
    mask: float32 (H, W, 1).
    """
    image_f32 = _fit(image.astype(np.float32) / np.float32(255), record, size, face_type)
    fitted = _fit(mask, record, size, face_type).reshape(size, size, 1)
    # Always rounded, so that a face that is kept and one that is read again give the same sample.
    rounded = (np.clip(image_f32, 0, 1) * 255 + 0.5).astype(np.uint8)
    return LabelledFace(rounded, (fitted >= 0.5).astype(np.float32))


def _fit(image: FloatArray, record: FaceRecord, size: int, face_type: FaceType) -> FloatArray:
    matrix = to_face_type(record, size, face_type)
    if matrix is not None:
        # Lanczos here and below, as the original resamples for this training.
        return cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LANCZOS4)
    if image.shape[0] != size:
        return cv2.resize(image, (size, size), interpolation=cv2.INTER_LANCZOS4)
    return image


class XSegSamples:
    """Labelled faces of several facesets, and batches of them.

    origins: how many masks come from where, as ``label_origin`` says; empty in pretraining.

    Raises:
        InputError: no face has what ``labels`` asks for.
    """

    def __init__(self, facesets: Sequence[Faceset], settings: XSegSettings, labels: Labels = "auto"):
        self._settings = settings
        self._labels = labels
        records: list[FaceRecord] = []
        places: list[tuple[Faceset, int, str]] = []
        for faceset in facesets:
            for index, record in enumerate(faceset.records()):
                records.append(record)
                places.append((faceset, index, record.name))
        chosen = list(range(len(records))) if settings.pretrain else choose(records, labels)
        if not chosen:
            raise InputError(
                "no labelled faces",
                why=f"none of {len(records)} faces has what --labels {labels} asks for",
                hint="draw polygons (scripts/5.x_mask_labels_src.sh --suggest helps), apply a mask first, "
                "or --labels landmarks",
            )
        self._places = [places[i] for i in chosen]
        masked = [] if settings.pretrain else chosen
        self.origins = Counter(label_origin(records[i], labels) for i in masked)
        self._cache: Cache[LabelledFace] = Cache(settings.cache_bytes)

    def __len__(self) -> int:
        return len(self._places)

    def batch(self, iteration: int) -> XSegBatch:
        """Batch number ``iteration``; threads may make several at once.

        Raises:
            InputError: none of the faces can be read.
        """
        size = self._settings.batch_size
        skipped: list[str] = []
        pairs = [self.sample(iteration * size + slot, skipped) for slot in range(size)]
        images, targets = (np.stack(arrays) for arrays in zip(*pairs, strict=True))
        return XSegBatch(iteration, images, targets, tuple(skipped))

    def sample(self, position: int, skipped: list[str]) -> tuple[FloatArray, FloatArray]:
        """(image, target) number ``position`` of an endless sequence of shuffled epochs, as in ``XSegBatch``.

        skipped: those that cannot be read are added here, each in one line.
        """
        s = self._settings
        if s.plain:
            return self._readable(position % len(self), skipped)
        image, mask = self._readable(shuffled_index(len(self), (s.seed, _ORDER), position), skipped)
        random = np.random.RandomState(sample_seed(s.seed, _SAMPLE, position))
        if s.pretrain:
            return grey_sample(image, random)

        def other() -> tuple[FloatArray, FloatArray]:
            return self._readable(random.randint(len(self)), skipped)

        return augment(image, mask, random, other, occluders=s.occluders)

    def _readable(self, index: int, skipped: list[str]) -> tuple[FloatArray, FloatArray]:
        """The face at ``index``, or the next one that can be read."""
        face = first_readable(self._face, len(self), index, skipped, what="labelled faces")
        return (face.image / np.float32(255)).astype(np.float32), face.mask

    def _face(self, index: int) -> LabelledFace:
        return self._cache.get(index, self._load)

    def _load(self, index: int) -> LabelledFace:
        faceset, place, _ = self._places[index]
        record, data = faceset.read_face(place)
        return prepare(
            record,
            image=decode_image(data, record.name),
            mask=label_mask(record, self._labels),
            size=self._settings.resolution,
            face_type=self._settings.face_type,
        )
