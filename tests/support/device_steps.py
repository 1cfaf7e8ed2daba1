"""Run by tests in a process of its own: the same steps on one device with the whole batch, and on two that share it.

Arguments: JSON of recipe fields, JSON of trainer settings. Prints one line of JSON.

AdaBelief's first steps are nearly signs: where a gradient is as small as its rounding, the order in which two devices
add up turns a whole step around. So here its epsilon is 1, far above the second moments: a step is the rate times the
first moment, and differences of rounding stay differences of rounding. The rate is raised in return, so that weights
move.
"""

import json
import os
import sys
from collections.abc import Iterable

import numpy as np

if os.environ["KERAS_BACKEND"] == "tensorflow":
    import tensorflow as tf

    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )

from core.data.batches import TrainingBatch
from core.networks.keras_builder import get_weights
from core.training.inputs import training_inputs
from core.training.objective import optimizers
from core.training.recipe import Recipe
from core.training.settings import TrainerSettings
from core.training.trainer import Trainer

STEPS, RATE = 3, 1000.0


def main() -> None:
    recipe, settings = Recipe(**json.loads(sys.argv[1])), {"rate": RATE, **json.loads(sys.argv[2])}
    optimizers._EPSILON = 1.0
    one, two = (Trainer(recipe, TrainerSettings(**settings, devices=devices)) for devices in (1, 2))
    start = weights(one)
    batch = smooth(recipe.batch_size, recipe.resolution)
    losses = [[trainer.step(batch) for _ in range(STEPS)] for trainer in (one, two)]
    moved = distance(start, weights(one))
    result = {
        "devices": list(two.devices),
        "used": used(two, batch),
        "losses": losses,
        "moved": moved,
        "weights": distance(weights(one), weights(two)) / moved,
        "averages": distance(averages(one), averages(two)) / moved,
        "gradients": max(relative(a, b) for a, b in zip(moments(one), moments(two), strict=True)),
    }
    sys.stdout.write(json.dumps(result) + "\n")


def smooth(size: int, resolution: int) -> TrainingBatch:
    """A batch of soft blobs: on noise the samples' gradients cancel each other out and leave rounding."""
    random = np.random.RandomState(3)
    small = random.rand(2, size, 1, 1, 3).astype(np.float32)
    ramp = np.linspace(0, np.pi, resolution, dtype=np.float32)
    images = small * np.outer(np.sin(ramp), np.sin(ramp)).astype(np.float32)[..., None]
    mask = np.ones((2, size, resolution, resolution, 1), np.float32)
    return TrainingBatch(0, images, images, mask, mask)


def weights(trainer: Trainer) -> list[np.ndarray]:
    """The weights of all networks, those of discriminators too."""
    networks = [*trainer.weights().values(), *(get_weights(found.network) for found in trainer.discriminators)]
    return [array for network in networks for array in network.values()]


def averages(trainer: Trainer) -> list[np.ndarray]:
    """The running averages of the weights, none where none are kept."""
    return [np.asarray(variable) for variable in trainer.optimizer.averages]


def moments(trainer: Trainer) -> list[list[np.ndarray]]:
    """The first moments of every optimizer: sums of the gradients of all steps, each with a factor of its own."""
    every = [trainer.optimizer, *trainer.discriminators.optimizers()]
    return [[np.asarray(variable) for variable in optimizer.moments["ms"]] for optimizer in every]


def distance(a: Iterable[np.ndarray], b: Iterable[np.ndarray]) -> float:
    """The Euclidean distance of two lists of arrays."""
    return float(np.sqrt(sum(np.square(x - y, dtype=np.float64).sum() for x, y in zip(a, b, strict=True))))


def relative(a: list[np.ndarray], b: list[np.ndarray]) -> float:
    """Their distance as a share of the first's length."""
    return distance(a, b) / distance(a, [np.zeros_like(x) for x in a])


def used(trainer: Trainer, batch: TrainingBatch) -> list[str]:
    """The devices that the gradients of convolutions are placed on; empty where this cannot be seen."""
    if os.environ["KERAS_BACKEND"] != "tensorflow":
        return []
    x = training_inputs(batch, trainer.recipe, 0)
    graph = tf.function(trainer.model.train_step).get_concrete_function(x).graph
    places = [op.device for op in graph.get_operations() if op.type == "Conv2DBackpropFilter"]
    return sorted({":".join(place.split(":")[-2:]) for place in places})


if __name__ == "__main__":
    main()
