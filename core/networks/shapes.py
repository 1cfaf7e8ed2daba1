"""The variables of a network, found by walking it with shapes instead of numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from core.networks.builder import Network, blur_padding, symmetric_padding

Shape = tuple[int, ...]
Init = Literal["glorot"] | float
# Side length to walk a network with whose input may have any size; large enough for all halvings.
_ANY_SIZE = 256


@dataclass(frozen=True)
class Variable:
    """A variable of a network.

    shape: as in the file (convolution: kh, kw, in, out; transposed: kh, kw, out, in; dense: in, out).
    init: how it starts: Glorot uniform, or a constant.
    """

    shape: Shape
    init: Init


def variables(network: Network) -> dict[str, Variable]:
    """Key in the weight file (``down1/conv1/weight:0``) -> variable, in the order of creation."""
    return trace(network)[0]


def output_shapes(network: Network) -> tuple[Shape, ...]:
    """Shapes of the outputs without the batch axis."""
    return trace(network)[1]


def trace(network: Network) -> tuple[dict[str, Variable], tuple[Shape, ...]]:
    """(variables, output shapes) of a network."""
    tracer = Tracer()
    out = network.build(tracer, tuple(n or _ANY_SIZE for n in network.input_shape))
    # A single shape is a tuple, too, but one of numbers.
    return tracer.variables, out if isinstance(out[0], tuple) else (out,)


class Tracer:
    """A builder whose values are shapes: (height, width, channels) or (length,)."""

    def __init__(self) -> None:
        self.variables: dict[str, Variable] = {}

    def _declare(self, name: str, leaf: str, shape: Shape, init: Init) -> None:
        key, variable = f"{name}/{leaf}:0", Variable(shape, init)
        # Twice the same is no mistake: a network may use a layer again.
        if self.variables.setdefault(key, variable) != variable:
            raise ValueError(f"{key} is declared twice with different shapes")

    def conv(
        self,
        x: Shape,
        name: str,
        channels: int,
        kernel: int,
        *,
        stride: int = 1,
        pad: int | None = None,
        bias: bool = True,
    ) -> Shape:
        self._declare(name, "weight", (kernel, kernel, x[-1], channels), "glorot")
        if bias:
            self._declare(name, "bias", (channels,), 0.0)
        p = symmetric_padding(kernel) if pad is None else pad
        height, width = ((n + 2 * p - kernel) // stride + 1 for n in x[:2])
        return height, width, channels

    def depthwise(self, x: Shape, name: str, kernel: int, *, stride: int = 1) -> Shape:
        self._declare(name, "weight", (kernel, kernel, x[-1], 1), "glorot")
        self._declare(name, "bias", x[-1:], 0.0)
        height, width = ((n + 2 * symmetric_padding(kernel) - kernel) // stride + 1 for n in x[:2])
        return height, width, x[-1]

    def conv_transpose(self, x: Shape, name: str, channels: int, kernel: int, *, stride: int = 2) -> Shape:
        self._declare(name, "weight", (kernel, kernel, channels, x[-1]), "glorot")
        self._declare(name, "bias", (channels,), 0.0)
        return x[0] * stride, x[1] * stride, channels

    def dense(self, x: Shape, name: str, units: int) -> Shape:
        self._declare(name, "weight", (x[-1], units), "glorot")
        self._declare(name, "bias", (units,), 0.0)
        return (units,)

    def same(self, x: Shape, *_: object) -> Shape:
        return x

    lrelu = relu = x_cos_x = sigmoid = softmax = pixel_norm = shift = zeros_like = morph = same

    def add(self, a: Shape, b: Shape) -> Shape:
        if a != b:
            raise ValueError(f"shapes differ: {a}, {b}")
        return a

    maximum = add

    def concat(self, values: Sequence[Shape]) -> Shape:
        if len({v[:-1] for v in values}) != 1:
            raise ValueError(f"shapes do not fit together: {values}")
        return (*values[0][:-1], sum(v[-1] for v in values))

    def channels(self, x: Shape, start: int, stop: int) -> Shape:
        return (*x[:-1], stop - start)

    def flatten(self, x: Shape) -> Shape:
        return (x[0] * x[1] * x[2],)

    def unflatten(self, x: Shape, height: int, width: int, channels: int) -> Shape:
        if x != (height * width * channels,):
            raise ValueError(f"{x} is not {height} x {width} x {channels}")
        return height, width, channels

    def depth_to_space(self, x: Shape) -> Shape:
        return x[0] * 2, x[1] * 2, x[2] // 4

    def upsample(self, x: Shape) -> Shape:
        return x[0] * 2, x[1] * 2, x[2]

    def max_pool(self, x: Shape) -> Shape:
        return x[0] // 2, x[1] // 2, x[2]

    avg_pool = max_pool

    def blur_pool(self, x: Shape, size: int) -> Shape:
        height, width = ((n + sum(blur_padding(size)) - size) // 2 + 1 for n in x[:2])
        return height, width, x[2]

    def frn(self, x: Shape, name: str) -> Shape:
        self._declare(name, "weight", x[-1:], 1.0)
        self._declare(name, "bias", x[-1:], 0.0)
        self._declare(name, "eps", (1,), 1e-6)
        return x

    def tlu(self, x: Shape, name: str) -> Shape:
        self._declare(name, "tau", x[-1:], 0.0)
        return x

    def batch_norm(self, x: Shape, name: str) -> Shape:
        for leaf, init in (("weight", 1.0), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 0.0)):
            self._declare(name, leaf, x[-1:], init)
        return x

    def prelu(self, x: Shape, name: str) -> Shape:
        self._declare(name, "alpha", (1, 1, x[-1]), 0.0)
        return x

    def l2_norm(self, x: Shape, name: str) -> Shape:
        self._declare(name, "weight", (1, 1, 1, x[-1]), 1.0)
        return x
