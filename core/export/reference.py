"""The same networks in Keras, to check exported files against."""

from collections.abc import Callable, Mapping

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from core.export.dfm_check import Reference
from core.export.verify import FloatArray
from core.inference.dfm import Swap
from core.inference.xseg_weights import XSegWeights
from core.networks import archs
from core.networks.config import ModelConfig
from core.networks.keras_builder import KerasGraph, build_network, set_weights


def keras_reference(
    weights: Mapping[str, Mapping[str, NDArray]], config: ModelConfig, *, reverse: bool = False
) -> Reference:
    """Evaluates the model in float32 on the CPU, where no reduced-precision arithmetic (TF32) blurs the comparison.

    weights: name of the network's file -> key -> array. reverse: of the swap the other way.

    Raises:
        InputError: the weights do not fit the model.
    """
    with keras.device("cpu"):
        models = {}
        for name, network in archs.networks(config).items():
            models[name] = build_network(name, network, seed=None, dtype="float32")
            set_weights(models[name], network, weights[name], where=name)
    graph = KerasGraph(models)
    codes, put_on, beneath = archs.direction(archs.load(config), reverse)

    def evaluate(faces: FloatArray, morph: float) -> Swap:
        with keras.device("cpu"):
            amount = np.array([morph], np.float32)
            own_code, swap_code = codes(graph, ops.convert_to_tensor(faces), amount)
            face, face_mask = graph.call(put_on, swap_code)
            target_mask = graph.call(beneath, own_code, "mask")
            return Swap(_to_numpy(target_mask), _to_numpy(face), _to_numpy(face_mask))

    return evaluate


def keras_mask_reference(weights: XSegWeights) -> Callable[[FloatArray], FloatArray]:
    """Evaluates XSeg likewise: faces (N, R, R, 3) -> masks (N, R, R, 1)."""
    with keras.device("cpu"):
        network = build_network("XSeg", weights.network, seed=None, dtype="float32")
        set_weights(network, weights.network, weights.weights, where=weights.origin)

    def evaluate(faces: FloatArray) -> FloatArray:
        with keras.device("cpu"):
            return _to_numpy(ops.sigmoid(network(faces)))

    return evaluate


def _to_numpy(tensor: object) -> FloatArray:
    return np.asarray(ops.convert_to_numpy(tensor))
