"""The losses of faces that are never trained on: what a model has learnt, as against what it knows by heart."""

import logging
from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary

import keras
import numpy as np
from numpy.typing import NDArray

from core.data.batches import CHANNELS, BatchSettings, TrainingBatch
from core.data.faces import FaceLoader, TrainingFace, as_floats
from core.data.reading import Cache
from core.errors import InputError, PipelineError
from core.faceset.store import Faceset
from core.training.hardware import devices
from core.training.hooks.base import BaseHook
from core.training.inputs import training_inputs
from core.training.objective.autoencoder import Autoencoder
from core.training.session import Session
from core.training.trainer import Trainer

log = logging.getLogger(__name__)
# More faces of a side would make every validation slower and the mean hardly more certain.
MOST = 32
_CACHE_BYTES = 256 * 2**20
FaceArrays = dict[str, NDArray[np.float32]]


class ReconstructionLoss(keras.Model):
    """The reconstruction loss of every face, (2B,): nothing learns from it, nothing is drawn at random."""

    def __init__(self, autoencoder: Autoencoder):
        super().__init__(name="reconstruction_loss")
        self.autoencoder = autoencoder

    def call(self, inputs: Any, training: bool = False) -> Any:
        return self.autoencoder.reconstruction_loss(inputs)


class Validation(BaseHook):
    """Adds to ``session.validation_losses`` every so many iterations and at saves."""

    def __init__(self, every: int):
        self.every = every
        self._faces: BatchSettings | None = None
        self._loaders: list[FaceLoader] = []
        # By trainer, for a schedule builds a new one at a boundary; weak, so that the old one's memory is free again.
        self._losses_of: WeakKeyDictionary[Trainer, ReconstructionLoss] = WeakKeyDictionary()

    def after_step(self, session: Session, batch: TrainingBatch) -> None:
        if session.iteration % self.every == 0:
            self.validate(session)

    def at_save(self, session: Session) -> None:
        self.validate(session)

    def validate(self, session: Session) -> None:
        """Append the losses of this iteration, unless they are known or no faces are kept from training."""
        known = session.validation_losses and session.validation_losses[-1][0] == session.iteration
        if session.validation_faces is None or known:
            return
        # A schedule that passes a boundary opens the model again, with batch settings of its own.
        if self._faces is not session.validation_faces:
            self._faces = session.validation_faces
            self._loaders = [_loader(faces, self._faces) for faces in (self._faces.src, self._faces.dst)]
        losses = [_mean(batches) for batches in zip(*self._batches(session), strict=True)]
        session.validation_losses.append([session.iteration, *(round(loss, 6) for loss in losses)])

    def _batches(self, session: Session) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """(src, dst) losses of one batch after the other; a side that has no more faces gives an empty array."""
        size = session.recipe.batch_size
        src, dst = (_readable(loader, session) for loader in self._loaders)
        for start in range(0, max(len(src), len(dst)), size):
            some_src, some_dst = src[start : start + size], dst[start : start + size]
            losses = self._losses(session.trainer, [some_src, some_dst], size)
            yield losses[0, : len(some_src)], losses[1, : len(some_dst)]

    def _losses(self, trainer: Trainer, sides: list[list[FaceArrays]], size: int) -> NDArray[np.float32]:
        """(2, size): the losses; rows that no face fills are of black images."""
        recipe = trainer.recipe
        # Always whole batches: every other shape would have to be traced and compiled for itself.
        shape = (2, size, recipe.resolution, recipe.resolution)
        arrays = {name: np.zeros((*shape, channels), np.float32) for name, channels in CHANNELS.items()}
        for number, side in enumerate(sides):
            for row, face in enumerate(side):
                for name, value in face.items():
                    arrays[name][number, row] = value
        batch = TrainingBatch(0, arrays["warped"], arrays["target"], arrays["mask"], arrays["eyes_mouth"])
        inputs = training_inputs(batch, recipe, trainer.settings.seed)
        with devices.scope(trainer.devices):
            return np.asarray(self._model(trainer).predict_on_batch(inputs)).reshape(2, size)

    def _model(self, trainer: Trainer) -> ReconstructionLoss:
        if trainer not in self._losses_of:
            self._losses_of[trainer] = ReconstructionLoss(trainer.model)
            self._losses_of[trainer].compile(jit_compile=trainer.model.jit_compile)
        return self._losses_of[trainer]


def _mean(batches: tuple[NDArray[np.float32], ...]) -> float:
    return float(np.concatenate(batches).astype(np.float64).mean())


def _loader(faces: Faceset, settings: BatchSettings) -> FaceLoader:
    some = faces.subset(range(min(MOST, len(faces))))
    kept: Cache[TrainingFace] = Cache(_CACHE_BYTES // 2)  # half for each side
    return FaceLoader(some, settings.resolution, settings.face_type, kept.get, exact=settings.exact)


def _readable(loader: FaceLoader, session: Session) -> list[FaceArrays]:
    """The faces as a batch has them, unmoved; those that cannot be read are named in the report."""
    found = []
    for index in range(len(loader)):
        try:
            found.append(_arrays(loader.face(index)))
        except PipelineError as error:
            name = str(error).replace("\n", " ")
            if name not in session.skipped:
                session.skipped.append(name)
                log.warning("skipped: %s", name)
    if not found:
        raise InputError(
            "none of the held-out faces can be read",
            why=session.skipped[-1],
            hint="extract the faces again, or use --held-out 0",
        )
    return found


def _arrays(face: TrainingFace) -> FaceArrays:
    """One row of a batch without warp: the input is the target, and the largest weight of eyes and mouth is 1."""
    image, features = np.clip(as_floats(face.image), 0, 1), as_floats(face.eyes_mouth)
    highest = float(features.max())
    eyes_mouth = features / highest if highest > 0 else features
    return {"warped": image, "target": image, "mask": as_floats(face.mask), "eyes_mouth": eyes_mouth}
