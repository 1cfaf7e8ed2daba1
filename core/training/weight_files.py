"""Live networks and optimizers from and to the files of the DeepFaceLab format."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from core.errors import CorruptFileError, DivergedError
from core.formats import dfl_weights
from core.networks.keras_builder import named_variables
from core.training.objective.optimizers import FIRST_SCALE
from core.training.saved_state import read_state

log = logging.getLogger(__name__)
SCALES = "loss_scale.json"


def names_of(networks: Mapping[str, keras.Model], variables: Sequence[Any]) -> list[str]:
    """Full names of ``variables``: the network's name in front of the key in its file."""
    known: dict[int, str] = {}
    for name, model in networks.items():
        # By id, for Keras variables have no hash and cannot be keys.
        known |= {id(variable): f"{name}/{key}" for key, variable in named_variables(model).items()}
    return [known[id(variable)] for variable in variables]


def load_optimizer(optimizer: Any, names: list[str], path: Path) -> None:
    """Take over the state in ``path``; what it lacks starts at zero, with a message.

    That is the case for another kind of optimizer, and for a new part of the model. names: of the variables, in the
    optimizer's order.
    """
    state = dfl_weights.read_optimizer(path)
    missing = optimizer.load_slots(names, state.iterations, state.slots)
    if missing:
        total = len(names) * len(optimizer.slots)
        text = "%s has no state for %d of %d moments (%s ...): these start at zero"
        log.warning(text, path.name, len(missing), total, missing[0])


def write_network(model: keras.Model, stream: IO[bytes], *, values: Mapping[int, Any] | None = None) -> None:
    """All weights, one tensor in memory at a time. values: ``id`` of a variable -> what is written in its place."""
    dfl_weights.write_arrays(stream, _arrays(model, values or {}))


def _arrays(model: keras.Model, values: Mapping[int, Any]) -> Iterator[tuple[str, NDArray[np.float32]]]:
    for key, variable in named_variables(model).items():
        written = values.get(id(variable), variable)
        # One at a time, so that a save needs memory for a single tensor beside the model.
        yield key, finite(np.asarray(ops.convert_to_numpy(written.value), np.float32), f"{model.name}/{key}")


def write_optimizer(optimizer: Any, names: list[str], stream: IO[bytes]) -> None:
    """All moments, one tensor in memory at a time."""
    arrays = ((slot, name, finite(array, f"{slot} of {name}")) for slot, name, array in optimizer.slot_arrays(names))
    dfl_weights.write_optimizer(stream, int(ops.convert_to_numpy(optimizer.iterations.value)), arrays)


def finite(array: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    """The array itself.

    The loss of a step is that before it, so a step that spoils the weights is seen here first.

    Raises:
        DivergedError: some of its numbers are not finite.
    """
    if np.isfinite(array).all():
        return array
    raise DivergedError("training diverged: refusing to save numbers that are not finite", where=name)


def write_scales(optimizers: list[Any], stream: IO[bytes]) -> None:
    """The scale of the loss of each optimizer and its steps without overflow, as JSON by the optimizer's name."""
    scales = {}
    for optimizer in optimizers:
        scale, calm = (ops.convert_to_numpy(variable.value) for variable in (optimizer.scale, optimizer.calm_steps))
        scales[optimizer.name] = [float(scale), int(calm)]
    stream.write((json.dumps(scales, indent=1) + "\n").encode())


def load_scales(optimizers: list[Any], path: Path | None) -> None:
    """Take over what ``write_scales`` wrote; an optimizer that is not there starts from the first scale.

    Raises:
        CorruptFileError: the file is damaged.
    """
    saved = read_state(path)
    for optimizer in optimizers:
        try:
            scale, calm = saved.get(optimizer.name, (FIRST_SCALE, 0))
            optimizer.scale.assign(float(scale))
            optimizer.calm_steps.assign(int(calm))
        except (TypeError, ValueError) as error:
            raise CorruptFileError(
                "cannot read the scales of the loss",
                where=path,
                why=str(error),
                hint="delete that file: the scales start anew",
            ) from None
