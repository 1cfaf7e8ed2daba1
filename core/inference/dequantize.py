"""ONNX models of opencv_zoo, whose weights are blocks of 8-bit integers, as float32 models that every runtime loads."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnx import NodeProto, ValueInfoProto


def float_model(data: bytes) -> bytes:
    """The same network with float32 weights and free sizes.

    Each DequantizeLinear of a constant is replaced by its value, so the arithmetic is that of the given file. The batch
    size, and the height and width of convolutional outputs, become free. PRelu is spelled with Relu and
    BatchNormalization, with which onnxruntime runs such a network 1.9 times as fast here.
    """
    import onnx  # half a second, and only a session's first use needs it
    from onnx import numpy_helper

    model = onnx.load_from_string(data)
    graph = model.graph
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    nodes = _spell_prelu(_fold(graph.node, values), values)
    _free_batch_of_reshapes(nodes, values)
    needed = {name for node in nodes for name in node.input}
    inputs = [item for item in graph.input if item.name not in values and item.name in needed]
    for item in [*inputs, *graph.output]:
        _free_dimensions(item)
    used = sorted(needed & values.keys())
    constants = [numpy_helper.from_array(np.ascontiguousarray(values[name]), name) for name in used]
    _replace(graph.node, nodes)
    _replace(graph.input, inputs)
    _replace(graph.initializer, constants)
    _replace(graph.value_info, [])  # shapes in between, which no longer hold
    return model.SerializeToString()


def _replace(field: Any, content: Iterable) -> None:
    """Give a repeated field of a message other content."""
    kept = list(content)
    del field[:]
    field.extend(kept)


def _fold(nodes: Iterable["NodeProto"], values: dict[str, NDArray]) -> list["NodeProto"]:
    """The nodes but for those that only unpack constants; the results of these go into ``values``."""
    kept = []
    for node in nodes:
        if node.op_type == "DequantizeLinear" and node.input[0] in values:
            values[node.output[0]] = _dequantized(node, *(values[name] for name in node.input))
        elif node.op_type == "Reshape" and node.input[0] in values:
            values[node.output[0]] = values[node.input[0]].reshape(values[node.input[1]])
        else:
            kept.append(node)
    return kept


def _dequantized(node: "NodeProto", quantized: NDArray, scale: NDArray, zero: NDArray) -> NDArray[np.float32]:
    """(quantized - zero) * scale, with a scale and a zero for each block along one axis."""
    attributes = {item.name: item.i for item in node.attribute}
    axis, block = attributes["axis"], attributes["block_size"]
    places = np.arange(quantized.shape[axis])

    def spread(blocks: NDArray) -> NDArray:
        # The last block may be shorter than the others.
        return np.repeat(blocks.astype(np.float32), block, axis=axis).take(places, axis=axis)

    return (quantized.astype(np.float32) - spread(zero)) * spread(scale)


def _spell_prelu(nodes: Iterable["NodeProto"], values: dict[str, NDArray]) -> list["NodeProto"]:
    """PRelu as slope * x + (1 - slope) * max(x, 0); the slopes of channels go into ``values``.

    A product with a number for each channel is a BatchNormalization, and not a Mul: between convolutions onnxruntime
    has the channels in blocks, which only the former leaves as they are.
    """
    from onnx import helper

    spelled = []
    for node in nodes:
        if node.op_type != "PRelu":
            spelled.append(node)
            continue
        (x, slope), y = node.input, node.output[0]
        slopes = values[slope].astype(np.float32).reshape(-1)
        names = [f"{y}/{name}" for name in ("slope", "rest", "zeros", "ones")]
        values |= zip(names, (slopes, 1 - slopes, np.zeros_like(slopes), np.ones_like(slopes)), strict=True)
        slope, rest, zeros, ones = names
        spelled += [
            helper.make_node("Relu", [x], [f"{y}/relu"]),
            helper.make_node("BatchNormalization", [f"{y}/relu", rest, zeros, zeros, ones], [f"{y}/+"], epsilon=0.0),
            helper.make_node("BatchNormalization", [x, slope, zeros, zeros, ones], [f"{y}/*"], epsilon=0.0),
            helper.make_node("Add", [f"{y}/+", f"{y}/*"], [y]),
        ]
    return spelled


def _free_batch_of_reshapes(nodes: Iterable["NodeProto"], values: dict[str, NDArray]) -> None:
    """Shapes written into the file name a batch of 1; a 0 takes over whatever batch comes."""
    for node in nodes:
        if node.op_type == "Reshape":
            values[node.input[1]] = np.array([0, *values[node.input[1]][1:]], np.int64)


def _free_dimensions(item: "ValueInfoProto") -> None:
    """Batch free; where the tensor is an image or a list of anchors, those sizes too. A vector keeps its length."""
    dimensions = item.type.tensor_type.shape.dim
    dimensions[0].dim_param = "n"
    free = {4: (2, 3), 3: (1,)}.get(len(dimensions), ())
    for i in free:
        dimensions[i].dim_param = f"{item.name}_{i}"
