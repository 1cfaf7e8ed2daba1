"""Keras models from the framework-free descriptions: NHWC, functional, the same under every Keras backend.

A layer is named as its network and its path in the weight file, with dashes for slashes (``encoder--down1-conv1``:
PyTorch takes no dots); its variables are found by that path. Without the network in them names would repeat within a
model of several networks, and of variables of the same path Keras under PyTorch knows only one: the gradients of the
others would never be cleared.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from core.networks.builder import BINOMIAL, Network, blur_padding, symmetric_padding
from core.networks.keras_layers import ChannelL2Norm, FilterResponseNorm, FrozenBatchNorm, ThresholdedUnit
from core.networks.weights import Weights, check_weights, initial_weights

# Keras's word for a weight -> that of the files, where they differ.
_LEAVES = {"kernel": "weight"}


def build_network(name: str, network: Network, *, seed: int | None = 0, dtype: Any = None) -> keras.Model:
    """A functional Keras model of ``network``; its outputs are those of the description, in order.

    seed: of the first values; None leaves kernels at zero, for a model whose weights are set next.
    dtype: a Keras dtype policy of the layers, such as ``mixed_bfloat16``, default the global one. Norms and outputs are
        float32 whatever the policy.
    """
    x = keras.Input(network.input_shape, name=f"{name}_input")
    model = keras.Model(x, network.build(KerasBuilder(name, dtype), x), name=name)
    if seed is not None:
        set_weights(model, network, initial_weights(name, network, seed), where=name)
    return model


def named_variables(model: keras.Model) -> dict[str, Any]:
    """Key in the weight file -> Keras variable."""
    return dict(_named(model))


def _named(model: keras.Model) -> Iterator[tuple[str, Any]]:
    for layer in model.layers:
        path = layer.name.partition("--")[2].replace("-", "/")
        for variable in layer.weights:
            yield f"{path}/{_LEAVES.get(variable.name, variable.name)}:0", variable


def get_weights(model: keras.Model) -> Weights:
    """A copy of all weights, float32."""
    return {key: np.array(ops.convert_to_numpy(v.value), np.float32) for key, v in _named(model)}


def set_weights(model: keras.Model, network: Network, weights: Mapping[str, NDArray], *, where: str) -> None:
    """Give the model these weights.

    where: they come from, for the message.

    Raises:
        InputError: names every missing, extra or mis-shaped tensor; nothing is changed then.
    """
    check_weights(network, weights, where)
    for key, variable in _named(model):
        variable.assign(weights[key])


class KerasGraph:
    """Networks wired together: ``models`` by the names of their files."""

    def __init__(self, models: Mapping[str, keras.Model]):
        self.models = models

    def call(self, network: str, x: Any, part: str | None = None) -> Any:
        """The outputs of a network; of a decoder ``part`` is ``image`` or ``mask``."""
        out = self.models[network](x)
        return out if part is None else out[("image", "mask").index(part)]

    def concat(self, values: Sequence[Any]) -> Any:
        return ops.concatenate(values, axis=-1)

    def morph(self, a: Any, b: Any, amount: Any) -> Any:
        return morph(a, b, amount)


def morph(a: Any, b: Any, amount: Any) -> Any:
    """The first trunc(channels * amount) channels of ``a``, the rest of ``b``. NHWC; amount: shape (1,)."""
    size = a.shape[-1]
    # floor is trunc here, for the amount is never negative.
    count = ops.floor(ops.cast(amount, "float32") * float(size))
    return ops.where(ops.cast(ops.arange(size), "float32") < count, a, b)


class KerasBuilder:
    """See ``core.networks.builder.Builder``; values are Keras tensors, NHWC.

    network: its name.
    dtype: policy of the layers with weights.
    """

    def __init__(self, network: str, dtype: Any = None):
        self.network, self.dtype = network, dtype

    def _name(self, path: str) -> str:
        return f"{self.network}--{path.replace('/', '-')}"

    def _settings(self, path: str) -> dict[str, Any]:
        """What all layers with a kernel share; first values are set afterwards, so that no generator runs in vain."""
        return {"kernel_initializer": "zeros", "name": self._name(path), "dtype": self.dtype}

    def conv(
        self,
        x,
        name: str,
        channels: int,
        kernel: int,
        *,
        stride: int = 1,
        pad: int | None = None,
        bias: bool = True,
    ):
        p = symmetric_padding(kernel) if pad is None else pad
        # Where a stride or an even kernel leaves a choice, Keras puts more zeros at the end; the files want them even.
        same = stride == 1 and kernel == 2 * p + 1
        if p and not same:
            x = layers.ZeroPadding2D(p, dtype=self.dtype)(x)
        padding = "same" if same else "valid"
        return layers.Conv2D(channels, kernel, stride, padding, use_bias=bias, **self._settings(name))(x)

    def depthwise(self, x, name: str, kernel: int, *, stride: int = 1):
        p = symmetric_padding(kernel)
        same = stride == 1 and kernel == 2 * p + 1
        if not same:
            x = layers.ZeroPadding2D(p, dtype=self.dtype)(x)
        settings = {"depthwise_initializer": "zeros", "name": self._name(name), "dtype": self.dtype}
        return layers.DepthwiseConv2D(kernel, stride, "same" if same else "valid", **settings)(x)

    def conv_transpose(self, x, name: str, channels: int, kernel: int, *, stride: int = 2):
        # Here Keras's own "same" is what the files mean.
        return layers.Conv2DTranspose(channels, kernel, stride, "same", **self._settings(name))(x)

    def dense(self, x, name: str, units: int):
        return layers.Dense(units, **self._settings(name))(x)

    def lrelu(self, x, slope: float):
        return ops.leaky_relu(x, slope)

    def prelu(self, x, name: str):
        return layers.PReLU(shared_axes=[1, 2], name=self._name(name), dtype=self.dtype)(x)

    def relu(self, x):
        return ops.relu(x)

    def x_cos_x(self, x):
        return x * ops.cos(x)

    def sigmoid(self, x):
        # Outputs are float32 whatever the policy of the layers.
        return ops.sigmoid(ops.cast(x, "float32"))

    def softmax(self, x):
        return ops.softmax(ops.cast(x, "float32"), axis=-1)

    def add(self, a, b):
        return a + b

    def shift(self, x, constants: Sequence[float]):
        return x + ops.convert_to_tensor(np.array(constants, np.float32))

    def maximum(self, a, b):
        return ops.maximum(a, b)

    def concat(self, values: Sequence):
        return ops.concatenate(values, axis=-1)

    def channels(self, x, start: int, stop: int):
        return x[..., start:stop]

    def zeros_like(self, x):
        return ops.zeros_like(x)

    def morph(self, a, b, amount):
        return morph(a, b, amount)

    def flatten(self, x):
        # The files were made for channels first, and the rows of dense layers follow that order.
        return ops.reshape(ops.transpose(x, (0, 3, 1, 2)), (-1, int(np.prod(x.shape[1:]))))

    def unflatten(self, x, height: int, width: int, channels: int):
        return ops.transpose(ops.reshape(x, (-1, channels, height, width)), (0, 2, 3, 1))

    def depth_to_space(self, x):
        _, h, w, c = x.shape
        # By hand: the order of the channels is part of the format.
        x = ops.transpose(ops.reshape(x, (-1, h, w, 2, 2, c // 4)), (0, 1, 3, 2, 4, 5))
        return ops.reshape(x, (-1, 2 * h, 2 * w, c // 4))

    def pixel_norm(self, x):
        kind = x.dtype
        x = ops.cast(x, "float32")  # squares beyond 256 overflow float16
        energy = ops.mean(ops.square(x), axis=-1, keepdims=True)
        return ops.cast(x * ops.rsqrt(energy + 1e-6), kind)

    def upsample(self, x):
        return layers.UpSampling2D(2, interpolation="nearest", dtype=self.dtype)(x)

    def max_pool(self, x):
        return ops.max_pool(x, 2, 2, "valid")

    def avg_pool(self, x):
        return ops.average_pool(x, 2, 2, "valid")

    def blur_pool(self, x, size: int):
        row = np.array(BINOMIAL[size], np.float32)
        window = np.outer(row, row) / row.sum() ** 2
        kernel = np.repeat(window[:, :, None, None], x.shape[-1], axis=2)
        x = ops.pad(x, ((0, 0), blur_padding(size), blur_padding(size), (0, 0)))
        return ops.depthwise_conv(x, ops.cast(ops.convert_to_tensor(kernel), x.dtype), 2, "valid")

    def frn(self, x, name: str):
        return FilterResponseNorm(name=self._name(name), dtype="float32")(x)

    def tlu(self, x, name: str):
        return ThresholdedUnit(name=self._name(name), dtype="float32")(x)

    def batch_norm(self, x, name: str):
        return FrozenBatchNorm(name=self._name(name), dtype="float32")(x)

    def l2_norm(self, x, name: str):
        return ChannelL2Norm(name=self._name(name), dtype="float32")(x)
