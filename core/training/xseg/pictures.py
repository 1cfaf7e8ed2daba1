"""What a training run of the mask network shows: progress line and preview picture, as hooks."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.data.xseg_samples import XSegBatch, XSegSamples
from core.formats.provenance import write_synthetic_image
from core.progress import Task
from core.training.xseg.model import XSegTrainer
from core.training.xseg.session import XSegSession

_GREEN = np.array([0, 1, 0], np.float32)
_PREVIEW_ROWS = 4


class XSegProgress:
    """Iteration, time an iteration, share of it spent waiting for data, loss."""

    def __init__(self, session: XSegSession):
        self._task = Task("train XSeg", "it", total=session.target or None, done=session.iteration)
        self._task.begin()
        self._mean: list[float] | None = None

    def after_step(self, session: XSegSession, batch: XSegBatch) -> None:
        now = [session.spent, session.waited, session.history[-1][0]]
        self._mean = (
            now if self._mean is None else [0.95 * old + 0.05 * new for old, new in zip(self._mean, now, strict=True)]
        )
        spent, waited, loss = self._mean
        self._task.note = f"{spent * 1000:.0f} ms, data {waited / spent:.0%}, loss {loss:.4f}"
        self._task.update(session.iteration - self._task.done)

    def at_save(self, session: XSegSession) -> None:
        """Nothing to save."""

    def at_end(self, session: XSegSession) -> None:
        self._task.end()


class XSegPreview:
    """``preview/xseg.jpg``: training samples with their masks, then faces of both sides as they are."""

    def __init__(self, path: Path, every: int, plain: Sequence[XSegSamples]):
        self._path, self._every, self._plain = path, every, plain
        self._batch: XSegBatch | None = None

    def after_step(self, session: XSegSession, batch: XSegBatch) -> None:
        self._batch = batch
        if session.iteration == 1 or (self._every and session.iteration % self._every == 0):
            self._draw(session)

    def at_save(self, session: XSegSession) -> None:
        self._draw(session)

    def at_end(self, session: XSegSession) -> None:
        """Nothing to close."""

    def _draw(self, session: XSegSession) -> None:
        if self._batch is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_synthetic_image(self._path, preview(session.trainer, self._batch, self._plain))


def preview(trainer: XSegTrainer, batch: XSegBatch, plain: Sequence[XSegSamples]) -> NDArray[np.uint8]:
    """Rows of picture over green by the wanted mask, mask as made, picture over green by it; uint8 BGR."""
    rows = [(batch.image[:_PREVIEW_ROWS], batch.target[:_PREVIEW_ROWS])]
    for samples in plain:
        pairs = [
            samples.sample(i * max(1, len(samples) // _PREVIEW_ROWS), [])
            for i in range(min(_PREVIEW_ROWS, len(samples)))
        ]
        rows.append((np.stack([image for image, _ in pairs]), np.stack([mask for _, mask in pairs])))
    lines = []
    for images, wanted in rows:
        made = trainer.predict(images)
        for image, target, mask in zip(images, wanted, made, strict=True):
            lines.append(np.hstack([over_green(image, target), np.repeat(mask, 3, axis=2), over_green(image, mask)]))
    return (np.clip(np.vstack(lines), 0, 1) * 255 + 0.5).astype(np.uint8)


def over_green(image: NDArray[np.float32], mask: NDArray[np.float32]) -> NDArray[np.float32]:
    """The picture, half green where the mask leaves it out."""
    return (image * mask + (0.5 * image + 0.5 * _GREEN) * (1 - mask)).astype(np.float32)
