"""Weights of golden networks, made by the rule that their README gives."""

import zlib

import numpy as np
import pytest


def _value(network: str, key: str, shape: tuple, kind: str) -> np.ndarray:
    rng = np.random.RandomState(zlib.crc32(f"{network}/{key}".encode()))
    leaf = key.rsplit("/", 1)[-1]
    if kind == "networks" and leaf == "eps:0":
        return np.full(shape, -3e-4, np.float32)
    if kind == "networks" and (leaf == "running_var:0" or (leaf == "weight:0" and len(shape) == 1)):
        return (rng.rand(*shape) + 0.5).astype(np.float32)
    if len(shape) >= 2:
        small = 0.02 if network == "S3FD" and "conf/weight" in key else 1.0
        return (rng.randn(*shape) * np.sqrt(1.6 / np.prod(shape[:-1])) * small).astype(np.float32)
    return (rng.randn(*shape) * {"archi": 0.15, "train": 0.05, "networks": 0.1}[kind]).astype(np.float32)


@pytest.fixture(scope="session")
def golden_weights():
    """(network's name, {key: shape}, archi | train | networks) -> weights."""

    def make(network, shapes, kind):
        return {key: _value(network, key, tuple(shape), kind) for key, shape in shapes.items()}

    return make
