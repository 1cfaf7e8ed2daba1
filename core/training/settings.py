"""What a model keeps from run to run beside its recipe."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TrainerSettings:
    """Fields of ``forge.json``.

    seed: of first values and dropout.
    exact: keep the original's defects.
    rate: the learning rate is the kind's times this; a rollback halves it.
    precision: of the layers' arithmetic: float32, bfloat16 or float16; weights stay float32.
    ema: decay of the averaged weights, 0 for none.
    devices: how many share a batch.
    parts: how many a batch is computed in, one after the other.
    warp_on_device: samples are moved and warped there, not by those who prepare them.
    """

    seed: int = 0
    exact: bool = False
    rate: float = 1.0
    precision: str = "float32"
    ema: float = 0.0
    devices: int = 1
    parts: int = 1
    warp_on_device: bool = False
