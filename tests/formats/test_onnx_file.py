"""ONNX files written one tensor at a time."""

import io

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from core.errors import InputError
from core.formats import onnx_file
from core.formats.onnx_file import Tensor, write_onnx


def model() -> onnx.ModelProto:
    info = helper.make_tensor_value_info
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    return helper.make_model(
        helper.make_graph(
            nodes, "g", [info("x", TensorProto.FLOAT, ["N", 3])], [info("y", TensorProto.FLOAT, ["N", 200])]
        )
    )


def test_reads_back_as_the_onnx_package_writes_it():
    array = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32).T  # a view that is not contiguous
    stream = io.BytesIO()
    scalar, whole = np.array(2.0, np.float32), np.array([-1, 5], np.int64)
    write_onnx(
        stream, model(), {"w": Tensor(array), "i": Tensor(whole), "h": Tensor(array, half=True), "s": Tensor(scalar)}
    )
    read = onnx.load_from_string(stream.getvalue())
    onnx.checker.check_model(read, full_check=True)
    tensors = {t.name: onnx.numpy_helper.to_array(t) for t in read.graph.initializer}
    assert (tensors["w"] == array).all() and tensors["i"].tolist() == [-1, 5] and tensors["s"] == 2
    assert tensors["h"].dtype == np.float16 and np.abs(tensors["h"] - array).max() < 2e-3
    assert read.SerializeToString() and [n.op_type for n in read.graph.node] == ["MatMul"]


def test_too_large(monkeypatch):
    monkeypatch.setattr(onnx_file, "LARGEST", 2**20 + 1000)
    with pytest.raises(InputError, match="too large"):
        write_onnx(io.BytesIO(), model(), {"w": Tensor(np.zeros((3, 200), np.float32))})


@pytest.mark.parametrize("value", [1e6, np.nan])
def test_no_half(value):
    with pytest.raises(InputError, match="half precision"):
        write_onnx(io.BytesIO(), model(), {"w": Tensor(np.full((3, 200), value, np.float32), half=True)})
