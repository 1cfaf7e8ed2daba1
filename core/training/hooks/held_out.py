"""Faces that are never trained on, and how well the networks make them: what a model has learnt, as against what it knows by heart."""

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from core.data.batches import CHANNELS, BatchSettings, TrainingBatch
from core.data.faces import FaceLoader
from core.errors import InputError, PipelineError, UsageError
from core.faceset.store import Faceset
from core.training.forward import Views
from core.training.hardware import devices
from core.training.hooks.hooks import BaseHook
from core.training.inputs import training_inputs
from core.training.objective.terms import Autoencoder, prepared, reconstruction
from core.training.session import Session
from core.training.trainer import Trainer
from core.types import FaceRecord

log = logging.getLogger(__name__)
MOST = 32
_CACHE = 256 * 2**20
_LARGEST_SHARE = 3


@dataclass(frozen=True)
class Division:
    """A faceset in two: what is trained on, and the held-out faces in the order of their hash."""

    trained: Faceset
    held: Faceset


def divided(faces: Faceset, count: int, side: str) -> Division:
    """Hold ``count`` faces back: those with the lowest hashes, so that faces which come later hardly change which. Raises UsageError when that is
    more than a third."""
    if count * _LARGEST_SHARE > len(faces):
        raise UsageError(
            "too many held-out faces",
            where=f"--held-out {count}",
            why=f"{side} has {len(faces)} faces",
            hint=f"at most a third of a side, here {len(faces) // _LARGEST_SHARE}; 0 for none",
        )
    if not count:
        return Division(faces, faces.subset([]))
    records = faces.records()
    order = sorted(range(len(records)), key=lambda index: _hash(records[index]))
    return Division(faces.subset(sorted(order[count:])), faces.subset(order[:count]))


def _hash(record: FaceRecord) -> bytes:
    """Of the file that the face was cut from, which sorting does not rename, and of its own name where that is not known."""
    name = record.source_filename or record.name
    return hashlib.sha256(
        f"{record.person or ''}/{name}".encode("utf-8", "surrogatepass")
    ).digest() + record.name.encode("utf-8", "surrogatepass")


class Examiner(keras.Model):
    """The reconstruction loss of every face, (2B,): nothing learns from it, nothing is drawn at random."""

    def __init__(self, autoencoder: Autoencoder):
        super().__init__(name="examiner")
        self.autoencoder = autoencoder

    def call(self, inputs: Any, training: bool = False) -> Any:
        views, terms = Views(**self.autoencoder(inputs, training=False)), self.autoencoder.terms
        return ops.cast(reconstruction(prepared(inputs, terms), views, terms), "float32")


class HeldOut(BaseHook):
    """Examines the held-out faces every so many iterations and at saves. ``session.held`` gets [iteration, src, dst]."""

    def __init__(self, every: int):
        self._every = every
        self._faces: BatchSettings | None = None
        self._loaders: list[FaceLoader] = []
        self._examiners: WeakKeyDictionary[Trainer, Examiner] = WeakKeyDictionary()

    def after_step(self, session: Session, batch: TrainingBatch) -> None:
        if session.iteration % self._every == 0:
            self.examine(session)

    def at_save(self, session: Session) -> None:
        self.examine(session)

    def examine(self, session: Session) -> None:
        """Append the losses of this iteration, unless they are known or no faces are held out."""
        if session.held_faces is None or (session.held and session.held[-1][0] == session.iteration):
            return
        if self._faces is not session.held_faces:
            self._faces = session.held_faces
            self._loaders = [_loader(faces, self._faces) for faces in (self._faces.src, self._faces.dst)]
        losses = [_mean(rows) for rows in zip(*self._losses(session), strict=True)]
        session.held.append([session.iteration, *(round(loss, 6) for loss in losses)])

    def _losses(self, session: Session) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """(src, dst) losses of one batch after the other."""
        size = session.recipe.batch_size
        faces = [_readable(loader, session) for loader in self._loaders]
        for start in range(0, max(map(len, faces)), size):
            made = self._examined(session.trainer, [side[start : start + size] for side in faces], size)
            yield tuple(losses[: len(side[start : start + size])] for losses, side in zip(made, faces, strict=True))  # type: ignore[misc]

    def _examined(self, trainer: Trainer, sides: list[list[dict[str, NDArray]]], size: int) -> NDArray[np.float32]:
        """(2, size): the losses; rows that no face fills are of black pictures."""
        resolution = trainer.recipe.resolution
        arrays = {
            name: np.zeros((2, size, resolution, resolution, channels), np.float32)
            for name, channels in CHANNELS.items()
        }
        for number, side in enumerate(sides):
            for row, face in enumerate(side):
                for name, value in face.items():
                    arrays[name][number, row] = value
        batch = TrainingBatch(0, arrays["warped"], arrays["target"], arrays["mask"], arrays["eyes_mouth"])
        inputs = training_inputs(batch, trainer.recipe, trainer.settings.seed)
        with devices.scope(trainer.devices):
            return np.asarray(self._examiner(trainer).predict_on_batch(inputs)).reshape(2, size)

    def _examiner(self, trainer: Trainer) -> Examiner:
        if trainer not in self._examiners:
            self._examiners[trainer] = Examiner(trainer.model)
            self._examiners[trainer].compile(jit_compile=trainer.model.jit_compile)
        return self._examiners[trainer]


def _mean(rows: tuple[NDArray[np.float32], ...]) -> float:
    return float(np.concatenate(rows).astype(np.float64).mean())


def _loader(faces: Faceset, settings: BatchSettings) -> FaceLoader:
    return FaceLoader(
        faces.subset(range(min(MOST, len(faces)))),
        settings.resolution,
        settings.face_type,
        _CACHE // 2,
        polygons=not settings.exact,
    )


def _readable(loader: FaceLoader, session: Session) -> list[dict[str, NDArray]]:
    """The faces as a batch has them, unmoved; those that cannot be read are named in the report."""
    found = []
    for index in range(len(loader)):
        try:
            face = loader.face(index)
        except PipelineError as error:
            name = str(error).replace("\n", " ")
            if name not in session.skipped:
                session.skipped.append(name)
                log.warning("skipped: %s", name)
            continue
        image, highest = np.clip(face.image_f32, 0, 1), float(face.eyes_mouth.max())
        found.append(
            {
                "warped": image,
                "target": image,
                "mask": face.mask,
                "eyes_mouth": face.eyes_mouth / highest if highest > 0 else face.eyes_mouth,
            }
        )
    if not found:
        raise InputError(
            "none of the held-out faces can be read",
            why=session.skipped[-1],
            hint="extract the faces again, or use --held-out 0",
        )
    return found
