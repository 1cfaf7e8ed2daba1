"""The weights of SFace under the names of ``core.networks.sface``; norms are folded into the layers before or after."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.inference.dequantize import float_model
from core.inference.packaged_weights import SFACE, locate
from core.networks.sface import convolutions
from core.networks.weights import Weights

# Of the norms after convolutions, and of the two around the last layer.
_EPSILON, _LAST_EPSILON = 1e-3, 2e-5
# Axes of kernels: out, in, height, width in ONNX.
_CONV, _DEPTHWISE = (2, 3, 1, 0), (2, 3, 0, 1)
Values = Mapping[str, NDArray[np.float64]]


def sface_weights() -> Weights:
    """Key -> array, float32.

    Raises:
        EnvironmentFault: the package of the weights is not installed.
        CorruptFileError: its file is not the one that is trusted.
    """
    import onnx  # half a second, and only training with this network needs it
    from onnx import numpy_helper

    graph = onnx.load_from_string(float_model(locate(SFACE).read_bytes())).graph
    values = {tensor.name: numpy_helper.to_array(tensor).astype(np.float64) for tensor in graph.initializer}
    weights = _last_layer(values)
    for name in convolutions():
        scale, shift = _norm(values, f"{name}_batchnorm", _EPSILON)
        kernel = values[f"{name}_conv2d_weight_reshaped"] * scale[:, None, None, None]
        weights[f"{name}/weight:0"] = kernel.transpose(_DEPTHWISE if name.endswith("_dw") else _CONV)
        weights[f"{name}/bias:0"] = shift
        weights[f"{name}_relu/alpha:0"] = values[f"{name}_relu/slope"].reshape(1, 1, -1)
    return {key: np.ascontiguousarray(array, np.float32) for key, array in weights.items()}


def _last_layer(values: Values) -> dict[str, NDArray[np.float64]]:
    """A norm of maps, a dense layer, a norm of its numbers: one dense layer."""
    kernel = values["pre_fc1_weight_dequantized"]
    before, shift_before = (
        np.repeat(numbers, kernel.shape[1] // len(numbers)) for numbers in _norm(values, "bn1", _LAST_EPSILON)
    )
    after, shift_after = _norm(values, "fc1", _LAST_EPSILON)
    bias = kernel @ shift_before + values["pre_fc1_bias_dequantized"]
    return {"fc1/weight:0": (kernel * before * after[:, None]).T, "fc1/bias:0": bias * after + shift_after}


def _norm(values: Values, name: str, epsilon: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(scale, shift) of each channel."""
    gamma, beta, mean, variance = (values[f"{name}_{leaf}"] for leaf in ("gamma", "beta", "moving_mean", "moving_var"))
    scale = gamma / np.sqrt(variance + epsilon)
    return scale, beta - mean * scale
