"""The discriminators of a training run.

They are the patch discriminator on faces (GAN) and, for df, the code discriminator (true face). The autoencoder is
judged by a frozen copy of each. After its step the discriminators learn on the same batch, and the copies take over
their weights.

They see what the autoencoder made in its step, which never leaves the device. In exact training they see what the
updated autoencoder makes, as in the original, which costs a pass through all networks more; so they do where several
devices share a batch.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from core.checkpoints.model_folder import Write
from core.formats import dfl_weights
from core.networks.builder import Network
from core.networks.discriminators import code_network, gan_network
from core.networks.keras_builder import build_network, set_weights
from core.networks.weights import initial_weights
from core.training.hardware.devices import share
from core.training.objective import losses
from core.training.objective.forward import forward
from core.training.objective.scene import exhibits, input_of, scene_of
from core.training.objective.terms import Objective
from core.training.recipe import Recipe
from core.training.weight_files import load_optimizer, names_of, write_network, write_optimizer

log = logging.getLogger(__name__)
Tensor = Any
Batch = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Names:
    """What belongs to a discriminator.

    file: its weights, without suffix.
    key: its name in the optimizer's keys.
    optimizer: the file of the optimizer's state, without suffix.
    real, fake: what it tells apart, names of ``scene.exhibits``.
    """

    file: str
    key: str
    optimizer: str
    real: str
    fake: str


def names_of_discriminators(objective: Objective) -> dict[str, Names]:
    """By the name that terms ask for; the names in files are the original's."""
    return {
        "code": Names("code_discriminator", "dis", "D_code_opt", real="code_dst", fake="code_src"),
        "patch": Names("GAN", objective.gan_name, "GAN_opt", real="real", fake="fake"),
    }


def discriminator_networks(objective: Objective, recipe: Recipe, networks: Mapping[str, Network]) -> dict[str, Network]:
    """The discriminators that the objective asks, by name, in the order in which they learn.

    networks: the autoencoder's.

    Raises:
        UsageError: the patch size does not fit the resolution.
    """
    found: dict[str, Network] = {}
    if "code" in objective.discriminators:
        _, side, channels = networks["decoder_src"].input_shape
        found["code"] = code_network(side, channels)  # type: ignore[arg-type]  # a decoder's shape is static
    if "patch" in objective.discriminators:
        found["patch"] = gan_network(recipe.resolution, recipe.gan_patch_size, recipe.gan_dims)
    return found


class RealFakeClassifier(keras.Model):
    """A discriminator that learns to tell ``real`` (label 1) from ``fake`` (label 0).

    weight: of each of the two labels in every map of logits.
    """

    def __init__(self, network: keras.Model, weight: float = 0.5):
        super().__init__(name=f"classifier_{network.name}")
        self.network, self.weight = network, weight

    def call(self, inputs: Mapping[str, Tensor], training: bool = False) -> Tensor:
        return self.network(ops.concatenate([inputs["real"], inputs["fake"]]))

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Tensor:
        """The weighted cross entropy of each label, for every map of logits, summed over the batch."""
        total = 0.0
        for logits in y_pred if isinstance(y_pred, (list, tuple)) else [y_pred]:
            real, fake = ops.split(logits, 2)
            both = losses.sigmoid_cross_entropy(1, real) + losses.sigmoid_cross_entropy(0, fake)
            total = total + self.weight * both
        return ops.sum(total)

    def compute_metrics(self, *_: Any, **__: Any) -> dict[str, Any]:
        """None, as of the autoencoder."""
        return {}


class Exhibits(keras.Model):
    """What the discriminators are shown, by a pass of its own."""

    def __init__(self, architecture: str, networks: Mapping[str, keras.Model], objective: Objective):
        super().__init__(name="exhibits")
        self.architecture, self.networks, self.traits = architecture, dict(networks), objective.traits

    def call(self, inputs: Mapping[str, Any], training: bool = False) -> dict[str, Any]:
        seen = {**inputs, "warped": input_of(inputs)}
        views = forward(self.architecture, self.networks, seen)
        return exhibits(scene_of(inputs, views, self.traits, discriminators={}))


@dataclass(frozen=True)
class Discriminator:
    """One discriminator in training.

    description: what its network is built from.
    frozen: the copy that judges the autoencoder.
    classifier: trains it.
    """

    names: Names
    description: Network
    network: keras.Model
    frozen: keras.Model
    classifier: RealFakeClassifier

    def learn(self, seen: Mapping[str, Any]) -> None:
        """One step. seen: arrays or tensors, as ``scene.exhibits`` has them."""
        self.classifier.train_on_batch({"real": seen[self.names.real], "fake": seen[self.names.fake]})
        self.refresh_frozen()

    def reinitialize(self, seed: int) -> None:
        """First values and no moments, also where training has spoilt both."""
        self.set_weights(initial_weights(self.names.key, self.description, seed), where=self.names.file)
        self.optimizer.load_slots(self.variable_names, 0, {})

    def set_weights(self, weights: Mapping[str, NDArray[np.float32]], where: str) -> None:
        """Raises InputError for weights of another shape, naming ``where`` they are from."""
        set_weights(self.network, self.description, weights, where=where)
        self.refresh_frozen()

    def refresh_frozen(self) -> None:
        """Give the frozen copy the weights."""
        for copy, own in zip(self.frozen.variables, self.network.variables, strict=True):
            # JAX gives the buffers of a step's own variables away: two variables must not share one.
            copy.assign(ops.copy(own.value))

    @property
    def optimizer(self) -> Any:
        return self.classifier.optimizer

    @property
    def variable_names(self) -> list[str]:
        """In the optimizer's order."""
        return names_of({self.names.key: self.network}, self.classifier.trainable_variables)

    def writers(self) -> dict[str, Write]:
        """File name without prefix -> function that writes it."""
        return {
            f"{self.names.file}.npy": partial(write_network, self.network),
            f"{self.names.optimizer}.npy": partial(write_optimizer, self.optimizer, self.variable_names),
        }

    def load(self, files: Mapping[str, Path]) -> None:
        """Take over the saved weights and, where there is one, the optimizer's state."""
        path = files[f"{self.names.file}.npy"]
        hint = f"{path} (--reinit-part {self.names.file} starts it anew)"
        self.set_weights(dfl_weights.read_weights(path), where=hint)
        state = files.get(f"{self.names.optimizer}.npy")
        if state is not None:
            load_optimizer(self.optimizer, self.variable_names, state)


class Discriminators:
    """None, one or two, as the objective asks for; iterates over them.

    frozen: the copies that judge, by name.
    """

    def __init__(
        self,
        architecture: str,
        networks: Mapping[str, keras.Model],
        objective: Objective,
        descriptions: Mapping[str, Network],
        *,
        seed: int,
        optimizer: Callable[[str], Any],
        dtype: str = "float32",
        xla: bool = False,
        devices: Sequence[str] = (),
    ):
        """Build them with first values.

        descriptions: ``discriminator_networks``.
        optimizer: name -> a new optimizer.
        dtype: policy of the layers.
        xla: compile the steps.
        devices: that share a batch.
        """
        self._seed, self._dtype, self._xla, self._devices = seed, dtype, xla, devices
        names = names_of_discriminators(objective)
        # Half of each of two labels; of the patch discriminator that sees two sides, an eighth of each of two sides,
        # two labels and two maps.
        weights = {"code": 0.5, "patch": 0.125 if objective.traits.gan_both else 0.5}
        self._by_name = {
            name: self._build(names[name], network, weights[name], optimizer) for name, network in descriptions.items()
        }
        self.frozen = {name: discriminator.frozen for name, discriminator in self._by_name.items()}
        self._exhibits = Exhibits(architecture, networks, objective)
        self._exhibits.compile(jit_compile=xla)
        share(self._exhibits, devices, sides=2)

    def _build(
        self, names: Names, description: Network, weight: float, optimizer: Callable[[str], Any]
    ) -> Discriminator:
        network = build_network(names.key, description, seed=self._seed, dtype=self._dtype)
        # A copy: the same network can be trained in one model and frozen in another, but Keras knows one flag for both.
        # Without first values: it takes over those of the other below.
        frozen = build_network(f"{names.key}_frozen", description, seed=None, dtype=self._dtype)
        classifier = RealFakeClassifier(network, weight)
        made = optimizer(names.optimizer)
        # Now, not at the first step: a saved state is loaded into the moments before that.
        made.build(classifier.trainable_variables)
        classifier.compile(optimizer=made, jit_compile=self._xla)
        # One group: real and fake are inputs of their own here, not halves of one array.
        share(classifier, self._devices, sides=1)
        discriminator = Discriminator(names, description, network, frozen, classifier)
        discriminator.refresh_frozen()
        return discriminator

    def __iter__(self) -> Iterator[Discriminator]:
        return iter(self._by_name.values())

    def step(self, x: Batch, kept: Mapping[str, Any]) -> None:
        """Train the discriminators on the batch ``x``, as ``training_inputs`` makes it.

        kept: variables with the exhibits of the autoencoder's step; without any, they are made from ``x``.
        """
        if not self._by_name:
            return
        # Copies: TensorFlow hands out the live tensor.
        seen = {name: ops.copy(variable.value) for name, variable in kept.items()}
        seen = seen or self._exhibits.predict_on_batch(dict(x))
        for discriminator in self:
            discriminator.learn(seen)

    def exhibit_shapes(self, batch_size: int) -> dict[str, Any]:
        """Name -> shape, of the exhibits that the discriminators learn from."""
        shapes: dict[str, Any] = {}
        for name, discriminator in self._by_name.items():
            sides = 2 if name == "patch" and self._exhibits.traits.gan_both else 1
            shape = (sides * batch_size, *discriminator.description.input_shape)
            shapes |= dict.fromkeys((discriminator.names.real, discriminator.names.fake), shape)
        return shapes

    def parts(self) -> list[str]:
        """Names of the weight files, without suffix."""
        return [discriminator.names.file for discriminator in self]

    def optimizers(self) -> list[Any]:
        return [discriminator.optimizer for discriminator in self]

    def writers(self) -> dict[str, Write]:
        """File name without prefix -> function that writes it."""
        return {name: write for discriminator in self for name, write in discriminator.writers().items()}

    def load(self, files: Mapping[str, Path], reinit: tuple[str, ...] = ()) -> None:
        """Take over saved discriminators; one that was never trained, or is named in ``reinit``, starts anew.

        Raises:
            InputError: a saved one has another shape.
        """
        for discriminator in self:
            file = discriminator.names.file
            if file in reinit or f"{file}.npy" not in files:
                log.info("%s starts anew", file)
                discriminator.reinitialize(self._seed)
            else:
                discriminator.load(files)
