"""Small models in model folders, whose every file tells the iteration that it belongs to."""

from functools import partial

import numpy as np

from core.checkpoints.model_folder import ModelFolder
from core.formats.dfl_weights import ModelData, read_data, read_weights, write_arrays, write_data
from core.networks import archs
from core.networks.config import config_from_options
from core.networks.weights import initial_weights
from core.training.saved_state import STATE, state_writer

NETWORKS = ("encoder.npy", "decoder.npy")


def writers(iteration: int, size: int = 2000) -> dict:
    """Files whose every number tells the iteration."""

    def network(name):
        values = np.random.default_rng([iteration, len(name)]).random(size, np.float32)
        values[0] = iteration
        return lambda stream: write_arrays(stream, [("a/weight:0", values), ("b/weight:0", values[:3])])

    return {name: network(name) for name in NETWORKS} | {
        "data.dat": lambda stream: write_data(stream, ModelData(iteration, {"resolution": 64}))
    }


def iterations(model: ModelFolder) -> set[int]:
    """The iterations that the files of the loaded model belong to."""
    files = model.load().files
    return {read_data(files["data.dat"]).iteration} | {int(read_weights(files[n])["a/weight:0"][0]) for n in NETWORKS}


def model_files(options: dict, iteration: int, seed: int, state: dict) -> dict:
    """A whole model of SAEHD with first values, as a save has it. options: that fix its networks."""
    config = config_from_options(options)
    networks = {name: initial_weights(name, network, seed) for name, network in archs.networks(config).items()}
    files = {f"{name}.npy": partial(_write, list(weights.items())) for name, weights in networks.items()}
    files["data.dat"] = lambda stream: write_data(stream, ModelData(iteration, options))
    return files | {STATE: state_writer(state)}


def _write(arrays, stream):
    write_arrays(stream, arrays)
