"""Tiny masking networks, and descriptions of them."""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def tiny_net(
    path: Path, weights: np.ndarray, bias: np.ndarray, size: int, batch: int | str = "n", extra: list | None = None
) -> None:
    """A 1 x 1 convolution: weights (labels, 3)."""
    out = len(weights)
    nodes = [helper.make_node("Conv", ["x", "w", "b"], ["y"], kernel_shape=[1, 1]), *(extra or [])]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 3, size, size])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, out, size, size])],
        [
            numpy_helper.from_array(weights.astype(np.float32).reshape(out, 3, 1, 1), "w"),
            numpy_helper.from_array(bias.astype(np.float32), "b"),
        ],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)


def describe(folder: Path, **keys) -> Path:
    path = folder / "net.json"
    path.write_text(json.dumps({"model": "net.onnx", **keys}))
    return path
