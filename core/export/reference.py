"""The same model in Keras, to check an exported file against."""

from collections.abc import Mapping

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from core.export.verify import Array, Reference
from core.networks import archs
from core.networks.config import ModelConfig
from core.networks.keras_builder import KerasGraph, build_network, set_weights


def keras_reference(weights: Mapping[str, Mapping[str, NDArray]], config: ModelConfig) -> Reference:
    """Evaluates the model in float32 on the CPU, where no reduced-precision arithmetic (TF32) blurs the comparison."""
    with keras.device("cpu"):
        models = {}
        for name, network in archs.networks(config).items():
            models[name] = build_network(name, network, seed=None, dtype="float32")
            set_weights(models[name], network, weights[name], where=name)
    arch, graph = archs.load(config), KerasGraph(models)

    def evaluate(faces: Array, morph: float | None) -> tuple[Array, Array, Array]:
        with keras.device("cpu"):
            amount = None if morph is None else np.array([morph], np.float32)
            dst_code, swap_code = arch.dst_codes(graph, ops.convert_to_tensor(faces), amount)
            face, mask = graph.call(arch.DECODER_SRC, swap_code)
            dst_mask = graph.call(arch.DECODER_DST, dst_code, "mask")
            return tuple(np.asarray(ops.convert_to_numpy(v)) for v in (dst_mask, face, mask))  # type: ignore[return-value]

    return evaluate
