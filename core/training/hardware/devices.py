"""Several devices that share each batch.

Every one takes its slice of both sides, and the gradients of all slices are summed, as the objective sums over the
batch. What follows (clipping, moments, dropout of steps, averages) sees the whole gradient and happens once.

TensorFlow: one step function holds the slices side by side; the weights live on the first device. JAX: Keras shards the
batch.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import keras
from keras import ops

from core.errors import EnvironmentFault, UsageError


def chosen(count: int, batch_size: int) -> tuple[str, ...]:
    """Names of the first ``count`` devices; empty for one, where nothing is shared.

    Raises:
        UsageError: the batch cannot be shared evenly.
        EnvironmentFault: there are fewer devices, or the backend cannot use several.
    """
    if count < 2:
        return ()
    if batch_size % count:
        fitting = count * max(1, round(batch_size / count))
        raise UsageError(
            "the devices cannot share a batch evenly",
            where=f"--devices {count} --batch-size {batch_size}",
            hint=f"choose a batch size that {count} divides, such as {fitting}",
        )
    backend = keras.backend.backend()
    if backend not in ("tensorflow", "jax"):
        raise EnvironmentFault(
            "several devices need TensorFlow or JAX",
            where=f"--devices {count}",
            why=f"the backend is {backend}",
            hint="use --devices 1",
        )
    found = keras.distribution.list_devices()
    if len(found) < count:
        raise EnvironmentFault(
            "there are fewer devices than asked for",
            where=f"--devices {count}",
            why=f"{backend} finds {len(found)}: {', '.join(found)}",
            hint=f"use --devices {len(found)}; `bash scripts/doctor.sh` checks the drivers",
        )
    return tuple(found[:count])


def scope(names: Sequence[str]) -> AbstractContextManager:
    """Where networks and optimizers are made, and steps taken."""
    # TensorFlow needs no scope: its step names the devices itself, see share.
    if not names or keras.backend.backend() != "jax":
        return nullcontext()
    return keras.distribution.DataParallel(devices=list(names)).scope()


def share(model: keras.Model, names: Sequence[str], sides: int) -> None:
    """Let the steps of ``model`` run on the devices ``names``; before the first step only.

    Does nothing where there is nothing to do.

    sides: how many groups of equal size a batch holds one after the other (2: src, then dst); each device gets a slice
    of every group.
    """
    if names and keras.backend.backend() == "tensorflow":
        model.train_step = partial(_train_step, model, names, sides)
        model.predict_step = partial(_predict_step, model, names, sides)


def _train_step(model: keras.Model, names: Sequence[str], sides: int, data: Any) -> dict[str, Any]:
    import tensorflow as tf

    x = keras.utils.unpack_x_y_sample_weight(data)[0]
    # The autoencoder reports its losses; discriminators, whose steps are shared too, do not.
    reported = getattr(model, "reported", None)
    gradients, reports = [], []
    for name, part in zip(names, slices(x, len(names), sides), strict=True):
        with tf.device(name):
            gradients.append(_gradients(model, part))
            if reported is not None:
                # A copy of the value now: the next slice assigns to the same variable.
                reports.append(tf.identity(reported))
    if reported is not None:
        # The slices are equally large, so the mean of their means is the mean of the batch.
        reported.assign(sum(reports) / len(reports))
    model.optimizer.apply([_summed(same) for same in zip(*gradients, strict=True)], model.trainable_variables)
    return {}


def _gradients(model: keras.Model, part: Mapping[str, Any]) -> list[Any]:
    """Of the scaled loss of a slice: taken inside the device's scope, or all would run on the first one."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss = model.optimizer.scale_loss(model.compute_loss(x=part, y_pred=model(part, training=True)))
    return tape.gradient(loss, model.trainable_variables)


def _summed(same: Sequence[Any]) -> Any:
    """The gradient of a variable over all slices; None for a variable that the loss does not depend on."""
    return None if same[0] is None else sum(same)


def _predict_step(model: keras.Model, names: Sequence[str], sides: int, data: Any) -> dict[str, Any]:
    import tensorflow as tf

    x = keras.utils.unpack_x_y_sample_weight(data)[0]
    made = []
    for name, part in zip(names, slices(x, len(names), sides), strict=True):
        with tf.device(name):
            made.append(model(part))
    return {key: ops.concatenate([output[key] for output in made]) for key in made[0]}


def slices(x: Mapping[str, Any], count: int, sides: int) -> list[dict[str, Any]]:
    """The batch in ``count`` equal parts, each with its share of every side."""
    if count == 1:
        return [dict(x)]
    parts: list[dict[str, Any]] = [{} for _ in range(count)]
    for name, value in x.items():
        of_sides = [ops.split(side, count) for side in ops.split(value, sides)]
        for part, shares in zip(parts, zip(*of_sides, strict=True), strict=True):
            part[name] = ops.concatenate(list(shares))
    return parts
