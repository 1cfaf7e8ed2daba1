"""Small untrained mask networks: a convolution as an ONNX file with its description, XSeg in a model folder."""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from core.formats import dfl_weights
from core.formats.dfl_weights import ModelData
from core.networks.weights import initial_weights
from core.networks.xseg import xseg_network


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
    """The description of ``net.onnx`` beside it, as people write one."""
    path = folder / "net.json"
    path.write_text(json.dumps({"model": "net.onnx", **keys}))
    return path


def write_xseg(folder: Path, resolution: int = 64, base: int = 2, face_type: str | None = "wf", seed: int = 0) -> Path:
    """A small untrained XSeg model under the names of the real one."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"XSeg_{resolution}.npy"
    with open(path, "wb") as stream:
        dfl_weights.write_arrays(
            stream, initial_weights("XSeg", xseg_network(base, resolution=resolution), seed).items()
        )
    with open(folder / "XSeg_data.dat", "wb") as stream:
        dfl_weights.write_data(stream, ModelData(1, {"face_type": face_type} if face_type else {}))
    return path
