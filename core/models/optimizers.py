"""AdaBelief and RMSprop with the arithmetic of the DeepFaceLab format, so that a resumed model moves on as it did there.

No bias correction, no weight decay: after ``m`` and ``v`` are updated the weight takes one step of the current rate. With
``lr_dropout`` the step, never the moments, is multiplied by a random 0/1 mask, and the rate follows a cosine of 500 iterations.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

Tensor = Any
LEARNING_RATE = 5e-5
COSINE_PERIOD = 500
# A float16 uniform number below 0.3 in steps of 1/1024: the share that the original's mask really keeps.
KEEP = 308 / 1024
_EPSILON = 1e-6
# More than any model has; eight million iterations fit before seeds come again.
_VARIABLES = 256


class _Moments(keras.optimizers.Optimizer):
    """What both share: rate, dropout of steps, clipping of the global norm, frozen parts, moments out and in.

    cosine: period of the rate in iterations, 0 for a constant rate; keep: share of steps taken, 1 for all; clip_norm: largest
    global gradient norm, 0 for none; seed: of the dropout, whose mask is a function of (seed, iteration, variable) only;
    frozen: variables that keep their value and their moments.
    """

    slots: tuple[str, ...] = ()

    def __init__(self, learning_rate: float = LEARNING_RATE, *, cosine: int = 0, keep: float = 1.0, clip_norm: float = 0.0, seed: int = 0,
                 frozen: Iterable[Any] = (), name: str | None = None):
        super().__init__(learning_rate=learning_rate, name=name or "src_dst_opt")
        self.cosine, self.keep, self.clip_norm, self.seed = cosine, keep, clip_norm, seed
        self._frozen_variables = list(frozen)

    def build(self, variables: list) -> None:
        """Allocate the moments of all ``variables``, the frozen too: the files hold them all."""
        if self.built:
            return
        super().build(variables)
        self._frozen = {self._get_variable_index(variable) for variable in self._frozen_variables}
        self.moments = {slot: [self.add_variable_from_reference(v, name=slot) for v in variables] for slot in self.slots}

    def apply(self, grads: list, trainable_variables: list | None = None) -> None:
        variables = self._trainable_variables if trainable_variables is None else list(trainable_variables)
        if not self.built:
            self.build(variables)
        if self.clip_norm:
            grads = self._clipped(grads, variables)
        self._now = self._cosine(), ops.cast(self.iterations, "int32") * _VARIABLES  # once a step, not once a variable
        super().apply(grads, trainable_variables)

    def update_step(self, gradient: Tensor, variable: Any, learning_rate: Tensor) -> None:
        index = self._get_variable_index(variable)
        if index in self._frozen:
            return
        step = self._direction(ops.cast(gradient, variable.dtype), index)
        cosine, iteration = self._now
        if self.keep < 1:
            drawn = keras.random.uniform(variable.shape, seed=_StepSeed(self.seed, iteration, index), dtype="float32")
            step = ops.where(drawn < self.keep, step, 0.0)
        self.assign_sub(variable, ops.cast(learning_rate * cosine, variable.dtype) * step)

    def _direction(self, gradient: Tensor, index: int) -> Tensor:
        raise NotImplementedError

    def _cosine(self) -> Tensor | float:
        """The factor of the rate in this step, 0..1."""
        if not self.cosine:
            return 1.0
        angle = ops.cast(self.iterations + 1, "float32") * (2 * 3.1415926535 / self.cosine)
        return (1 + ops.cos(angle)) / 2

    def _clipped(self, grads: list, variables: list) -> list:
        """All gradients times clip_norm / norm when their common norm reaches it; the frozen count as absent."""
        moving = [g for g, v in zip(grads, variables, strict=True) if self._get_variable_index(v) not in self._frozen]
        norm = ops.sqrt(sum(ops.sum(ops.square(g)) for g in moving))
        scale = ops.where(norm >= self.clip_norm, self.clip_norm / norm, 1.0)
        return [g * scale for g in grads]

    def slot_arrays(self, names: Sequence[str]) -> Iterator[tuple[str, str, np.ndarray]]:
        """(slot, name, float32 array), fetched one at a time; ``names``: the variables' names in the order they were built in."""
        for slot in self.slots:
            for name, variable in zip(names, self.moments[slot], strict=True):
                yield slot, name, np.asarray(ops.convert_to_numpy(variable.value))

    def load_slots(self, names: Sequence[str], iterations: int, slots: Mapping[str, Mapping[str, np.ndarray]]) -> list[str]:
        """Take over a saved state: slot -> name -> array. Returns what it lacks or has in another shape: those moments stay zero."""
        self.iterations.assign(iterations)
        missing = []
        for slot in self.slots:
            for name, variable in zip(names, self.moments[slot], strict=True):
                array = slots.get(slot, {}).get(name)
                if array is None or np.size(array) != math.prod(variable.shape):
                    missing.append(f"{slot} {name}")
                else:
                    variable.assign(np.reshape(array, variable.shape))
        return missing


class AdaBelief(_Moments):
    """m <- 0.9 m + 0.1 g;  v <- 0.999 v + 0.001 (g - m)^2;  w <- w - rate K m / (sqrt(v) + 1e-6)."""

    slots = ("ms", "vs")

    def _direction(self, gradient: Tensor, index: int) -> Tensor:
        m, v = self.moments["ms"][index], self.moments["vs"][index]
        new_m = 0.9 * m + 0.1 * gradient
        new_v = 0.999 * v + 0.001 * ops.square(gradient - new_m)
        self.assign(m, new_m)
        self.assign(v, new_v)
        return new_m / (ops.sqrt(new_v) + _EPSILON)


class RMSprop(_Moments):
    """a <- 0.9 a + 0.1 g^2;  w <- w - rate K g / (sqrt(a) + 1e-6)."""

    slots = ("acc",)

    def _direction(self, gradient: Tensor, index: int) -> Tensor:
        a = self.moments["acc"][index]
        new_a = 0.9 * a + 0.1 * ops.square(gradient)
        self.assign(a, new_a)
        return gradient / (ops.sqrt(new_a) + _EPSILON)


class _StepSeed(keras.random.SeedGenerator):
    """A seed that is a function of (seed, iteration, variable): nothing to save, nothing to restore.

    ``spread``: the iteration times the room for variables, int32 (JAX has no larger integers by default).
    """

    def __init__(self, seed: int, spread: Tensor, index: int):  # no state of its own, so the base is not initialised
        self._seed, self._spread, self._index = seed, spread, index

    def next(self, ordered: bool = True) -> Tensor:
        return ops.cast(ops.stack([self._spread + self._index, ops.cast(self._seed % 2**31, "int32")]), "uint32")
