"""Models to export: small ones of every architecture with random weights, and a model folder of one."""

from functools import partial

import numpy as np

from core.checkpoints.model_folder import ModelFolder
from core.formats.dfl_weights import ModelData, write_arrays, write_data
from core.networks import archs
from core.networks.config import ModelConfig, config_from_options
from core.networks.weights import initial_weights

OPTIONS = {
    "resolution": 64,
    "face_type": "wf",
    "archi": "liae-udt",
    "ae_dims": 8,
    "e_dims": 8,
    "d_dims": 8,
    "d_mask_dims": 4,
}
CONFIGS = {
    "liae-udt": ModelConfig(64, "wf", "liae-udt", 8, 8, 8, 4),
    "df": ModelConfig(48, "f", "df", 8, 8, 8, 4),
    "df-udc": ModelConfig(64, "f", "df-udc", 8, 8, 8, 4),
    "amp": ModelConfig(64, "wf", "amp", 8, 8, 8, 4, 12),
}


def make_weights(config: ModelConfig, seed: int = 1) -> dict:
    """Random weights with random biases, lively enough that every branch matters."""
    rng = np.random.default_rng(seed)
    out = {name: initial_weights(name, network, seed) for name, network in archs.networks(config).items()}
    for weights in out.values():
        for key in weights:
            if "bias" in key:
                weights[key] = rng.normal(0, 0.1, weights[key].shape).astype(np.float32)
    return out


def save_model(folder, name: str = "me", iteration: int = 12) -> ModelFolder:
    config = config_from_options(OPTIONS)
    files = {
        f"{n}.npy": partial(lambda weights, stream: write_arrays(stream, weights.items()), w)
        for n, w in make_weights(config).items()
    }
    model = ModelFolder(folder, name)
    model.save(iteration, files | {"data.dat": lambda stream: write_data(stream, ModelData(iteration, OPTIONS))})
    return model
