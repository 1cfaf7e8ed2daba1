"""What a person chose for a training run of the mask network, as values."""

from dataclasses import dataclass

from core.data.xseg_samples import Labels
from core.errors import UsageError
from core.networks.xseg import STEP


@dataclass(frozen=True)
class XSegChoices:
    """What a person chose for the model; None takes the model's value, or the default of a new one.

    face_type: how much of the face is seen: h, mf, f, wf or head.
    resolution, base: side in pixels and width of the network; 256 and 32 in files of the original.
    batch_size: faces in an iteration.
    pretrain: learn to draw faces first, without labels.
    seed: of everything random.
    restart: begin with new weights and at iteration 0.
    """

    face_type: str | None = None
    resolution: int | None = None
    base: int | None = None
    batch_size: int | None = None
    pretrain: bool | None = None
    seed: int | None = None
    restart: bool = False

    def __post_init__(self) -> None:
        """Raises UsageError for a resolution that the network cannot have."""
        if self.resolution is not None and (self.resolution < STEP or self.resolution % STEP):
            raise UsageError("wrong resolution", where=str(self.resolution), why=f"it must be a multiple of {STEP}")


@dataclass(frozen=True)
class XSegRunSettings:
    """How a run goes.

    target: the iteration to stop at, 0 for never.
    labels: what to learn from, see ``core.data.xseg_samples.choose``.
    occluders: how often something is drawn in front of a face, 0..1.
    learning_rate: how far weights move in an iteration.
    lr_dropout: move only a random third of the weights in each iteration.
    save_minutes: minutes between saves; None for 5, or 25 where a save takes longer than 2 seconds.
    preview_every: iterations between preview images; 0 draws them at saves only.
    threads: that prepare samples.
    """

    target: int = 0
    labels: Labels = "auto"
    occluders: float = 0.25
    learning_rate: float = 1e-4
    lr_dropout: bool = True
    save_minutes: float | None = None
    preview_every: int = 100
    threads: int = 4
