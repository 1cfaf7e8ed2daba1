"""Training batches: batch i is a pure function of (facesets, settings, i).

So there is nothing to save but the number of the iteration, and any worker makes the same batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.data.augment import MOTION_NUMBERS, Motion, Ranges, as_numbers, draw_motion, move, shift_hsv
from core.data.face_cache import FaceCache
from core.data.faces import FaceLoader, TrainingFace, as_floats, dtype_of
from core.data.reading import first_readable
from core.data.sampler import sample_seed, shuffled_index, yaw_bins, yaw_index
from core.faceset.store import Faceset
from core.geometry.align import FaceType
from core.geometry.head_pose import head_pose
from core.geometry.pose import pitch_yaw_roll
from core.imaging.codec import to_uint8
from core.imaging.color import transfer
from core.types import FaceRecord

Array = NDArray[Any]  # uint8 or float32
Bins = tuple[NDArray[np.int64], ...]
# The images and masks of a batch, and how many channels each has.
CHANNELS = {"warped": 3, "target": 3, "mask": 1, "eyes_mouth": 1}
# Random streams; the first two are also the places of the sides in a batch.
_SRC, _DST, _REFERENCE = 0, 1, 2


@dataclass(frozen=True)
class BatchSettings:
    """What batches are made of.

    src, dst: the facesets.
    resolution: side of the images, pixels.
    face_type: how much around the face they show.
    batch_size: samples of each side.
    seed: of all that is random.
    random_warp: whether the networks see warped faces.
    src_flip, dst_flip: whether four in ten faces of the side are mirrored.
    hsv_power: 0..0.3, how far hue, saturation and value of src faces are shifted.
    ct_mode: how src faces take over the colors of dst faces, as in ``core.imaging.color.transfer``.
    src_colors: a matrix (3, 4) for all src faces, as of ``color_match``, before other changes of color.
    exact: the original's warp with its defects, no polygons, and float32 instead of uint8 all the way.
    moved: False leaves it to the device to move the samples; not of exact training.
    cache_bytes: room for prepared faces of both sides, whatever the number of workers.
    src_bins, dst_bins: faces by yaw, when directions of view take turns; else None.
    scale: of the random motion, as in ``Ranges``.
    repeat_every: batches whose number it divides, but for 0, are the batch before again, unwarped; 0 for never.
    """

    src: Faceset
    dst: Faceset
    resolution: int
    face_type: FaceType
    batch_size: int
    seed: int = 0
    random_warp: bool = True
    src_flip: bool = False
    dst_flip: bool = True
    hsv_power: float = 0.0
    ct_mode: str = "none"
    src_colors: NDArray[np.float32] | None = field(default=None, repr=False)
    exact: bool = False
    moved: bool = True
    cache_bytes: int = 0
    src_bins: Bins | None = field(default=None, repr=False)
    dst_bins: Bins | None = field(default=None, repr=False)
    scale: float = 0.15
    repeat_every: int = 0


@dataclass(frozen=True)
class TrainingBatch:
    """One batch of both sides. Arrays are (2, B, R, R, C), BGR; index 0 is src, 1 is dst.

    They are uint8, 0..255, a quarter of the way to the device; of exact training float32, 0..1.

    iteration: its number.
    warped: what the networks see.
    target: what they shall make.
    mask: the face.
    eyes_mouth: what counts extra.
    motion: how the samples are still to be moved, float32 (2, B, MOTION_NUMBERS), as ``augment.as_numbers`` says it;
        None where they are moved.
    skipped: the faces that could not be read, one line each.
    inputs: what a training step takes of them, tensors by name, where that is on the device already.
    """

    iteration: int
    warped: Array
    target: Array
    mask: Array
    eyes_mouth: Array
    motion: Array | None = None
    skipped: tuple[str, ...] = ()
    inputs: Any = None

    def arrays(self) -> dict[str, Array]:
        """Its arrays by name; ``motion`` where there is one."""
        names = CHANNELS if self.motion is None else (*CHANNELS, "motion")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class _Side:
    number: int
    faces: FaceLoader
    bins: Bins | None
    flip: bool


class BatchMaker:
    """Makes any batch by its number. cache: where prepared faces are kept; one of its own by default."""

    def __init__(self, settings: BatchSettings, cache: FaceCache | None = None):
        self.settings = s = settings
        kept = (cache or cache_for(settings)).get
        src, dst = (
            FaceLoader(faceset, s.resolution, s.face_type, partial(kept, side), exact=s.exact)
            for side, faceset in ((_SRC, s.src), (_DST, s.dst))
        )
        # Two, for the original draws the motion and the warp from streams that begin alike. Kept, because making one
        # takes as long as drawing a mask.
        self._generators = np.random.RandomState(0), np.random.RandomState(0)
        self._sides = (_Side(_SRC, src, s.src_bins, s.src_flip), _Side(_DST, dst, s.dst_bins, s.dst_flip))

    def make(self, iteration: int, out: dict[str, Array] | None = None) -> TrainingBatch:
        """Batch number ``iteration``, written into ``out`` if given: arrays by name, as in ``TrainingBatch``.

        Raises:
            InputError: none of the faces of a side can be read.
        """
        out = empty_batch(self.settings) if out is None else out
        skipped: list[str] = []
        number, warped = self._content(iteration)
        for side in self._sides:
            for slot in range(self.settings.batch_size):
                sample = self._sample(side, number * self.settings.batch_size + slot, skipped, warped)
                for name, value in sample.items():
                    out[name][side.number, slot] = value
        return TrainingBatch(iteration, **out, skipped=tuple(skipped))

    def _content(self, iteration: int) -> tuple[int, bool]:
        """Which draw of samples batch ``iteration`` holds, and whether its inputs are warped."""
        every, warped = self.settings.repeat_every, self.settings.random_warp
        if not every:
            return iteration, warped
        # Each repetition makes the draws fall one behind the batches.
        return iteration - iteration // every, warped and (iteration % every != 0 or iteration == 0)

    def _sample(self, side: _Side, position: int, skipped: list[str], warped: bool) -> dict[str, Array]:
        s = self.settings
        face = self._face(side, position, skipped)
        seed = sample_seed(s.seed, side.number, position)
        transform, warp = self._generators
        transform.seed(seed)
        warp.seed(seed)
        motion = draw_motion(s.resolution, Ranges(scale=s.scale, flip=side.flip), transform, warp, exact=s.exact)
        image = seen = face.image
        if side.number == _SRC and (s.src_colors is not None or s.ct_mode != "none"):
            image = seen = self._recolored(as_floats(image), position, skipped)
        if side.number == _SRC and s.hsv_power:
            seen = shift_hsv(as_floats(image), s.hsv_power, transform)
        if s.moved:
            return assemble(face, image, seen, motion, warped=warped)
        return {
            "warped": _as_stored(seen, face),
            "target": _as_stored(image, face),
            "mask": face.mask,
            "eyes_mouth": face.eyes_mouth,
            "motion": as_numbers(motion, warped=warped),
        }

    def _recolored(self, image: Array, position: int, skipped: list[str]) -> Array:
        """The src image with the colors of dst, or of a random dst face; input and target share the one transfer."""
        s = self.settings
        if s.src_colors is not None:
            image = np.clip(cv2.transform(image, s.src_colors), 0, 1)
        if s.ct_mode == "none":
            return image
        faces = self._sides[_DST].faces
        first = shuffled_index(len(faces), (s.seed, _REFERENCE), position)
        reference = first_readable(faces.color_reference, len(faces), first, skipped)
        random = np.random.RandomState(sample_seed(s.seed, _REFERENCE, position))
        # Cubic interpolation may have left 0..1, where the color spaces end.
        return transfer(s.ct_mode, np.clip(image, 0, 1), reference, random)

    def _face(self, side: _Side, position: int, skipped: list[str]) -> TrainingFace:
        stream = (self.settings.seed, side.number)
        if side.bins is None:
            first = shuffled_index(len(side.faces), stream, position)
        else:
            first = yaw_index(side.bins, stream, position)
        return first_readable(side.faces.face, len(side.faces), first, skipped)


def assemble(face: TrainingFace, image: Array, seen: Array, motion: Motion, *, warped: bool) -> dict[str, Array]:
    """The arrays of a sample by name, (R, R, C) each, all moved by one motion; of the type that the face is stored as.

    image: what the networks shall make, (R, R, 3), float32, 0..1, or as it is stored.
    seen: what they get, the same but for its colors.
    """
    # Not as bytes: OpenCV interpolates those more slowly.
    image_f32 = as_floats(image)
    seen_f32 = image_f32 if seen is image else as_floats(seen)
    features = move(face.eyes_mouth, motion, warped=False, mask=True)
    target = move(image_f32, motion, warped=False, mask=False)
    shown = move(seen_f32, motion, warped=warped, mask=False) if warped or seen is not image else target
    return {
        "warped": _as_stored(shown, face),
        "target": _as_stored(target, face),
        "mask": move(face.mask, motion, warped=False, mask=True),
        "eyes_mouth": _full_range(features),
    }


def _as_stored(image: Array, face: TrainingFace) -> Array:
    if image.dtype == np.uint8:
        return image
    return to_uint8(image) if face.image.dtype == np.uint8 else np.clip(image, 0, 1)


def _full_range(features: Array) -> Array:
    """Interpolation lowers the peaks of so small features; the largest weight is made 1, or 255, again."""
    highest = float(features.max())
    if features.dtype == np.float32:
        return features / highest if highest > 0 else features
    return cv2.convertScaleAbs(features, alpha=255 / highest)[..., None] if highest > 0 else features


def cache_for(settings: BatchSettings) -> FaceCache:
    """An empty cache for the faces of both sides."""
    counts = len(settings.src), len(settings.dst)
    return FaceCache(counts, settings.resolution, exact=settings.exact, room=settings.cache_bytes)


def batch_arrays(settings: BatchSettings) -> dict[str, tuple[tuple[int, ...], type]]:
    """What arrays a batch has: name -> (shape, type)."""
    samples = (2, settings.batch_size)
    plane, dtype = (settings.resolution, settings.resolution), dtype_of(settings.exact)
    arrays: dict[str, tuple[tuple[int, ...], type]] = {
        name: ((*samples, *plane, channels), dtype) for name, channels in CHANNELS.items()
    }
    if not settings.moved:
        arrays["motion"] = ((*samples, MOTION_NUMBERS), np.float32)
    return arrays


def empty_batch(settings: BatchSettings) -> dict[str, Array]:
    """Zeroed arrays of the right shapes and types."""
    return {name: np.zeros(shape, dtype) for name, (shape, dtype) in batch_arrays(settings).items()}


def bins_by_yaw(records: Sequence[FaceRecord], *, exact: bool) -> Bins:
    """Indices of faces grouped by direction of view, for ``BatchSettings.src_bins``.

    exact: by the formula of the format, in which profiles share few directions; else by the true turn of the head.
    """
    if exact:
        return yaw_bins(np.array([pitch_yaw_roll(record.landmarks, record.shape[1])[1] for record in records]))
    return yaw_bins(np.array([head_pose(record.landmarks)[1] for record in records]))
