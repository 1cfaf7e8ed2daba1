"""One training run of one model: what the loop and its hooks share, and how it is saved, loaded and rolled back."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.checkpoints.model_folder import DATA, ModelFolder
from core.data.batches import BatchSettings
from core.errors import DivergedError
from core.formats import dfl_weights
from core.training.recipe import Recipe, to_saved
from core.training.run_state import RunState
from core.training.saved_state import STATE, SUMMARY, state_writer, text_writer
from core.training.schedule.timeline import Schedule
from core.training.trainer import Trainer

log = logging.getLogger(__name__)
# A loss this many times the recent mean is as good as NaN.
_SPIKE = 100.0

# What a session takes over from the save that it was opened from anew; the rest belongs to the run.
_OF_THE_SAVE = (
    "recipe",
    "trainer",
    "iteration",
    "history",
    "sample",
    "extra",
    "saved_iteration",
    "schedule",
    "pause",
    "entered",
    "validation_losses",
)
# Of the arrays of a side: warped, target, mask, eyes and mouth; the smallest kind keeps no eyes and mouths.
_CHANNELS = (3, 3, 1, 1)
Sample = list[list[NDArray[np.float32]]]


@dataclass
class Session(RunState):
    """What the loop and its hooks share of one run of one model.

    sample: the faces of the preview, [src, dst] as [warped, target, mask, eyes_mouth].
    extra: entries of ``data.dat`` that are kept as they are.
    schedule: what the run follows.
    pause: the iteration where the next phase begins, 0 for none.
    entered: a phase begins with this run.
    validation_count: how many faces of each side are never trained on.
    validation_faces: where they are.
    faces: a hash of those that the last run trained on, "" where it did not say.
    """

    folder: ModelFolder
    recipe: Recipe
    trainer: Trainer
    sample: Sample | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    schedule: Schedule | None = None
    pause: int = 0
    entered: bool = False
    validation_count: int = 0
    validation_faces: BatchSettings | None = None
    faces: str = ""

    @property
    def paused(self) -> bool:
        """Whether there is no next iteration before something else has to happen."""
        return self.done or 0 < self.pause <= self.iteration

    def release(self) -> Trainer:
        """Give the networks away; the session has none then."""
        trainer = self.trainer
        del self.trainer
        return trainer

    def become(self, opened: "Session") -> None:
        """Go on as ``opened``, a session of the same model; the target and what was collected for the report stay."""
        for name in _OF_THE_SAVE:
            setattr(self, name, getattr(opened, name))

    def settle(self) -> None:
        """Wait for the pending step and put its losses into the history; nothing, where none is pending.

        Raises:
            DivergedError: the step was a bad one. It stays pending, so that nothing can be saved.
        """
        if self.pending is None:
            return
        losses = self.trainer.read(self.pending.reported)
        require_sound(losses, self.history, self.iteration)
        self.history.append(list(losses))
        self.waited, self.spent = self.pending.waited, self.pending.spent
        self.pending = None

    def save(self) -> None:
        """Write everything, all or nothing. Raises DivergedError rather than saving numbers that are not finite."""
        self.settle()
        if self.history and not np.isfinite(self.history[-1]).all():
            raise DivergedError(
                "refusing to save a model whose loss is not a number", where=f"iteration {self.iteration}"
            )
        self.folder.save(self.iteration, self._writers())
        self.saved_iteration = self.iteration

    def _writers(self) -> dict[str, Any]:
        data = dfl_weights.ModelData(self.iteration, to_saved(self.recipe), self.history, self.sample, self.extra)
        summary = dfl_weights.summary_text(self.folder.prefix, self.iteration, to_saved(self.recipe))
        state: dict[str, Any] = {**asdict(self.trainer.settings), "iteration": self.iteration}
        if self.faces:
            state["faces"] = self.faces
        if self.schedule:
            state["schedule"] = self.schedule.plain()
        if self.validation_count:
            state |= {"held_out": self.validation_count, "held": self.validation_losses}
        return {
            **self.trainer.writers(),
            DATA: lambda stream: dfl_weights.write_data(stream, data),
            SUMMARY: text_writer("\n".join([summary, *self.quality_lines, ""])),
            STATE: state_writer(state),
        }

    def roll_back(self) -> int:
        """Return to the last save with half the learning rate; gives its iteration."""
        files = self.folder.load().files
        data = dfl_weights.read_data(files[DATA])
        self.trainer.load(files)
        self.trainer.reset_rate(0.5)
        self.pending = None
        self.iteration, self.saved_iteration, self.history = data.iteration, data.iteration, data.loss_history
        self.validation_losses = [row for row in self.validation_losses if row[0] <= self.iteration]
        return self.iteration


def require_sound(losses: tuple[float, float], history: Sequence[Sequence[float]], iteration: int) -> None:
    """Raises DivergedError for losses of ``iteration`` that are not finite, or far above the recent ones."""
    recent = [sum(pair) for pair in history[-100:]]
    spike = len(recent) >= 20 and sum(losses) > _SPIKE * sum(recent) / len(recent)
    if all(map(math.isfinite, losses)) and not spike:
        return
    raise DivergedError(
        f"training diverged at iteration {iteration}: loss {losses[0]:.4g} (src), {losses[1]:.4g} (dst)",
        hint="the last save is untouched; try --clipgrad, a larger --batch-size, or smaller style and gan powers",
    )


def restore(
    session: Session, files: Mapping[str, Path], data: dfl_weights.ModelData, reinit: tuple[str, ...] = ()
) -> None:
    """Give a new session the networks, optimizer, history and preview faces of saved files."""
    session.trainer.load(files, reinit)
    session.iteration, session.history, session.extra = data.iteration, data.loss_history, data.extra
    session.sample = usable_sample(data.preview_sample, session.recipe.resolution)
    # What starts anew is in no save yet, so this iteration has to be written once more.
    session.saved_iteration = -1 if reinit else data.iteration


def usable_sample(sample: Any, resolution: int) -> Sample | None:
    """The faces of the preview that ``data.dat`` has, if they fit this model, else None.

    sample: [src, dst], each a list of arrays, channels first or last. Returns them float32, channels last.
    """
    try:
        channels = _CHANNELS[: max(3, len(sample[0]))]
        src, dst = (_side(arrays, channels) for arrays in sample)
    except (TypeError, ValueError, IndexError):
        return None
    count = len(src[0])
    shapes = [(count, resolution, resolution, depth) for depth in channels]
    fits = count > 0 and all([array.shape for array in side] == shapes for side in (src, dst))
    return [src, dst] if fits else None


def _side(arrays: Any, channels: tuple[int, ...]) -> list[NDArray[np.float32]]:
    return [_channels_last(np.asarray(array, np.float32), depth) for array, depth in zip(arrays, channels, strict=True)]


def _channels_last(array: NDArray[np.float32], channels: int) -> NDArray[np.float32]:
    if array.ndim != 4:
        raise ValueError("not a batch of images")
    # The original writes previews in the layout of its run: channels first on a GPU, last on a CPU.
    return array.transpose(0, 2, 3, 1) if array.shape[1] == channels and array.shape[3] != channels else array
