"""The networks of a model as Keras trains them, and as previews look at them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import keras
from keras import ops

from core.training.objective.forward import Views, forward
from core.training.objective.scene import exhibits, input_of, scene_of
from core.training.objective.terms import Group, Objective

Tensor = Any


class Autoencoder(keras.Model):
    """The networks of a model with their objective; every Keras backend trains it through ``train_on_batch``.

    Input: a dict of tensors as ``inputs.training_inputs`` makes them. Output: ``Views`` as a dict, without what
    the objective does not look at.

    architecture: how the networks are wired, a key of ``forward.ARCHITECTURES``.
    discriminators: frozen networks that judge, by name.
    kept: shapes of those of ``scene.exhibits`` that each step keeps in the variables ``exhibits``.
    """

    def __init__(
        self,
        architecture: str,
        networks: Mapping[str, keras.Model],
        objective: Objective,
        discriminators: Mapping[str, keras.Model],
        kept: Mapping[str, tuple[int, ...]] = MappingProxyType({}),
    ):
        super().__init__(name="autoencoder")
        self.architecture = architecture
        self.objective = objective
        self.networks, self.discriminators = dict(networks), dict(discriminators)
        for model in (*self.discriminators.values(), *(self.networks[name] for name in objective.untrained)):
            model.trainable = False
        # The mean src and dst loss of the last step. A variable, for a compiled step gives nothing else out.
        self.reported = self.add_weight(
            shape=(2,), initializer="zeros", trainable=False, name="reported", dtype="float32"
        )
        # What the discriminators learn from: variables again, and so it never leaves the device.
        self.exhibits = {
            name: self.add_weight(shape=shape, initializer="zeros", trainable=False, name=name, dtype="float32")
            for name, shape in kept.items()
        }

    def call(self, inputs: Mapping[str, Tensor], training: bool = False) -> dict[str, Tensor]:
        seen = {**inputs, "warped": input_of(inputs)}
        return forward(self.architecture, self.networks, seen, self.objective.views).present()

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Tensor:
        """The sum over the batch of the per-sample objective."""
        total = self.objective.total
        scene = scene_of(x, Views(**y_pred), self.objective.traits, self.discriminators)
        src, dst = ops.split(total(Group.RECONSTRUCTION, scene), 2)
        src = src + total(Group.STYLE, scene)
        self.reported.assign(ops.stack([ops.mean(src), ops.mean(dst)]))
        if self.exhibits:
            made = exhibits(scene)
            for name, variable in self.exhibits.items():
                variable.assign(ops.stop_gradient(made[name]))
        # The sum and not the mean: the moments in the files, the epsilon and the clipping go by gradients of the sum.
        loss = ops.sum(src + dst + total(Group.SURROUNDINGS, scene) + total(Group.ADVERSARIAL, scene))
        # Kept apart without such terms: the order of sums decides the last bits of a loss.
        return loss + ops.sum(total(Group.DETAIL, scene)) if self.objective.has(Group.DETAIL) else loss

    def compute_metrics(self, *_: Any, **__: Any) -> dict[str, Any]:
        """None: Keras would fetch them, and wait for the step to end."""
        return {}

    def reconstruction_loss(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """How far each face is from itself, (2B,) float32: the reported loss without styles."""
        scene = scene_of(inputs, Views(**self(inputs, training=False)), self.objective.traits, self.discriminators)
        return ops.cast(self.objective.total(Group.RECONSTRUCTION, scene), "float32")


class Viewer(keras.Model):
    """The faces of a batch and the swap, ``Views`` as a dict; for previews."""

    def __init__(self, architecture: str, networks: Mapping[str, keras.Model]):
        super().__init__(name="viewer")
        self.architecture, self.networks = architecture, dict(networks)

    def call(self, inputs: Mapping[str, Tensor], training: bool = False) -> dict[str, Tensor]:
        return forward(self.architecture, self.networks, inputs, {"swap"}).present()
