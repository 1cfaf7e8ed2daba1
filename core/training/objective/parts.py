"""A batch in parts: the gradients of one part after the other are summed, then the weights move once.

It is the step of the whole batch, as the objective is a sum over its samples, in the memory that one part takes.
Keras's own accumulation takes means and counts every part as an iteration; the files' counts and rates would change.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from core.errors import UsageError
from core.training.objective.optimizers import MomentOptimizer

_NOTHING = np.zeros((1, 1), np.float32)


class GradientSum(keras.optimizers.Optimizer):
    """Adds gradients up and moves nothing. of: whose step it gathers them for."""

    def __init__(self, of: MomentOptimizer, variables: Sequence[Any]):
        super().__init__(learning_rate=0.0, name=f"{of.name}_sum")
        self._of = of
        self.build(list(variables))
        self.sums = [self.add_variable_from_reference(variable, name="sum") for variable in variables]

    def scale_loss(self, loss: Any) -> Any:
        return self._of.scale_loss(loss)

    def apply(self, grads: list, trainable_variables: list | None = None) -> None:
        for total, gradient in zip(self.sums, grads, strict=True):
            if gradient is not None:
                total.assign(total + gradient)


class Update(keras.Model):
    """The step that follows: its gradients are the sums, so that every backend makes it as any other step."""

    def __init__(self, optimizer: MomentOptimizer, gathered: GradientSum, variables: Sequence[Any], xla: bool):
        super().__init__(name="update")
        self.moved, self.sums = list(variables), gathered.sums
        self.compile(optimizer=optimizer, jit_compile=xla)

    def call(self, inputs: Any, training: bool = False) -> Any:
        return inputs

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The sum of all weights, each times its gradient; after that the next batch begins at zero."""
        # The sums are those of the scaled loss, and this one is scaled again.
        scale = self.optimizer.scale_loss(1.0)
        sums = [total.value / scale for total in self.sums]
        for total in self.sums:
            total.assign(ops.zeros_like(total.value))
        return sum(ops.sum(w.value * gradient) for w, gradient in zip(self.moved, sums, strict=True))

    def compute_metrics(self, *_: Any, **__: Any) -> dict[str, Any]:
        """None, as of the autoencoder."""
        return {}

    def step(self) -> None:
        """Move the weights."""
        self.train_on_batch(_NOTHING)


def require_even(parts: int, devices: int, batch_size: int) -> None:
    """Raises UsageError for a batch that cannot be taken in so many parts."""
    if parts > 1 and devices > 1:
        raise UsageError(
            "several devices take their shares of a batch at once",
            where=f"--batch-parts {parts} --devices {devices}",
            hint="use --batch-parts 1",
        )
    if batch_size % parts:
        fitting = parts * max(1, round(batch_size / parts))
        raise UsageError(
            "the batch cannot be parted evenly",
            where=f"--batch-parts {parts} --batch-size {batch_size}",
            hint=f"choose a batch size that {parts} divides, such as {fitting}",
        )
