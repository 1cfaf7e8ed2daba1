"""What a person chose for a training run, as values: for its model, and for how it goes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.training.schedule.presets import Preset

# A precision: measure which.
AUTO = "auto"
# bfloat16 gives digits away: only for a time below this share of float32's.
WORTH_BFLOAT16 = 0.9


@dataclass(frozen=True)
class Choices:
    """What a person chose for a model. What is left out, or None, is as the model has it, or the default of a new one.

    recipe: field of ``core.training.recipe.Recipe`` -> value, ``kind`` among them.
    learning_rate: of the optimizer.
    seed: of everything random.
    exact: keep the original's defects.
    precision: of the layers' arithmetic: float32, bfloat16 or float16; ``AUTO`` measures which of the first two.
    ema: decay of the averaged weights, 0 for none.
    devices: how many share a batch.
    parts: how many a batch is computed in, one after the other.
    warp_on_device: move and warp the samples there.
    validation_count: faces of each side that are never trained on.
    preset: a schedule from now on; one without phases ends the schedule that there is.
    reinit: parts of the networks that start anew.
    use_pretrained: whether a new model starts from the weights in the assets, where there are some.
    """

    recipe: Mapping[str, Any] = field(default_factory=dict)
    learning_rate: float | None = None
    seed: int | None = None
    exact: bool | None = None
    precision: str | None = None
    ema: float | None = None
    devices: int | None = None
    parts: int | None = None
    warp_on_device: bool | None = None
    validation_count: int | None = None
    preset: Preset | None = None
    reinit: tuple[str, ...] = ()
    use_pretrained: bool = True

    @property
    def kind(self) -> str | None:
        """The class of the model, where it was chosen."""
        return self.recipe.get("kind")


@dataclass(frozen=True)
class RunSettings:
    """How a run goes.

    target: the iteration to stop at; 0 for the end of the schedule, where there is one, else never.
    workers: processes that prepare batches; 0 prepares them in this process, None as many as the step eats.
    face_cache: GiB for prepared faces, None for a quarter of the free memory and at most 4.
    save_minutes: minutes between saves; None for 5, or 25 where a save takes longer than 2 seconds.
    preview_every: iterations between preview images; 0 draws them at saves only.
    validation_every: iterations between losses of the faces that are never trained on.
    tensorboard: whether to write event files for it.
    pretrain_faces: the folder of faces for pretraining.
    """

    target: int = 0
    workers: int | None = None
    face_cache: float | None = None
    save_minutes: float | None = None
    preview_every: int = 100
    validation_every: int = 500
    tensorboard: bool = False
    pretrain_faces: Path | None = None
