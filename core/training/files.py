"""Live networks and optimizers from and to the files of the DeepFaceLab format."""

import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import keras
import numpy as np
from keras import ops

from core.errors import CorruptFileError
from core.formats import dfl_weights
from core.models.keras_builder import named_variables

log = logging.getLogger(__name__)
Write = Callable[[IO[bytes]], None]


def names_of(networks: Mapping[str, keras.Model], variables: list[Any]) -> list[str]:
    """Full names of ``variables``: the network's name in front of the key in its file."""
    known = {id(variable): f"{name}/{key}" for name, model in networks.items() for key, variable in named_variables(model).items()}
    return [known[id(variable)] for variable in variables]


def load_optimizer(optimizer: Any, names: list[str], path: Path) -> None:
    """Take over the state in ``path``; what it lacks (another kind of optimizer, a new part) starts at zero, with a message."""
    state = dfl_weights.read_optimizer(path)
    missing = optimizer.load_slots(names, state.iterations, state.slots)
    if missing:
        total = len(names) * len(optimizer.slots)
        log.warning("%s has no state for %d of %d moments (%s ...): these start at zero", path.name, len(missing), total, missing[0])


def write_network(model: keras.Model, stream: IO[bytes]) -> None:
    """All weights, one tensor in memory at a time."""
    arrays = ((key, np.asarray(ops.convert_to_numpy(variable.value), np.float32)) for key, variable in named_variables(model).items())
    dfl_weights.write_arrays(stream, arrays)


def write_optimizer(optimizer: Any, names: list[str], stream: IO[bytes]) -> None:
    """All moments, one tensor in memory at a time."""
    dfl_weights.write_optimizer(stream, int(ops.convert_to_numpy(optimizer.iterations.value)), optimizer.slot_arrays(names))


def read_state(path: Path | None) -> dict[str, Any]:
    """What the original's files have no place for: seed, learning rate, exactness. Raises CorruptFileError."""
    if path is None:
        return {}
    try:
        state = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise CorruptFileError("cannot read the state of a training run", where=path, why=str(error)) from None
    return state if isinstance(state, dict) else {}


def compiled() -> bool:
    """Whether XLA compiles the step: on an accelerator and under JAX; on a CPU under TensorFlow it takes long and gains nothing."""
    backend = keras.backend.backend()
    return backend == "jax" or (backend == "tensorflow" and any(not d.lower().startswith("cpu") for d in keras.distribution.list_devices()))
