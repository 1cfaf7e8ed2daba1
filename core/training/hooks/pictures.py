"""Pictures of a training run: the preview grid and the loss plot, as hooks."""

import logging
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core import fsio
from core.data.batches import TrainingBatch
from core.formats.provenance import label_jpeg
from core.imaging.codec import encode_jpeg, encode_png
from core.training.hooks.hooks import BaseHook
from core.training.kinds import KINDS
from core.training.session import Session

log = logging.getLogger(__name__)
ROWS = 4
_WIDTH, _HEIGHT = 900, 420


class Preview(BaseHook):
    """``preview/latest.jpg``, every so many iterations, at the first and at every save; and the history of it."""

    def __init__(self, folder: Path, every: int, history: bool):
        self._folder, self._every, self._history = folder, every, history
        self._drawn = -1

    def after_step(self, session: Session, batch: TrainingBatch) -> None:
        if session.iteration <= self._drawn:  # rolled back
            self._drawn = -1
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
        picture = label_jpeg(encode_jpeg(grid(session), 92))
        history = self._folder / "history" / session.folder.prefix
        history.mkdir(parents=True, exist_ok=True)
        fsio.write_bytes(self._folder / "latest.jpg", picture, durable=False)
        if self._history:
            fsio.write_bytes(history / f"{session.iteration:07d}.jpg", picture, durable=False)


class LossPlot(BaseHook):
    """``loss.png`` at every save."""

    def __init__(self, path: Path):
        self._path = path

    def at_save(self, session: Session) -> None:
        if len(session.history) > 1:
            fsio.write_bytes(
                self._path, encode_png(loss_plot(np.array(session.history, np.float64), session.held)), durable=False
            )


def sample_of(batch: TrainingBatch, arrays: int = 4) -> list[list[NDArray[np.float32]]]:
    """The faces of a batch that the previews show from now on: [src, dst] as the first ``arrays`` of [warped, target, mask, eyes_mouth]."""
    kept = (batch.warped, batch.target, batch.mask, batch.eyes_mouth)[:arrays]
    return [[array[side, :ROWS].copy() for array in kept] for side in (0, 1)]


def grid(session: Session) -> NDArray[np.uint8]:
    """A row a sample: src, src as made, dst, dst as made, and the swap, for AMP in steps from dst to src. Unwarped inputs; uint8 BGR."""
    src, dst = session.sample[0][1], session.sample[1][1]  # type: ignore[index]
    rows = min(ROWS, len(src), max(1, 800 // session.recipe.resolution))
    src, dst = src[:rows], dst[:rows]
    views = session.trainer.views(src, dst)
    between = [session.trainer.views(src, dst, morph)["sd"] for morph in KINDS[session.recipe.kind].morphs if morph < 1]
    columns = [np.concatenate(list(images)) for images in (src, views["ss"], dst, views["dd"], *between, views["sd"])]
    return (np.clip(np.concatenate(columns, axis=1), 0, 1) * 255 + 0.5).astype(np.uint8)


def loss_plot(history: NDArray[np.float64], held: Sequence[Sequence[float]] = ()) -> NDArray[np.uint8]:
    """Both losses over the iterations: range and mean of every bucket, and those of held-out faces as dashed lines. history: (n, 2); held: rows of
    iteration, src, dst; uint8 BGR."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH / 100, _HEIGHT / 100), dpi=100, layout="constrained")
    axes = figure.add_subplot()
    edges = np.unique(np.linspace(0, len(history), min(len(history), _WIDTH // 2) + 1).astype(int))
    for column, (label, colour) in enumerate((("src", "tab:blue"), ("dst", "tab:orange"))):
        buckets = [history[a:b, column] for a, b in zip(edges[:-1], edges[1:], strict=True)]
        means = [bucket.mean() for bucket in buckets]
        axes.fill_between(
            edges[1:], [b.min() for b in buckets], [b.max() for b in buckets], color=colour, alpha=0.25, linewidth=0
        )
        axes.plot(edges[1:], means, color=colour, label=f"{label} {np.mean(history[-100:, column]):.3f}")
        if held:
            axes.plot(
                [row[0] for row in held],
                [row[column + 1] for row in held],
                "--",
                color=colour,
                marker="." if len(held) < 20 else None,
                label=f"{label}, held out {held[-1][column + 1]:.3f}",
            )
    axes.set(xlabel="iteration", ylabel="loss", ylim=(0, float(np.percentile(history, 99)) * 1.1 or 1))
    axes.legend()
    axes.grid(alpha=0.3)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return cv2.cvtColor(np.asarray(canvas.buffer_rgba()), cv2.COLOR_RGBA2BGR)
