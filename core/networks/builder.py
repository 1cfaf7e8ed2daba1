"""The operations that networks are made of.

A network is a plain function ``build(b, x) -> value or tuple of values``; ``b`` is one of the builders below, a value is
whatever that builder works with (a Keras tensor, an ONNX value, a shape). Feature maps are described as height x width x
channels whatever the builder's own layout. ``name`` is the path of a variable's owner in the file of the network:
``conv(x, "down1/conv1", ...)`` owns ``down1/conv1/weight:0`` and ``down1/conv1/bias:0``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

Value = Any


class Builder(Protocol):
    """Everything a network may do. Padding of ``conv`` is ``(kernel // 2)`` zeros on all four sides unless ``pad`` says otherwise."""

    def conv(
        self,
        x: Value,
        name: str,
        channels: int,
        kernel: int,
        stride: int = 1,
        *,
        pad: int | None = None,
        bias: bool = True,
    ) -> Value: ...

    def conv_transpose(self, x: Value, name: str, channels: int, kernel: int, stride: int = 2) -> Value:
        """Output is exactly ``stride`` times as large (the gradient of a TensorFlow SAME convolution)."""

    def dense(self, x: Value, name: str, units: int) -> Value: ...

    def lrelu(self, x: Value, slope: float) -> Value: ...

    def relu(self, x: Value) -> Value: ...

    def x_cos_x(self, x: Value) -> Value: ...

    def sigmoid(self, x: Value) -> Value: ...

    def softmax(self, x: Value) -> Value:
        """Over the channels."""

    def add(self, a: Value, b: Value) -> Value: ...

    def shift(self, x: Value, constants: Sequence[float]) -> Value:
        """Add one constant to each channel."""

    def maximum(self, a: Value, b: Value) -> Value: ...

    def concat(self, values: Sequence[Value]) -> Value:
        """Along the channels."""

    def channels(self, x: Value, start: int, stop: int) -> Value: ...

    def zeros_like(self, x: Value) -> Value: ...

    def morph(self, a: Value, b: Value, amount: Value) -> Value:
        """Channels [0, k) from ``a``, the rest from ``b``; k = trunc(channels * amount), amount of shape (1,)."""

    def flatten(self, x: Value) -> Value:
        """Channel-major: index = c * H * W + y * W + x."""

    def unflatten(self, x: Value, height: int, width: int, channels: int) -> Value: ...

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
    """One weight file. input_shape: (height, width, channels) or (length,), None where any size will do; parts: functions
    that make only some of the outputs with the same variables."""

    build: Build
    input_shape: tuple[int | None, ...]
    parts: Mapping[str, Build] = field(default_factory=dict)


class Graph(Protocol):
    """Several networks wired together."""

    def call(self, network: str, x: Value, part: str | None = None) -> Value: ...

    def concat(self, values: Sequence[Value]) -> Value: ...

    def morph(self, a: Value, b: Value, amount: Value) -> Value: ...


BINOMIAL = {
    2: (1, 1),
    3: (1, 2, 1),
    4: (1, 3, 3, 1),
    5: (1, 4, 6, 4, 1),
    6: (1, 5, 10, 10, 5, 1),
    7: (1, 6, 15, 20, 15, 6, 1),
}


def symmetric_padding(kernel: int) -> int:
    """Zeros on each side for a convolution that says SAME in DeepFaceLab's sense: an even kernel makes the map grow by one."""
    return kernel // 2


def blur_padding(size: int) -> tuple[int, int]:
    """Zeros (before, after) of a blur pool."""
    return (size - 1) // 2, size // 2
