"""The operations that networks are made of.

A network is a plain function ``build(b, x) -> value or tuple of values``; ``b`` is a builder (``keras_builder``,
``onnx_builder``, ``shapes``), a value is whatever that builder works with (a Keras tensor, an ONNX value, a shape).
Feature maps are described as height x width x channels whatever the builder's own layout. ``name`` is the path of a
variable's owner in the file of the network: ``conv(x, "down1/conv1", ...)`` owns ``down1/conv1/weight:0`` and
``down1/conv1/bias:0``.

To add an operation:

1. Here, a method of ``Builder`` whose docstring says what it computes.
2. ``shapes.Tracer``: the shape of its result, and the variables that it owns with their first values.
3. ``keras_builder.KerasBuilder``; a layer in ``keras_layers`` where it has variables that Keras has no layer for. Names
   of weights in a layer are the last part of their key in the file.
4. ``onnx_builder.OnnxBuilder``, within opset 12, which live programs read.
5. A line in ``OPERATIONS`` of ``tests/networks/test_keras_builder.py``, where the three are compared with each other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

Value = Any


class Builder(Protocol):
    """Everything a network may do."""

    def conv(
        self,
        x: Value,
        name: str,
        channels: int,
        kernel: int,
        *,
        stride: int = 1,
        pad: int | None = None,
        bias: bool = True,
    ) -> Value:
        """Convolution; ``pad`` zeros on all four sides, ``kernel // 2`` when left out."""

    def depthwise(self, x: Value, name: str, kernel: int, *, stride: int = 1) -> Value:
        """Convolution of each channel by itself, with a bias and ``kernel // 2`` zeros on all four sides."""

    def conv_transpose(self, x: Value, name: str, channels: int, kernel: int, *, stride: int = 2) -> Value:
        """Output is exactly ``stride`` times as large (the gradient of a TensorFlow SAME convolution)."""

    def dense(self, x: Value, name: str, units: int) -> Value:
        """Vector -> vector of ``units``, with a bias."""

    def lrelu(self, x: Value, slope: float) -> Value:
        """x where positive, else ``slope`` * x."""

    def prelu(self, x: Value, name: str) -> Value:
        """x where positive, else a learned slope of its channel * x."""

    def relu(self, x: Value) -> Value:
        """x where positive, else 0."""

    def x_cos_x(self, x: Value) -> Value:
        """x * cos(x), radians."""

    def sigmoid(self, x: Value) -> Value:
        """1 / (1 + exp(-x))."""

    def softmax(self, x: Value) -> Value:
        """Over the channels."""

    def add(self, a: Value, b: Value) -> Value:
        """Of two values of one shape."""

    def shift(self, x: Value, constants: Sequence[float]) -> Value:
        """Add one constant to each channel."""

    def maximum(self, a: Value, b: Value) -> Value:
        """The larger of each pair of numbers."""

    def concat(self, values: Sequence[Value]) -> Value:
        """Along the channels."""

    def channels(self, x: Value, start: int, stop: int) -> Value:
        """Channels [start, stop)."""

    def zeros_like(self, x: Value) -> Value:
        """Zeros of the shape of ``x``."""

    def morph(self, a: Value, b: Value, amount: Value) -> Value:
        """Channels [0, k) from ``a``, the rest from ``b``; k = trunc(channels * amount), amount of shape (1,)."""

    def flatten(self, x: Value) -> Value:
        """Channel-major: index = c * H * W + y * W + x."""

    def unflatten(self, x: Value, height: int, width: int, channels: int) -> Value:
        """The map whose ``flatten`` is ``x``."""

    def depth_to_space(self, x: Value) -> Value:
        """Twice the size; channel (2 dy + dx) * C + c goes to pixel (2y + dy, 2x + dx), channel c."""

    def pixel_norm(self, x: Value) -> Value:
        """x / sqrt(mean(x^2) + 1e-6) of a vector."""

    def upsample(self, x: Value) -> Value:
        """Twice the size, nearest neighbour."""

    def max_pool(self, x: Value) -> Value:
        """2 x 2, stride 2, an odd last row or column is dropped."""

    def avg_pool(self, x: Value) -> Value:
        """As ``max_pool``, with the mean."""

    def blur_pool(self, x: Value, size: int) -> Value:
        """Half the size after a binomial blur of ``size`` pixels."""

    def frn(self, x: Value, name: str) -> Value:
        """Filter response normalisation over height and width."""

    def tlu(self, x: Value, name: str) -> Value:
        """max(x, learned threshold)."""

    def batch_norm(self, x: Value, name: str) -> Value:
        """With the running statistics, epsilon 1e-5."""

    def l2_norm(self, x: Value, name: str) -> Value:
        """x / (length over the channels + 1e-10) * weight."""


Build = Callable[[Builder, Value], Value]


@dataclass(frozen=True)
class Network:
    """The description of one weight file.

    build: makes the outputs.
    input_shape: (height, width, channels) or (length,), None where any size will do.
    parts: functions that make only some of the outputs with the same variables.
    """

    build: Build
    input_shape: tuple[int | None, ...]
    parts: Mapping[str, Build] = field(default_factory=dict)


class Graph(Protocol):
    """Several networks wired together."""

    def call(self, network: str, x: Value, part: str | None = None) -> Value:
        """The outputs of a network, by the name of its file, or those of a part of it."""

    def concat(self, values: Sequence[Value]) -> Value:
        """As ``Builder.concat``."""

    def morph(self, a: Value, b: Value, amount: Value) -> Value:
        """As ``Builder.morph``."""


# Rows of Pascal's triangle: the weights of a blur, by its size.
BINOMIAL = {
    2: (1, 1),
    3: (1, 2, 1),
    4: (1, 3, 3, 1),
    5: (1, 4, 6, 4, 1),
    6: (1, 5, 10, 10, 5, 1),
    7: (1, 6, 15, 20, 15, 6, 1),
}


def symmetric_padding(kernel: int) -> int:
    """Zeros on each side for a convolution that says SAME in DeepFaceLab's sense.

    An even kernel makes the map grow by one.
    """
    return kernel // 2


def blur_padding(size: int) -> tuple[int, int]:
    """Zeros (before, after) of a blur pool."""
    return (size - 1) // 2, size // 2
