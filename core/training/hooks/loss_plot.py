"""The losses of a whole training as a drawing."""

import textwrap
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core import fsio
from core.data.batches import TrainingBatch
from core.imaging.codec import encode_png
from core.training.hooks.base import BaseHook
from core.training.hooks.training_time import TrainingTime
from core.training.schedule.spans import Span, spans_of
from core.training.session import Session

_WIDTH, _HEIGHT = 900, 480
_DPI = 100
_SIDES = (("src", "tab:blue"), ("dst", "tab:orange"))
# Up to so many validations each gets a dot of its own.
_DOTS = 20
_SECONDS = 60.0
# The curve is the mean of so large a part of all iterations.
_SMOOTH, _LEAST_AROUND = 0.02, 5
# With so many losses a bucket has a range worth drawing.
_FULL = 5
# (how many, of how many seconds, its name): distances between times; and how many times there is room for.
_TIME_STEPS = (
    *((count, 1, "s") for count in (1, 2, 5, 10, 20, 30)),
    *((count, 60, "min") for count in (1, 2, 5, 10, 20, 30)),
    *((count, 3600, "h") for count in (1, 2, 4, 12)),
    *((count, 86400, "d") for count in (1, 2, 5, 10, 50)),
)
_MOST_TIMES = 9
# Letters of a phase's caption need about so many pixels of the figure.
_LETTER, _CAPTION_LINES = 6.5, 3


@dataclass(frozen=True)
class Losses:
    """What is drawn.

    history: (n, 2), src and dst of the newest n iterations.
    iteration: the newest one; 0 for n.
    validation: rows of iteration, src, dst, of faces that are never trained on.
    title: of the drawing. spans: phases, in order.
    passed: (n,), seconds of training after each of these iterations; None where nobody knows.
    """

    history: NDArray[np.float64]
    iteration: int = 0
    validation: Sequence[Sequence[float]] = ()
    title: str = ""
    spans: Sequence[Span] = ()
    passed: NDArray[np.float64] | None = None

    @property
    def first(self) -> int:
        """The iteration before the first that is drawn: saves of other programs may have lost the oldest losses."""
        return max(self.iteration - len(self.history), 0)

    @property
    def last(self) -> int:
        """The newest iteration."""
        return self.first + len(self.history)


class LossPlot(BaseHook):
    """``loss.png`` at every save and every minute; less often where drawing takes more than a hundredth of that.

    metrics: the file with the times of earlier runs.
    """

    def __init__(self, path: Path, metrics: Path):
        self._path, self._time = path, TrainingTime(metrics)
        self._next = time.monotonic() + _SECONDS

    def after_step(self, session: Session, batch: TrainingBatch) -> None:
        self._time.note(session)
        if time.monotonic() >= self._next:
            self.at_save(session)

    def at_save(self, session: Session) -> None:
        if len(session.history) < 2:
            return
        start = time.monotonic()
        fsio.write_bytes(self._path, encode_png(loss_plot(_losses(session, self._time))), durable=False)
        end = time.monotonic()
        self._next = end + max(_SECONDS, 100 * (end - start))


def _losses(session: Session, time: TrainingTime) -> Losses:
    recipe, schedule = session.recipe, session.schedule
    title = f"{session.folder.prefix}, iteration {session.iteration:,}"
    title += f", {recipe.resolution} px, batch {recipe.batch_size}"
    # Pretraining counts iterations of its own.
    spans = spans_of(schedule.preset) if schedule and not recipe.pretrain else []
    history = np.array(session.history, np.float64)
    passed = time.passed(session, len(history))
    return Losses(history, session.known, session.validation_losses, title, spans, passed)


def loss_plot(losses: Losses) -> NDArray[np.uint8]:
    """Both losses over the iterations: a smooth curve over the range of every bucket; validation losses dashed.

    The phases of the schedule are shaded in turn. Returns uint8 (480, 900, 3) BGR.
    """
    # Imported here: it takes half a second, and most runs of the program draw no plot.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # The classes of Agg instead of pyplot: that keeps figures in global state and may look for a display.
    figure = Figure(figsize=(_WIDTH / _DPI, _HEIGHT / _DPI), dpi=_DPI, layout="constrained")
    axes = figure.add_subplot()
    for column, (label, color) in enumerate(_SIDES):
        _draw_losses(axes, losses, column, label, color)
        if losses.validation:
            points = [(row[0], row[column + 1]) for row in losses.validation]
            _draw_validation(axes, points, label, color)
    _draw_spans(axes, losses)
    _name_axes(axes, losses)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return cv2.cvtColor(np.asarray(canvas.buffer_rgba()), cv2.COLOR_RGBA2BGR)


def _name_axes(axes: Any, losses: Losses) -> None:
    # Not the highest loss: the first ones would press all others down to a line. Above it is room for captions.
    top = float(np.percentile(losses.history, 99)) * (1.25 if losses.spans else 1.1)
    # "or 1": an axis needs a height even where every loss is 0.
    axes.set(xlabel="iteration", ylabel="loss", ylim=(0, top or 1))
    # What an open end or a coming phase would add is no part of the picture.
    axes.set_xlim(losses.first, losses.last)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.xaxis.set_major_formatter(lambda value, position: f"{value:,.0f}")
    # parse_math: a dollar in a name is no formula.
    axes.set_title(losses.title, loc="left", fontsize=11, fontweight="bold", parse_math=False)
    axes.legend(loc="lower left", fontsize=9)
    axes.grid(alpha=0.3)
    if losses.passed is not None:
        _draw_time(axes, losses)


def _draw_time(axes: Any, losses: Losses) -> None:
    """A second axis, above: how long the training had taken by then."""
    seconds = np.r_[0.0, losses.passed]
    step, unit, name = next(
        (step for step in _TIME_STEPS if seconds[-1] / (step[0] * step[1]) <= _MOST_TIMES), _TIME_STEPS[-1]
    )
    times = np.arange(1, min(int(seconds[-1] / (step * unit)), _MOST_TIMES) + 1) * step
    places = losses.first + np.interp(times * unit, seconds, np.arange(len(seconds)))
    # Where the training was slow for a while, times would lie over each other.
    room = (losses.last - losses.first) / (_MOST_TIMES + 4)
    kept: list[int] = []
    for number, place in enumerate(places):
        if not kept or place - places[kept[-1]] > room:
            kept.append(number)
    times, places = times[kept], places[kept]
    above = axes.twiny()
    above.set_xlim(losses.first, losses.last)
    above.set_xticks(places, [f"{value:,} {name}" for value in times], fontsize=8, color="0.35")
    above.tick_params(length=3, pad=2, color="0.35")


def _draw_losses(axes: Any, losses: Losses, column: int, label: str, color: str) -> None:
    values = losses.history[:, column]
    _draw_range(axes, losses.first, values, color)
    curve, shown = smooth(values), np.unique(np.linspace(0, len(values) - 1, _WIDTH).astype(int))
    label = f"{label} {values[-100:].mean():.3f}"
    axes.plot(losses.first + shown + 1, curve[shown], color=color, linewidth=2, label=label)


def _draw_range(axes: Any, first: int, values: NDArray[np.float64], color: str) -> None:
    """The losses themselves where they are few, else the range of each of half as many buckets as pixels: a line
    through every iteration would be a solid block.
    """
    if len(values) < _FULL * _WIDTH // 2:
        axes.plot(np.arange(first + 1, first + len(values) + 1), values, color=color, alpha=0.3, linewidth=0.8)
        return
    edges = np.linspace(0, len(values), _WIDTH // 2 + 1).astype(int)
    buckets = [values[a:b] for a, b in zip(edges[:-1], edges[1:], strict=True)]
    lowest, highest = ([pick(bucket) for bucket in buckets] for pick in (np.min, np.max))
    axes.fill_between(first + edges[1:], lowest, highest, color=color, alpha=0.18, linewidth=0)


def smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of each value (n,) and those around it, a fiftieth of all; at the ends of those there are."""
    half = max(int(len(values) * _SMOOTH / 2), min(_LEAST_AROUND, len(values) // 8))
    sums, places = np.r_[0.0, np.cumsum(values)], np.arange(len(values))
    low, high = np.maximum(places - half, 0), np.minimum(places + half + 1, len(values))
    return (sums[high] - sums[low]) / (high - low)


def _draw_validation(axes: Any, points: Sequence[tuple[float, float]], label: str, color: str) -> None:
    iterations, losses = zip(*points, strict=True)
    marker = "." if len(points) < _DOTS else None
    axes.plot(iterations, losses, "--", color=color, marker=marker, label=f"{label}, held out {losses[-1]:.3f}")


def _draw_spans(axes: Any, losses: Losses) -> None:
    """Shades every other phase that has begun, and says at the top what it changes, where there is room."""
    for number, span in enumerate(losses.spans):
        start, end = max(span.start, losses.first), min(span.end or losses.last, losses.last)
        if end <= start:
            continue
        if number % 2:
            axes.axvspan(start, end, color="black", alpha=0.06, linewidth=0)
        if start > losses.first:
            axes.axvline(start, color="black", alpha=0.35, linewidth=1)
        room = int((end - start) / (losses.last - losses.first) * (_WIDTH - 80) / _LETTER)
        place = {"transform": axes.get_xaxis_transform(), "va": "top", "fontsize": 8, "parse_math": False}
        axes.text(start, 0.985, _caption(span, room), color="0.25", clip_on=True, **place)


def _caption(span: Span, room: int) -> str:
    """Name and options in lines of at most ``room`` letters; less, or nothing, where they do not fit."""
    if room < len(span.name) + 1:
        return ""
    lines = textwrap.wrap(span.options, room - 1, break_long_words=False) if span.options else []
    fits = len(lines) <= _CAPTION_LINES and all(len(line) < room for line in lines)
    return "\n".join(f" {line}" for line in [span.name, *(lines if fits else [])])
