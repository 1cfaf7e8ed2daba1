"""The operations of networks as nodes of an ONNX graph.

Maps are N x C x H x W. With ``half`` convolutions and what lies between them are float16; norms, dense layers, sums of
squares and the final sigmoid stay float32.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from core.formats.onnx_file import Tensor
from core.networks.builder import BINOMIAL, blur_padding, symmetric_padding

# Axes of kernels: height, width, in, out in the files; out, in, height, width in ONNX. Transposed ones swap in and out.
_TO_ONNX = (3, 2, 0, 1)


@dataclass(frozen=True)
class Value:
    """A map or a vector in the graph.

    name: of the tensor.
    channels: how many.
    half: whether it is float16.
    """

    name: str
    channels: int
    half: bool = False


class OnnxBuilder:
    """See ``core.networks.builder.Builder``.

    nodes, tensors: what was built so far, and its constants by name.
    weights, prefix: of the network that is being built: key -> array, and what the names of its constants begin with.
    """

    def __init__(self, *, half: bool = False):
        self.half = half
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: dict[str, Tensor] = {}
        self.weights: Mapping[str, NDArray] = {}
        self.prefix = ""

    # -- plumbing

    def node(self, kind: str, inputs: Sequence[str], *, output: str | None = None, **attributes) -> str:
        """Add a node with one output; returns the name of that."""
        output = output or f"{kind}_{len(self.nodes)}"
        self.nodes.append(
            helper.make_node(kind, list(inputs), [output], name=f"{kind}_{len(self.nodes)}", **attributes)
        )
        return output

    def constant(self, name: str, array: NDArray) -> str:
        """An initialiser; the same name twice is the same tensor."""
        self.tensors.setdefault(name, Tensor(array))
        return name

    def _weight(
        self,
        name: str,
        leaf: str,
        axes: tuple[int, ...] | None = None,
        shape: tuple[int, ...] | None = None,
        half: bool = False,
    ) -> str:
        """A weight of the network as a constant; axes: their new order; shape: the new shape; half: store float16."""
        label = f"{self.prefix}{name}/{leaf}"
        array = np.asarray(self.weights[f"{name}/{leaf}:0"], np.float32)
        array = array if axes is None else array.transpose(axes)
        array = array if shape is None else array.reshape(shape)
        # A network that is called twice in a graph has its weights in it once.
        self.tensors.setdefault(label, Tensor(array, half))
        return label

    def cast(self, x: Value, half: bool) -> Value:
        """The same numbers as float16 or float32."""
        if x.half == half:
            return x
        to = TensorProto.FLOAT16 if half else TensorProto.FLOAT
        return Value(self.node("Cast", [x.name], to=to), x.channels, half)

    def _unary(self, kind: str, x: Value, **attributes) -> Value:
        return Value(self.node(kind, [x.name], **attributes), x.channels, x.half)

    def _binary(self, kind: str, a: Value, b: Value) -> Value:
        half = a.half and b.half
        return Value(self.node(kind, [self.cast(a, half).name, self.cast(b, half).name]), a.channels, half)

    def _with(self, kind: str, x: Value, *constants: str) -> Value:
        return Value(self.node(kind, [x.name, *constants]), x.channels, x.half)

    def scalar(self, value: float) -> str:
        """A float32 constant without axes."""
        return self.constant(f"scalar/{value!r}", np.array(value, np.float32))

    # -- layers

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
        p = symmetric_padding(kernel) if pad is None else pad
        inputs = [self.cast(x, self.half).name, self._weight(name, "weight", _TO_ONNX, half=self.half)]
        if bias:
            inputs.append(self._weight(name, "bias", half=self.half))
        out = self.node("Conv", inputs, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[p] * 4)
        return Value(out, channels, self.half)

    def depthwise(self, x: Value, name: str, kernel: int, *, stride: int = 1) -> Value:
        # One group for each channel: out, in of the group, height, width.
        inputs = [
            self.cast(x, self.half).name,
            self._weight(name, "weight", (2, 3, 0, 1), half=self.half),
            self._weight(name, "bias", half=self.half),
        ]
        pads = [symmetric_padding(kernel)] * 4
        out = self.node("Conv", inputs, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=pads, group=x.channels)
        return Value(out, x.channels, self.half)

    def conv_transpose(self, x: Value, name: str, channels: int, kernel: int, *, stride: int = 2) -> Value:
        inputs = [
            self.cast(x, self.half).name,
            self._weight(name, "weight", _TO_ONNX, half=self.half),
            self._weight(name, "bias", half=self.half),
        ]
        # What TensorFlow cuts off where it says SAME; the odd pixel at the end.
        before, after = (kernel - stride) // 2, (kernel - stride + 1) // 2
        out = self.node(
            "ConvTranspose",
            inputs,
            kernel_shape=[kernel] * 2,
            strides=[stride] * 2,
            pads=[before, before, after, after],
        )
        return Value(out, channels, self.half)

    def dense(self, x: Value, name: str, units: int) -> Value:
        # float32 always: sums over ten thousands of products lose too much in float16.
        out = self.node("Gemm", [self.cast(x, False).name, self._weight(name, "weight"), self._weight(name, "bias")])
        return Value(out, units)

    def lrelu(self, x: Value, slope: float) -> Value:
        return self._unary("LeakyRelu", x, alpha=slope)

    def prelu(self, x: Value, name: str) -> Value:
        x = self.cast(x, False)
        return self._with("PRelu", x, self._weight(name, "alpha", shape=(x.channels, 1, 1)))

    def relu(self, x: Value) -> Value:
        return self._unary("Relu", x)

    def x_cos_x(self, x: Value) -> Value:
        x = self.cast(x, False)  # the phase of a large number is lost in float16
        return self._binary("Mul", x, self._unary("Cos", x))

    def sigmoid(self, x: Value) -> Value:
        return self._unary("Sigmoid", self.cast(x, False))

    def softmax(self, x: Value) -> Value:
        # Before opset 13 softmax flattens all axes after its own, so the channels go last for it.
        last = self._unary("Transpose", self.cast(x, False), perm=[0, 2, 3, 1])
        return self._unary("Transpose", self._unary("Softmax", last, axis=3), perm=[0, 3, 1, 2])

    def add(self, a: Value, b: Value) -> Value:
        return self._binary("Add", a, b)

    def shift(self, x: Value, constants: Sequence[float]) -> Value:
        values = np.array(constants, np.float32).reshape(1, -1, 1, 1)
        return self._with("Add", self.cast(x, False), self.constant(f"shift/{tuple(constants)}", values))

    def maximum(self, a: Value, b: Value) -> Value:
        return self._binary("Max", a, b)

    def concat(self, values: Sequence[Value]) -> Value:
        half = all(v.half for v in values)
        out = self.node("Concat", [self.cast(v, half).name for v in values], axis=1)
        return Value(out, sum(v.channels for v in values), half)

    def channels(self, x: Value, start: int, stop: int) -> Value:
        channel_axis = 1
        bounds = [self.constant(f"axis/{n}", np.array([n], np.int64)) for n in (start, stop, channel_axis)]
        return Value(self.node("Slice", [x.name, *bounds]), stop - start, x.half)

    def zeros_like(self, x: Value) -> Value:
        return self._with("Mul", self.cast(x, False), self.scalar(0.0))

    def morph(self, a: Value, b: Value, amount: Value) -> Value:
        index = self.constant(f"range/{a.channels}", np.arange(a.channels, dtype=np.float32).reshape(1, -1, 1, 1))
        count = self.node("Floor", [self.node("Mul", [amount.name, self.scalar(float(a.channels))])])
        chosen = self.node("Less", [index, count])
        return Value(self.node("Where", [chosen, self.cast(a, False).name, self.cast(b, False).name]), a.channels)

    def flatten(self, x: Value) -> Value:
        return self._unary("Flatten", x, axis=1)

    def unflatten(self, x: Value, height: int, width: int, channels: int) -> Value:
        shape = self.constant(f"shape/{channels}x{height}x{width}", np.array([-1, channels, height, width], np.int64))
        return Value(self.node("Reshape", [x.name, shape]), channels, x.half)

    def depth_to_space(self, x: Value) -> Value:
        # DCR is the order of channels that the files have.
        return Value(self.node("DepthToSpace", [x.name], blocksize=2, mode="DCR"), x.channels // 4, x.half)

    def pixel_norm(self, x: Value) -> Value:
        x = self.cast(x, False)
        # Axes are attributes up to opset 17, inputs from 18 on.
        mean = self._unary("ReduceMean", self._binary("Mul", x, x), axes=[1], keepdims=1)
        return self._binary("Div", x, self._unary("Sqrt", self._with("Add", mean, self.scalar(1e-6))))

    def upsample(self, x: Value) -> Value:
        scales = self.constant("scales/2", np.array([1, 1, 2, 2], np.float32))
        # Resize wants a region even where it uses none.
        region = self.constant("region/none", np.zeros(0, np.float32))
        out = self.node(
            "Resize",
            [self.cast(x, False).name, region, scales],
            mode="nearest",
            # With floor below: every pixel twice. The default would shift by half a pixel.
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )
        return Value(out, x.channels)

    def max_pool(self, x: Value) -> Value:
        return self._unary("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])

    def avg_pool(self, x: Value) -> Value:
        return self._unary("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])

    def blur_pool(self, x: Value, size: int) -> Value:
        row = np.array(BINOMIAL[size], np.float32)
        window = np.broadcast_to(np.outer(row, row) / row.sum() ** 2, (x.channels, 1, size, size))
        kernel = self.constant(f"blur/{size}x{x.channels}", window.astype(np.float16 if x.half else np.float32))
        before, after = blur_padding(size)
        out = self.node(
            "Conv",
            [x.name, kernel],
            kernel_shape=[size] * 2,
            strides=[2, 2],
            pads=[before, before, after, after],
            group=x.channels,
        )
        return Value(out, x.channels, x.half)

    def frn(self, x: Value, name: str) -> Value:
        x, row = self.cast(x, False), (1, x.channels, 1, 1)  # squares beyond 256 overflow float16
        energy = self._unary("ReduceMean", self._binary("Mul", x, x), axes=[2, 3], keepdims=1)
        # The graph only runs, so the absolute value of the trained eps is taken once, here.
        least = np.abs(self.weights[f"{name}/eps:0"]).astype(np.float32).reshape(1, 1, 1, 1)
        eps = self.constant(f"{self.prefix}{name}/eps", least)
        y = self._binary("Div", x, self._unary("Sqrt", self._with("Add", energy, eps)))
        y = self._with("Mul", y, self._weight(name, "weight", shape=row))
        return self._with("Add", y, self._weight(name, "bias", shape=row))

    def tlu(self, x: Value, name: str) -> Value:
        x = self.cast(x, False)
        return self._with("Max", x, self._weight(name, "tau", shape=(1, x.channels, 1, 1)))

    def batch_norm(self, x: Value, name: str) -> Value:
        x = self.cast(x, False)
        leaves = [self._weight(name, leaf) for leaf in ("weight", "bias", "running_mean", "running_var")]
        return Value(self.node("BatchNormalization", [x.name, *leaves], epsilon=1e-5), x.channels)

    def l2_norm(self, x: Value, name: str) -> Value:
        x = self.cast(x, False)
        length = self._with("Add", self._unary("ReduceL2", x, axes=[1], keepdims=1), self.scalar(1e-10))
        weight = self._weight(name, "weight", shape=(1, x.channels, 1, 1))
        return self._with("Mul", self._binary("Div", x, length), weight)
