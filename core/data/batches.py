"""Training batches: batch i is a pure function of (facesets, settings, i). Nothing to save, and any worker makes the same one."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.data.augment import Motion, Ranges, draw_motion, move, shift_hsv
from core.data.faces import FaceLoader, TrainingFace
from core.data.sampler import sample_seed, shuffled_index, yaw_bins, yaw_index
from core.errors import InputError, PipelineError
from core.faceset.store import Faceset
from core.geometry.align import FaceType
from core.geometry.pose import pitch_yaw_roll
from core.imaging.color import transfer
from core.types import FaceRecord

Array = NDArray[np.float32]
CHANNELS = {"warped": 3, "target": 3, "mask": 1, "eyes_mouth": 1}
_SRC, _DST, _REFERENCE = 0, 1, 2
_ATTEMPTS = 50


@dataclass(frozen=True)
class BatchSettings:
    """What batches are made of. src, dst: the facesets; resolution: pixels; batch_size: samples of each side; hsv_power
    0..0.3; exact: the original's warp with its defects, and no polygons; cache_bytes: room for prepared faces in each process; src_bins, dst_bins:
    faces by yaw when directions take turns, else None; scale: of the random motion, as in ``Ranges``; repeat_every: batches whose number this
    divides, but for 0, are the batch before again, unwarped; 0 for never."""

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
    exact: bool = False
    cache_bytes: int = 0
    src_bins: tuple[NDArray[np.int64], ...] | None = field(default=None, repr=False)
    dst_bins: tuple[NDArray[np.int64], ...] | None = field(default=None, repr=False)
    scale: float = 0.15
    repeat_every: int = 0


@dataclass(frozen=True)
class TrainingBatch:
    """One batch of both sides: float32, (2, B, R, R, C), index 0 src and 1 dst, BGR, 0..1. warped: what the networks see; target: what
    they shall make; mask: the face; eyes_mouth: what counts extra. skipped: names of faces that could not be read."""

    iteration: int
    warped: Array
    target: Array
    mask: Array
    eyes_mouth: Array
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Side:
    number: int
    faces: FaceLoader
    bins: tuple[NDArray[np.int64], ...] | None
    flip: bool


class BatchMaker:
    """Makes any batch by its number."""

    def __init__(self, settings: BatchSettings):
        self.settings = s = settings
        src, dst = (
            FaceLoader(faceset, s.resolution, s.face_type, s.cache_bytes // 2, polygons=not s.exact)
            for faceset in (s.src, s.dst)
        )
        self._sides = (_Side(_SRC, src, s.src_bins, s.src_flip), _Side(_DST, dst, s.dst_bins, s.dst_flip))

    def make(self, iteration: int, out: dict[str, Array] | None = None) -> TrainingBatch:
        """Batch number ``iteration``, written into ``out`` (arrays as in TrainingBatch) if given."""
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
        return iteration - iteration // every, warped and (iteration % every != 0 or iteration == 0)

    def _sample(self, side: _Side, position: int, skipped: list[str], warped: bool) -> dict[str, Array]:
        s = self.settings
        face = self._face(side, position, skipped)
        seed = sample_seed(s.seed, side.number, position)
        transform, warp = np.random.RandomState(seed), np.random.RandomState(seed)
        motion = draw_motion(s.resolution, Ranges(scale=s.scale, flip=side.flip), transform, warp, exact=s.exact)
        image = self._coloured(face.image_f32, position, skipped) if side.number == _SRC else face.image_f32
        seen = image
        if side.number == _SRC and s.hsv_power:
            seen = shift_hsv(image, s.hsv_power, transform)
        return assemble(face, image, seen, motion, warped=warped)

    def _coloured(self, image: Array, position: int, skipped: list[str]) -> Array:
        """The src picture with the colours of a random dst face; input and target share the one transfer."""
        s = self.settings
        if s.ct_mode == "none":
            return image
        faces = self._sides[_DST].faces
        first = shuffled_index(len(faces), (s.seed, _REFERENCE), position)
        reference = _first_readable(faces.colours, len(faces), first, skipped)
        return transfer(
            s.ct_mode, np.clip(image, 0, 1), reference, np.random.RandomState(sample_seed(s.seed, _REFERENCE, position))
        )

    def _face(self, side: _Side, position: int, skipped: list[str]) -> TrainingFace:
        stream = (self.settings.seed, side.number)
        if side.bins is None:
            first = shuffled_index(len(side.faces), stream, position)
        else:
            first = yaw_index(side.bins, stream, position)
        return _first_readable(side.faces.face, len(side.faces), first, skipped)


def assemble(face: TrainingFace, image: Array, seen: Array, motion: Motion, *, warped: bool) -> dict[str, Array]:
    """The four arrays of a sample; ``seen`` is the picture the networks get, ``image`` the one they shall make. All share one motion."""
    features = move(face.eyes_mouth, motion, warped=False, mask=True)
    highest = float(features.max())
    return {
        "warped": np.clip(move(seen, motion, warped=warped, mask=False), 0, 1),
        "target": np.clip(move(image, motion, warped=False, mask=False), 0, 1),
        "mask": move(face.mask, motion, warped=False, mask=True),
        "eyes_mouth": features / highest if highest > 0 else features,
    }


def empty_batch(settings: BatchSettings) -> dict[str, Array]:
    """Zeroed arrays of the right shapes."""
    side = (2, settings.batch_size, settings.resolution, settings.resolution)
    return {name: np.zeros((*side, channels), np.float32) for name, channels in CHANNELS.items()}


def bins_by_yaw(records: Sequence[FaceRecord]) -> tuple[NDArray[np.int64], ...]:
    """Faces grouped by direction of view, for ``BatchSettings.src_bins``."""
    return yaw_bins(np.array([pitch_yaw_roll(record.landmarks, record.shape[1])[1] for record in records]))


def _first_readable(read, count: int, first: int, skipped: list[str]):
    """``read(first)``, or the next face that can be read; the unreadable are named in ``skipped``."""
    for attempt in range(min(count, _ATTEMPTS)):
        try:
            return read((first + attempt) % count)
        except PipelineError as error:
            skipped.append(str(error).replace("\n", " "))
    raise InputError(
        "none of the faces can be read",
        why=skipped[-1],
        hint="extract the faces again, or take the faceset from a backup",
    )
