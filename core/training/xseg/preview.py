"""The preview of the mask network: what it shall make, and what it makes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.data.xseg_samples import XSegBatch, XSegSamples
from core.formats.provenance import write_synthetic_image
from core.imaging.codec import to_uint8
from core.imaging.masks import over_green
from core.imaging.sheets import titled_sheet
from core.safe_paths import own_folder
from core.training.hooks.base import BaseHook
from core.training.xseg.model import XSegTrainer
from core.training.xseg.session import XSegSession

ROWS = 4
_TITLES = ("wanted", "mask as made", "as made")
Array = NDArray[np.float32]


class XSegPreview(BaseHook):
    """``preview/xseg.jpg``: training samples with their masks, then faces of both sides as they are.

    every: iterations between images, 0 for saves only. plain: the unmoved faces of each side.
    """

    def __init__(self, path: Path, every: int, plain: Sequence[XSegSamples]):
        self._path, self._every, self._plain = path, every, plain
        self._batch: XSegBatch | None = None

    def after_step(self, session: XSegSession, batch: XSegBatch) -> None:
        self._batch = batch
        if session.iteration == 1 or (self._every and session.iteration % self._every == 0):
            self._draw(session)

    def at_save(self, session: XSegSession) -> None:
        self._draw(session)

    def _draw(self, session: XSegSession) -> None:
        if self._batch is None:
            return
        own_folder(self._path.parent)
        write_synthetic_image(self._path, preview(session.trainer, self._batch, self._plain))


def preview(trainer: XSegTrainer, batch: XSegBatch, plain: Sequence[XSegSamples]) -> NDArray[np.uint8]:
    """Columns: image over green by the wanted mask, mask as made, image over green by it; uint8 BGR.

    At most four rows of the batch and of each of ``plain``.
    """
    groups = [(batch.image[:ROWS], batch.target[:ROWS]), *(_spread(samples) for samples in plain)]
    rows = []
    for images, wanted in groups:
        for image, target, made in zip(images, wanted, trainer.predict(images), strict=True):
            rows.append((over_green(image, target), np.repeat(made, 3, axis=2), over_green(image, made)))
    columns = [to_uint8(np.stack(faces)) for faces in zip(*rows, strict=True)]
    return titled_sheet(list(zip(_TITLES, columns, strict=True)))


def _spread(samples: XSegSamples) -> tuple[Array, Array]:
    """Images and masks of a few faces from all over a side."""
    step = max(1, len(samples) // ROWS)
    pairs = [samples.sample(number * step, []) for number in range(min(ROWS, len(samples)))]
    return np.stack([image for image, _ in pairs]), np.stack([mask for _, mask in pairs])
