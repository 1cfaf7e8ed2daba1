"""ONNX files from the framework-free descriptions: no deep-learning framework is needed to write or to run one.

Inputs and outputs are N x H x W x C float32, whatever the layout inside.
"""

import io
from collections.abc import Mapping, Sequence
from typing import IO, Any

import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from core.formats.onnx_file import write_onnx
from core.networks.builder import Network
from core.networks.onnx_builder import OnnxBuilder, Value
from core.networks.shapes import Shape, output_shapes
from core.networks.weights import check_weights

# What live programs with an old runtime still read.
OPSET, IR_VERSION = 12, 7


class OnnxGraph:
    """Networks wired together in one ONNX graph; ``core.networks.builder.Graph``.

    networks, weights: by the names of their files.
    half: convolutions in float16.

    Raises:
        InputError: tensors are missing, extra or have another shape.
    """

    def __init__(
        self,
        networks: Mapping[str, Network],
        weights: Mapping[str, Mapping[str, NDArray]],
        *,
        half: bool = False,
    ):
        self.networks, self.weights, self.builder = networks, weights, OnnxBuilder(half=half)
        for name, network in networks.items():
            check_weights(network, weights.get(name, {}), where=name)

    def call(self, network: str, x: Value, part: str | None = None) -> Any:
        """The outputs of a network, or those of a part of it."""
        description = self.networks[network]
        build = description.parts[part] if part else description.build
        self.builder.weights, self.builder.prefix = self.weights[network], f"{network}/"
        return build(self.builder, x)

    def concat(self, values: Sequence[Value]) -> Value:
        """Along the channels."""
        return self.builder.concat(values)

    def morph(self, a: Value, b: Value, amount: Value) -> Value:
        """The first channels of ``a``, the rest of ``b``; see ``core.networks.builder.Builder.morph``."""
        return self.builder.morph(a, b, amount)

    def image_input(self, name: str, channels: int) -> Value:
        """The value of an N x H x W x C graph input."""
        return Value(self.builder.node("Transpose", [name], perm=[0, 3, 1, 2]), channels)

    def image_output(self, x: Value, name: str) -> None:
        """Name a map as an N x H x W x C graph output."""
        self.builder.node("Transpose", [self.builder.cast(x, False).name], output=name, perm=[0, 2, 3, 1])

    def write(
        self,
        stream: IO[bytes],
        inputs: Sequence[onnx.ValueInfoProto],
        outputs: Sequence[onnx.ValueInfoProto],
        metadata: Mapping[str, str] | None = None,
        *,
        opset: int = OPSET,
    ) -> None:
        """Write the file.

        inputs, outputs: as ``tensor_info`` makes them; the values were named by ``image_input`` and ``image_output``.
        metadata: what the file says about itself.

        Raises:
            InputError: it is larger than one ONNX file can be, or a weight does not fit in half precision.
        """
        b = self.builder
        graph = helper.make_graph(b.nodes, "graph", list(inputs), list(outputs))
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", opset)],
            ir_version=IR_VERSION,
            producer_name="DFM Forge",
        )
        helper.set_model_props(model, dict(metadata or {}))
        write_onnx(stream, model, b.tensors)


def tensor_info(name: str, shape: Sequence[int | str | None]) -> onnx.ValueInfoProto:
    """A float32 graph input or output; a text is a symbolic size."""
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))


def network_model(network: Network, weights: Mapping[str, NDArray]) -> bytes:
    """One network as an ONNX file: input ``input``, outputs ``output_0`` ..., N x H x W x C or N x length, float32.

    Raises:
        InputError: names tensors that do not fit.
    """
    graph = OnnxGraph({"net": network}, {"net": weights})
    shape = network.input_shape
    x = graph.image_input("input", shape[-1] or 0) if len(shape) == 3 else Value("input", shape[0] or 0)
    made = graph.call("net", x)
    values = made if isinstance(made, tuple) else (made,)
    outputs = []
    for i, (value, known) in enumerate(zip(values, output_shapes(network), strict=True)):
        name = f"output_{i}"
        if len(known) == 3:
            graph.image_output(value, name)
        else:
            # An output needs a name of its own, whatever the node before it is called.
            graph.builder.node("Identity", [value.name], output=name)
        outputs.append(tensor_info(name, ["N", *_sizes(name, known, None not in shape)]))
    inputs = [tensor_info("input", ["N", *(size or f"size_{axis}" for axis, size in enumerate(shape))])]
    stream = io.BytesIO()
    graph.write(stream, inputs, outputs)
    return stream.getvalue()


def _sizes(name: str, known: Shape, fixed: bool) -> list[int | str]:
    """The sizes of an output; where they follow those of the input, all but the channels are free."""
    free = [f"{name}_{axis}" for axis in range(len(known) - 1)]
    return list(known) if fixed else [*free, known[-1]]
