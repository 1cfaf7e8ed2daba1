"""AdaBelief and RMSprop with the arithmetic of the DeepFaceLab format.

A resumed model moves on as it did there. No bias correction, no weight decay: after ``m`` and ``v`` are updated the
weight takes one step of the current rate. With ``lr_dropout`` the step, never the moments, is multiplied by a
random 0/1 mask, and the rate follows a cosine of 500 iterations.

What the original lacks, off by default: the loss may be scaled so that gradients do not vanish in float16, and
averages of the weights may be kept. Neither shows in the saved moments.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

Tensor = Any
LEARNING_RATE = 5e-5
# The original draws a float16 uniform number below 0.3 in steps of 1/1024: 308 of 1024 pass, which is 77 of 256.
KEEP = 77 / 256
# The decimal resolution of float32.
_EPSILON = 1e-6
# The original's, and that of the cosine of its rate: a better one would move resumed models otherwise.
_PI = 3.1415926535
# All but one of the numbers of 32 bits.
_WORDS = (-(2**31), 2**31 - 1)
# The first scale and the patience of Keras's own loss scaling.
FIRST_SCALE, LARGEST_SCALE = 2.0**15, 2.0**40
_GROWTH_STEPS = 2000


class MomentOptimizer(keras.optimizers.Optimizer):
    """What both share: rate, dropout of steps, clipping, frozen parts, loss scale, averages, moments out and in.

    learning_rate: how far weights move in a step.
    cosine: period of the rate in iterations, 0 for a constant rate.
    keep: share of steps taken, in 256ths, 1 for all.
    clip_norm: largest global gradient norm, 0 for none.
    seed: of the dropout, whose mask is a function of (seed, iteration, variables) only.
    frozen: variables that keep their value and their moments.
    scaled: the loss is multiplied by ``scale``, which halves when a gradient overflows (that step moves nothing but the
    count of iterations) and doubles after 2000 steps without.
    ema: decay of the running averages of the weights, 0 keeps none.
    """

    # The names of the moments in files.
    slots: tuple[str, ...] = ()

    def __init__(
        self,
        learning_rate: float = LEARNING_RATE,
        *,
        cosine: int = 0,
        keep: float = 1.0,
        clip_norm: float = 0.0,
        seed: int = 0,
        frozen: Iterable[Any] = (),
        scaled: bool = False,
        ema: float = 0.0,
        name: str | None = None,
    ):
        super().__init__(learning_rate=learning_rate, name=name or "src_dst_opt")
        self.cosine = cosine
        self.keep = keep
        self.clip_norm = clip_norm
        self.seed = seed
        self.scaled = scaled
        self.ema = ema
        # Ids: the variables themselves would become part of the state, twice under JAX.
        self._frozen_ids = {id(variable) for variable in frozen}

    def build(self, variables: list) -> None:
        """Allocate the moments of all ``variables``, the frozen too: the files hold them all."""
        if self.built:
            return
        super().build(variables)
        frozen = [variable for variable in variables if id(variable) in self._frozen_ids]
        self._frozen = {self._get_variable_index(variable) for variable in frozen}
        self.moments = {
            slot: [self.add_variable_from_reference(v, name=slot) for v in variables] for slot in self.slots
        }
        self.averages = [self.add_variable_from_reference(v, name="average") for v in variables] if self.ema else []
        self.restart_averages(variables)
        if self.scaled:
            first = keras.initializers.Constant(FIRST_SCALE)
            self.scale = self.add_variable((), initializer=first, dtype="float32", name="scale")
            self.calm_steps = self.add_variable((), initializer="zeros", dtype="int32", name="calm_steps")

    def restart_averages(self, variables: Iterable[Any]) -> None:
        """Set the averages of ``variables`` to their values."""
        if not self.averages:
            return
        for variable in variables:
            # A copy: under JAX the variable's buffer is given away in the next step.
            self.averages[self._get_variable_index(variable)].assign(ops.copy(variable.value))

    def scale_loss(self, loss: Tensor) -> Tensor:
        """The loss that gradients are taken of."""
        return loss * self.scale.value if self.scaled else loss

    def apply(self, grads: list, trainable_variables: list | None = None) -> None:
        """One step. grads: of the scaled loss, in the order of the variables."""
        variables = self._trainable_variables if trainable_variables is None else list(trainable_variables)
        if not self.built:
            self.build(variables)
        if self.scaled:
            grads = self._unscaled(grads)
        if self.clip_norm:
            grads = self._clipped(grads, variables)
        # Computed once a step, not once a variable.
        self._now = self._cosine(), self._drawn() if self.keep < 1 else []
        super().apply(grads, trainable_variables)
        # Not strict: without averages the first list is empty.
        for mean, variable in zip(self.averages, self._trainable_variables, strict=False):
            self.assign(mean, mean + (1 - self.ema) * (variable - mean))
        if self.scaled:
            self._adapt_scale()

    def _unscaled(self, grads: list) -> list:
        """The gradients of the loss itself, zeros when one of them has overflowed; ``_sound`` says which."""
        self._sound = ops.all(ops.stack([ops.all(ops.isfinite(g)) for g in grads]))
        return [ops.where(self._sound, g / self.scale.value, 0.0) for g in grads]

    def _adapt_scale(self) -> None:
        grows = self.calm_steps + 1 >= _GROWTH_STEPS
        # ``value``: JAX takes arrays only, no variables.
        larger = ops.where(grows, ops.minimum(self.scale * 2, LARGEST_SCALE), self.scale.value)
        calm = ops.cast(ops.where(grows, 0, self.calm_steps + 1), "int32")
        self.scale.assign(ops.where(self._sound, larger, self.scale / 2))
        self.calm_steps.assign(ops.where(self._sound, calm, 0))

    def assign(self, variable: Any, value: Tensor) -> None:
        """Every change of a moment or an average; none in a step that has overflowed."""
        super().assign(variable, ops.where(self._sound, value, variable.value) if self.scaled else value)

    def update_step(self, gradient: Tensor, variable: Any, learning_rate: Tensor) -> None:
        """Move one variable; Keras calls it."""
        index = self._get_variable_index(variable)
        if index in self._frozen:
            return
        step = self._direction(ops.cast(gradient, variable.dtype), index)
        cosine, drawn = self._now
        if self.keep < 1:
            step = ops.where(drawn[index] < round(self.keep * 256), step, 0.0)
        if self.scaled:
            step = ops.where(self._sound, step, 0.0)
        self.assign_sub(variable, ops.cast(learning_rate * cosine, variable.dtype) * step)

    def _drawn(self) -> list[Tensor]:
        """A random byte, 0..255, for every weight of every variable.

        Bytes, four of each number that is drawn, take two thirds of the time of floats; one draw for all variables,
        for every call has its price.
        """
        sizes = [math.prod(variable.shape) for variable in self._trainable_variables]
        words = keras.random.randint((-(-sum(sizes) // 4),), *_WORDS, dtype="int32", seed=self._step_seed())
        drawn, start = ops.view(words, "uint8"), 0
        parts = []
        for variable, size in zip(self._trainable_variables, sizes, strict=True):
            parts.append(ops.reshape(drawn[start : start + size], variable.shape))
            start += size
        return parts

    def _step_seed(self) -> "_StepSeed":
        return _StepSeed(self.seed, ops.cast(self.iterations, "int32"))

    def _direction(self, gradient: Tensor, index: int) -> Tensor:
        """Update the moments of variable number ``index``; returns its step for a rate of 1."""
        raise NotImplementedError

    def _cosine(self) -> Tensor | float:
        """The factor of the rate in this step, 0..1."""
        if not self.cosine:
            return 1.0
        # Counted after this step, as good as the original does; the counter itself rises only later.
        angle = ops.cast(self.iterations + 1, "float32") * (2 * _PI / self.cosine)
        return (1 + ops.cos(angle)) / 2

    def _clipped(self, grads: list, variables: list) -> list:
        """All gradients times clip_norm / norm when their common norm reaches it; the frozen count as absent."""
        # The original hands frozen variables to no optimizer at all, so its norm is without them.
        moving = [g for g, v in zip(grads, variables, strict=True) if self._get_variable_index(v) not in self._frozen]
        norm = ops.sqrt(sum(ops.sum(ops.square(g)) for g in moving))
        scale = ops.where(norm >= self.clip_norm, self.clip_norm / norm, 1.0)
        return [g * scale for g in grads]

    def slot_arrays(self, names: Sequence[str]) -> Iterator[tuple[str, str, np.ndarray]]:
        """(slot, name, float32 array) of every moment, fetched one at a time.

        names: the variables' names in the order they were built in.
        """
        for slot in self.slots:
            for name, variable in zip(names, self.moments[slot], strict=True):
                yield slot, name, np.asarray(ops.convert_to_numpy(variable.value))

    def load_slots(
        self, names: Sequence[str], iterations: int, slots: Mapping[str, Mapping[str, np.ndarray]]
    ) -> list[str]:
        """Take over a saved state: slot -> name -> array.

        Returns what it lacks or has in another shape: those moments become zero.
        """
        self.iterations.assign(iterations)
        missing = []
        for slot in self.slots:
            for name, variable in zip(names, self.moments[slot], strict=True):
                array = slots.get(slot, {}).get(name)
                # Another shape with as many values is taken: the original reshapes such arrays too.
                if array is None or np.size(array) != math.prod(variable.shape):
                    missing.append(f"{slot} {name}")
                    variable.assign(np.zeros(variable.shape, np.float32))
                else:
                    variable.assign(np.reshape(array, variable.shape))
        return missing


class AdaBelief(MomentOptimizer):
    """m <- 0.9 m + 0.1 g;  v <- 0.999 v + 0.001 (g - m)^2;  w <- w - rate K m / (sqrt(v) + 1e-6).

    K: the random 0/1 mask.
    """

    slots = ("ms", "vs")

    def _direction(self, gradient: Tensor, index: int) -> Tensor:
        m, v = self.moments["ms"][index], self.moments["vs"][index]
        new_m = 0.9 * m + 0.1 * gradient
        new_v = 0.999 * v + 0.001 * ops.square(gradient - new_m)
        self.assign(m, new_m)
        self.assign(v, new_v)
        return new_m / (ops.sqrt(new_v) + _EPSILON)


class RMSprop(MomentOptimizer):
    """a <- 0.9 a + 0.1 g^2;  w <- w - rate K g / (sqrt(a) + 1e-6).  K: the random 0/1 mask."""

    slots = ("acc",)

    def _direction(self, gradient: Tensor, index: int) -> Tensor:
        a = self.moments["acc"][index]
        new_a = 0.9 * a + 0.1 * ops.square(gradient)
        self.assign(a, new_a)
        return gradient / (ops.sqrt(new_a) + _EPSILON)


class _StepSeed(keras.random.SeedGenerator):
    """A seed that is a function of (seed, iteration): nothing to save, nothing to restore.

    iteration: int32 (JAX has no larger integers by default).
    """

    # It has no state of its own, so Keras's initialization is left out.
    def __init__(self, seed: int, iteration: Tensor):
        self._seed, self._iteration = seed, iteration

    def next(self, ordered: bool = True) -> Tensor:
        words = [self._iteration, ops.cast(self._seed % 2**31, "int32")]
        return ops.cast(ops.stack(words), "uint32")
