"""The losses of a whole training as a drawing."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core import fsio
from core.data.batches import TrainingBatch
from core.imaging.codec import encode_png
from core.training.hooks.base import BaseHook
from core.training.session import Session

_WIDTH, _HEIGHT = 900, 420
_DPI = 100
_SIDES = (("src", "tab:blue"), ("dst", "tab:orange"))
# Up to so many validations each gets a dot of its own.
_DOTS = 20
_SECONDS = 60.0


class LossPlot(BaseHook):
    """``loss.png`` at every save and every minute; less often where drawing takes more than a hundredth of that."""

    def __init__(self, path: Path):
        self._path = path
        self._next = time.monotonic() + _SECONDS

    def after_step(self, session: Session, batch: TrainingBatch) -> None:
        if time.monotonic() >= self._next:
            self.at_save(session)

    def at_save(self, session: Session) -> None:
        if len(session.history) < 2:
            return
        start = time.monotonic()
        image = loss_plot(np.array(session.history, np.float64), session.validation_losses)
        fsio.write_bytes(self._path, encode_png(image), durable=False)
        end = time.monotonic()
        self._next = end + max(_SECONDS, 100 * (end - start))


def loss_plot(history: NDArray[np.float64], validation: Sequence[Sequence[float]] = ()) -> NDArray[np.uint8]:
    """Both losses over the iterations: range and mean of every bucket, and validation losses as dashed lines.

    history: (n, 2), src and dst. validation: rows of iteration, src, dst. Returns uint8 (420, 900, 3) BGR.
    """
    # Imported here: it takes half a second, and most runs of the program draw no plot.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # The classes of Agg instead of pyplot: that keeps figures in global state and may look for a display.
    figure = Figure(figsize=(_WIDTH / _DPI, _HEIGHT / _DPI), dpi=_DPI, layout="constrained")
    axes = figure.add_subplot()
    for column, (label, color) in enumerate(_SIDES):
        _draw_losses(axes, history[:, column], label, color)
        if validation:
            points = [(row[0], row[column + 1]) for row in validation]
            _draw_validation(axes, points, label, color)
    # Not the highest loss: the first ones would press all others down to a line.
    # "or 1": an axis needs a height even where every loss is 0.
    axes.set(xlabel="iteration", ylabel="loss", ylim=(0, float(np.percentile(history, 99)) * 1.1 or 1))
    axes.legend()
    axes.grid(alpha=0.3)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return cv2.cvtColor(np.asarray(canvas.buffer_rgba()), cv2.COLOR_RGBA2BGR)


def _draw_losses(axes: Any, losses: NDArray[np.float64], label: str, color: str) -> None:
    """Half as many buckets as pixels: a line through every iteration would be a solid block."""
    edges = np.unique(np.linspace(0, len(losses), min(len(losses), _WIDTH // 2) + 1).astype(int))
    buckets = [losses[a:b] for a, b in zip(edges[:-1], edges[1:], strict=True)]
    lowest = [bucket.min() for bucket in buckets]
    highest = [bucket.max() for bucket in buckets]
    axes.fill_between(edges[1:], lowest, highest, color=color, alpha=0.25, linewidth=0)
    axes.plot(
        edges[1:], [bucket.mean() for bucket in buckets], color=color, label=f"{label} {losses[-100:].mean():.3f}"
    )


def _draw_validation(axes: Any, points: Sequence[tuple[float, float]], label: str, color: str) -> None:
    iterations, losses = zip(*points, strict=True)
    marker = "." if len(points) < _DOTS else None
    axes.plot(iterations, losses, "--", color=color, marker=marker, label=f"{label}, held out {losses[-1]:.3f}")
