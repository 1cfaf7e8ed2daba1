"""The weights of a model folder, every tensor accounted for."""

from collections.abc import Mapping
from pathlib import Path

from core.errors import InputError
from core.formats.dfl_weights import AVERAGED, read_weights
from core.networks import archs
from core.networks.config import ModelConfig
from core.networks.weights import Weights, check_weights


def averaged_parts(files: Mapping[str, Path], config: ModelConfig) -> list[str]:
    """The networks of which ``files`` has running averages of the weights."""
    return [name for name in archs.networks(config) if f"{AVERAGED}{name}.npy" in files]


def read_model_weights(files: Mapping[str, Path], config: ModelConfig, *, averages: bool = False) -> dict[str, Weights]:
    """Name of the network's file -> weights.

    files: as ``LoadedModel.files``.
    averages: the running averages where there are some.

    Raises:
        InputError: a file is missing, or its tensors do not fit the network.
        CorruptFileError: a file is damaged.
    """
    networks = archs.networks(config)
    missing = [f"{name}.npy" for name in networks if f"{name}.npy" not in files]
    if missing:
        raise InputError(
            "weights of the model are missing",
            where=", ".join(missing),
            hint="copy them into the model folder, or restore a save or backup",
        )
    out = {}
    for name, network in networks.items():
        path = files[f"{name}.npy"]
        if averages:
            path = files.get(f"{AVERAGED}{name}.npy", path)
        out[name] = read_weights(path)
        check_weights(network, out[name], path)
    return out
