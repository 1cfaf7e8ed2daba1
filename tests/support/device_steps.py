"""Run by the tests in a process of its own: three steps on one device with the whole batch, then on two that share it.

Arguments: JSON of recipe fields, JSON of trainer settings. Prints one line of JSON.
"""

import json
import os
import sys

import numpy as np

if os.environ["KERAS_BACKEND"] == "tensorflow":
    import tensorflow as tf

    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )

from core.networks.keras_builder import get_weights
from core.training.hardware.measure import noise
from core.training.inputs import training_inputs
from core.training.recipe import Recipe
from core.training.trainer import Trainer, TrainerSettings

STEPS = 3


def run(devices: int) -> tuple[list, list[np.ndarray], Trainer]:
    recipe, settings = Recipe(**json.loads(sys.argv[1])), json.loads(sys.argv[2])
    trainer = Trainer(recipe, TrainerSettings(**settings, devices=devices))
    batch = noise(recipe.batch_size, recipe.resolution)
    losses = [trainer.step(batch) for _ in range(STEPS)]
    arrays = [array for weights in trainer.weights().values() for array in weights.values()]
    arrays += [array for player in trainer.critics.players() for array in get_weights(player.network).values()]
    return losses, arrays, trainer


def used(trainer: Trainer) -> list[str]:
    """The devices that the gradients of convolutions are placed on."""
    if os.environ["KERAS_BACKEND"] != "tensorflow":
        return []
    x = training_inputs(noise(trainer.recipe.batch_size, trainer.recipe.resolution), trainer.recipe, 0)
    graph = tf.function(trainer.model.train_step).get_concrete_function(x).graph
    return sorted(
        {":".join(op.device.split(":")[-2:]) for op in graph.get_operations() if op.type == "Conv2DBackpropFilter"}
    )


def largest(a: list[np.ndarray], b: list[np.ndarray]) -> float:
    return max(float(np.abs(x - y).max()) for x, y in zip(a, b, strict=True))


one, weights_one, first = run(1)
two, weights_two, second = run(2)
start = [array for weights in Trainer(first.recipe, first.settings).weights().values() for array in weights.values()]
views = [trainer.views(*noise(2, first.recipe.resolution).target)["sd"] for trainer in (first, second)]
average = float(np.mean(np.concatenate([np.abs(x - y).ravel() for x, y in zip(weights_one, weights_two, strict=True)])))
result = {
    "one": one,
    "two": two,
    "mean_difference": average,
    "used": used(second),
    "devices": list(second.devices),
    "difference": largest(weights_one, weights_two),
    "moved": largest(start, weights_one[: len(start)]),
    "views": largest(views[:1], views[1:]),
}
sys.stdout.write(json.dumps(result) + "\n")
