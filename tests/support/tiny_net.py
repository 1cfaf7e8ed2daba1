"""The smallest ONNX network."""

import onnx


def doubling_model() -> bytes:
    """x (n, 3) -> twice x, and x."""
    nodes = [onnx.helper.make_node("Add", ["x", "x"], ["twice"]), onnx.helper.make_node("Identity", ["x"], ["same"])]
    values = [onnx.helper.make_tensor_value_info(name, 1, ["n", 3]) for name in ("x", "twice", "same")]
    graph = onnx.helper.make_graph(nodes, "g", values[:1], values[1:])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 12)], ir_version=7)
    return model.SerializeToString()
