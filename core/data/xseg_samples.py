"""Training samples for the mask network. Batch i is a pure function of (facesets, settings, i), so a resumed run needs only its iteration."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from core.data import filters
from core.data.augment import Ranges, draw_motion, move
from core.data.occluders import occlude
from core.data.sampler import sample_seed, shuffled_index
from core.errors import InputError, PipelineError
from core.faceset.store import Faceset
from core.formats import dfl_image
from core.geometry.align import FaceType, face_matrix
from core.imaging.codec import decode_image
from core.imaging.landmark_masks import whole_face_mask
from core.imaging.masks import decode_mask, polygon_mask
from core.types import FaceRecord

Array = NDArray[np.float32]
Random = np.random.RandomState
Labels = Literal["auto", "polygons", "masks", "both", "landmarks"]
_ORDER, _SAMPLE = 10, 11
_ATTEMPTS = 50
_MOTION = Ranges(rotation=10, scale=0.05, shift=0.05, flip=True)
_BACKGROUND = Ranges(rotation=180, scale=0.10, shift=0.10, flip=True)
_GREY = np.array([0.114, 0.587, 0.299], np.float32)


@dataclass(frozen=True)
class XSegSettings:
    """resolution: pixels; occluders: how often something is drawn in front of the face (0..1); plain: no changes at all, to look at;
    pretrain: the network shall make a grey picture instead of a mask; cache_bytes: room for prepared faces."""

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
    """image: float32 (B, R, R, 3) BGR, 0..1; target: (B, R, R, 1), the two-level mask, or a grey picture in pretraining; skipped: names
    of faces that could not be read."""

    iteration: int
    image: Array
    target: Array
    skipped: tuple[str, ...] = ()


def has_polygons(record: FaceRecord) -> bool:
    return any(len(polygon.points) for polygon in record.polygons)


def choose(records: Sequence[FaceRecord], labels: Labels) -> list[int]:
    """The faces to learn from. auto: those with polygons, and if there are none those with a stored mask, as in the DeepFaceLab format;
    both: either; landmarks: all, their masks drawn from landmarks where they have no other.
    """
    drawn = [i for i, record in enumerate(records) if has_polygons(record)]
    stored = [i for i, record in enumerate(records) if record.xseg_mask is not None]
    everything = list(range(len(records)))
    return {
        "auto": drawn or stored,
        "polygons": drawn,
        "masks": stored,
        "both": sorted({*drawn, *stored}),
        "landmarks": everything,
    }[labels]


def label_origin(record: FaceRecord, labels: Labels = "auto") -> str:
    """Where ``label_mask`` takes the mask from: "polygons", "xseg" for a stored mask, "landmarks"."""
    if has_polygons(record) and labels != "masks":
        return "polygons"
    return "xseg" if record.xseg_mask is not None else "landmarks"


def label_mask(record: FaceRecord, labels: Labels = "auto") -> Array:
    """The two-level mask of a labelled face at the size of its image, (H, W, 1): polygons before the stored mask before landmarks."""
    origin = label_origin(record, labels)
    if origin == "polygons":
        return polygon_mask(record.shape, record.polygons)
    if origin == "xseg":
        mask = decode_mask(record.xseg_mask or b"", record.name)[..., 0]
        return (cv2.resize(mask, record.shape[::-1], interpolation=cv2.INTER_LINEAR) >= 0.5).astype(np.float32)[
            ..., None
        ]
    return (whole_face_mask(record.shape, record.landmarks) >= 0.5).astype(np.float32)


def prepare(
    record: FaceRecord, image: NDArray[np.uint8], mask: Array, size: int, face_type: FaceType
) -> tuple[Array, Array]:
    """Image and two-level mask at ``size`` pixels, cut as ``face_type``; black outside the stored picture."""
    picture, height = image.astype(np.float32) / 255, image.shape[0]
    if FaceType.parse(record.face_type) != face_type:
        matrix = face_matrix(record.landmarks, size, face_type)
        cut = partial(cv2.warpAffine, M=matrix, dsize=(size, size), flags=cv2.INTER_LANCZOS4)
        picture, mask = cut(picture), cut(mask)
    elif height != size:
        shrink = partial(cv2.resize, dsize=(size, size), interpolation=cv2.INTER_LANCZOS4)
        picture, mask = shrink(picture), shrink(mask)
    return np.clip(picture, 0, 1).astype(np.float32), (mask.reshape(size, size, 1) >= 0.5).astype(np.float32)


class XSegSamples:
    """Labelled faces of several facesets; origins: how many masks come from where (``label_origin``). Raises InputError when there are none."""

    def __init__(self, facesets: Sequence[Faceset], settings: XSegSettings, labels: Labels = "auto"):
        self._settings, self._labels = settings, labels
        self._facesets = list(facesets)
        records = [record for faceset in self._facesets for record in faceset.records()]
        places = [(faceset, i) for faceset in self._facesets for i in range(len(faceset))]
        chosen = list(range(len(records))) if settings.pretrain else choose(records, labels)
        if not chosen:
            raise InputError(
                "no labelled faces",
                why=f"none of {len(records)} faces has what --labels {labels} asks for",
                hint="draw polygons (python -m core mask-labels SIDE --suggest helps), apply a mask first, or --labels landmarks",
            )
        self._places = [places[i] for i in chosen]
        self._names = [records[i].name for i in chosen]
        self.origins = Counter(() if settings.pretrain else (label_origin(records[i], labels) for i in chosen))
        self._kept: dict[int, tuple[NDArray[np.uint8], Array]] = {}
        self._room = settings.cache_bytes

    def __len__(self) -> int:
        return len(self._places)

    def batch(self, iteration: int) -> XSegBatch:
        """Batch number ``iteration``; threads may make several at once."""
        size = self._settings.batch_size
        skipped: list[str] = []
        pairs = [self.sample(iteration * size + slot, skipped) for slot in range(size)]
        return XSegBatch(iteration, np.stack([a for a, _ in pairs]), np.stack([b for _, b in pairs]), tuple(skipped))

    def sample(self, position: int, skipped: list[str]) -> tuple[Array, Array]:
        """(image, target) number ``position`` of an endless sequence of shuffled epochs."""
        s = self._settings
        if s.plain:
            return self._readable(position % len(self), skipped)
        image, mask = self._readable(shuffled_index(len(self), (s.seed, _ORDER), position), skipped)
        random = np.random.RandomState(sample_seed(s.seed, _SAMPLE, position))
        if s.pretrain:
            return _grey_sample(image, random)
        return augment(image, mask, random, lambda: self._readable(random.randint(len(self)), skipped), s.occluders)

    def _readable(self, index: int, skipped: list[str]) -> tuple[Array, Array]:
        """The face at ``index``, or the next one that can be read."""
        for attempt in range(min(len(self), _ATTEMPTS)):
            try:
                return self._face((index + attempt) % len(self))
            except PipelineError as error:
                skipped.append(str(error).replace("\n", " "))
        raise InputError(
            "none of the labelled faces can be read",
            why=skipped[-1],
            hint="extract the faces again, or take the faceset from a backup",
        )

    def _face(self, index: int) -> tuple[Array, Array]:
        if index not in self._kept:
            image, mask = self._load(*self._places[index], self._names[index])
            pair = (image * 255 + 0.5).astype(np.uint8), mask
            if pair[0].nbytes + mask.nbytes > self._room:
                return image, mask
            self._room -= pair[0].nbytes + mask.nbytes
            self._kept[index] = pair
        image8, mask = self._kept[index]
        return (image8 / np.float32(255)).astype(np.float32), mask

    def _load(self, source: Faceset, index: int, name: str) -> tuple[Array, Array]:
        data, s = source.read(index), self._settings
        record = dfl_image.parse(data, name, where=source.folder / name)
        return prepare(
            record, decode_image(data, record.name), label_mask(record, self._labels), s.resolution, s.face_type
        )


def _grey_sample(image: Array, random: Random) -> tuple[Array, Array]:
    motion = draw_motion(image.shape[0], _MOTION, random, random)
    warped: Array = np.clip(move(image, motion, warped=True, mask=False), 0, 1).astype(np.float32)
    return warped, (warped @ _GREY[:, None]).astype(np.float32)


def augment(image: Array, mask: Array, random: Random, other, occluders: float = 0.0) -> tuple[Array, Array]:
    """A sample made hard, in the order of the DeepFaceLab format; occluders, which are ours, come first.

    other: gives another (image, mask), for backgrounds and textures. Returns float32 image 0..1 and a two-level mask.
    """
    if occluders and random.rand() < occluders:
        for _ in range(1 + random.randint(2)):
            image, mask = occlude(image, mask, random, other()[0])
    if random.randint(2) == 0:
        image = _with_background(image, mask, random, *other())
    motion = draw_motion(image.shape[0], _MOTION, random, random)
    image = np.clip(move(image, motion, warped=True, mask=False), 0, 1)
    mask = (move(mask, motion, warped=True, mask=True) >= 0.5).astype(np.float32)
    return _changed_look(image, mask, random), mask


def _with_background(image: Array, mask: Array, random: Random, other: Array, other_mask: Array) -> Array:
    """Another picture, turned any way and without its face, shines through around the face."""
    motion = draw_motion(image.shape[0], _BACKGROUND, random, random)
    other_mask = move(other_mask, motion, warped=False, mask=True)
    other = np.clip(move(other, motion, warped=False, mask=False), 0, 1) * (1 - other_mask)
    other = (filters.hsv_shift if random.randint(2) == 0 else filters.levels)(other, random)
    keep = 1 - (1 - other_mask) * (1 - mask)
    share = 0.15 + 0.85 * random.rand()
    return (image * keep + image * (1 - keep) * share + other * (1 - keep) * (1 - share)).astype(np.float32)


def _changed_look(image: Array, mask: Array, random: Random) -> Array:
    if random.randint(2) == 0:
        image = filters.flare(image, mask, random)
    if random.randint(2) == 0:
        image = filters.flare(image, 1 - mask, random)
    image = np.clip(image, 0, 1)
    image = filters.in_circle(image, filters.hsv_shift if random.randint(2) == 0 else filters.levels, random)
    if random.randint(2) == 0:
        image = filters.in_circle(image, filters.sharpen, random)
    else:
        image = filters.in_circle(filters.in_circle(image, filters.motion_blur, random), filters.gaussian_blur, random)
    image = filters.in_circle(image, filters.coarsen_nearest if random.randint(2) == 0 else filters.coarsen, random)
    image = filters.in_circle(np.clip(image, 0, 1), filters.jpeg, random)
    return np.clip(image, 0, 1).astype(np.float32)
