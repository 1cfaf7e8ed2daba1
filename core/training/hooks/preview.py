"""The preview: training faces as they are, as the networks make them, and swapped."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core import fsio
from core.data.batches import TrainingBatch
from core.formats.provenance import label_jpeg
from core.imaging.codec import encode_jpeg, to_uint8
from core.safe_paths import own_folder
from core.training.hooks.base import BaseHook
from core.training.kinds import KINDS
from core.training.session import Session

ROWS = 4
_QUALITY = 92
# A preview that is higher than this many pixels has fewer rows.
_HIGHEST = 800


class Preview(BaseHook):
    """``preview/latest.jpg``, every so many iterations, at the first and at every save; and the history of it.

    every: iterations between images, 0 for saves only. history: keep every one under its iteration.
    """

    def __init__(self, folder: Path, every: int, history: bool):
        self._folder, self._every, self._history = folder, every, history
        self._drawn = -1

    def after_step(self, session: Session, batch: TrainingBatch) -> None:
        if session.iteration <= self._drawn:  # rolled back
            self._drawn = -1
        # The same faces in every preview, so that one sees progress; they are saved with the model.
        if session.sample is None:
            session.sample = sample_of(batch, KINDS[session.recipe.kind].sample_arrays)
        if session.iteration == 1 or (self._every and session.iteration % self._every == 0):
            self._draw(session)

    def at_save(self, session: Session) -> None:
        self._draw(session)

    def _draw(self, session: Session) -> None:
        if session.sample is None or self._drawn == session.iteration:
            return
        self._drawn = session.iteration
        jpeg = label_jpeg(encode_jpeg(grid(session), _QUALITY))
        history = own_folder(self._folder, "history", session.folder.prefix)
        fsio.write_bytes(self._folder / "latest.jpg", jpeg, durable=False)
        if self._history:
            fsio.write_bytes(history / f"{session.iteration:07d}.jpg", jpeg, durable=False)


def sample_of(batch: TrainingBatch, arrays: int = 4) -> list[list[NDArray[np.float32]]]:
    """The faces of a batch that the previews show from now on.

    Returns [src, dst], each the first ``arrays`` of [warped, target, mask, eyes_mouth], float32 (n, R, R, C), n <= 4.
    """
    kept = (batch.warped, batch.target, batch.mask, batch.eyes_mouth)[:arrays]
    # Copies: the arrays of a batch are views of memory that workers soon fill again.
    return [[array[side, :ROWS].copy() for array in kept] for side in (0, 1)]


def grid(session: Session) -> NDArray[np.uint8]:
    """A row a sample: src, src as made, dst, dst as made, and the swap, for AMP in steps from dst to src.

    The inputs are unwarped. Returns uint8 (rows * R, columns * R, 3) BGR.
    """
    src, dst = session.sample[0][1], session.sample[1][1]  # type: ignore[index]
    rows = min(ROWS, len(src), max(1, _HIGHEST // session.recipe.resolution))
    src, dst = src[:rows], dst[:rows]
    views = session.trainer.views(src, dst)
    # A morph of 1 is the whole swap, which views holds already.
    morphs = [morph for morph in KINDS[session.recipe.kind].morphs if morph < 1]
    between = [session.trainer.views(src, dst, morph)["sd"] for morph in morphs]
    columns = [np.concatenate(list(images)) for images in (src, views["ss"], dst, views["dd"], *between, views["sd"])]
    return to_uint8(np.concatenate(columns, axis=1))
