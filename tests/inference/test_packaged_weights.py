"""Weights inside packages: found without importing them, checked, and made runnable without changing the arithmetic."""

import hashlib
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

from core.errors import CorruptFileError, EnvironmentFault, OutOfMemoryFault
from core.inference import packaged_weights


@pytest.mark.parametrize("item", packaged_weights.ALL, ids=lambda item: item.origin)
def test_installed_weights_are_the_trusted_ones(item):
    assert hashlib.sha256(packaged_weights.locate(item).read_bytes()).hexdigest() == item.sha256
    assert item.licence in ("MIT", "Apache-2.0")


def test_missing_and_changed_weights_are_errors(tmp_path, monkeypatch):
    with pytest.raises(EnvironmentFault, match="not installed"):
        packaged_weights.locate(replace(packaged_weights.YUNET, package="no_such_package_here"))
    (tmp_path / "some_package").mkdir()
    (tmp_path / "some_package" / "net.onnx").write_bytes(b"changed")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(CorruptFileError, match="not the ones expected"):
        packaged_weights.locate(replace(packaged_weights.YUNET, package="some_package", path="net.onnx"))


def test_used_up_memory_is_said_so_and_other_failures_are_not_hidden(monkeypatch):
    class Session:
        def __init__(self, text):
            self.text = text

        def run(self, outputs, feeds):
            raise RuntimeError(self.text)

    monkeypatch.setattr(
        packaged_weights,
        "session",
        lambda item: Session("BFCArena: Failed to allocate memory for requested buffer of size 9"),
    )
    with pytest.raises(OutOfMemoryFault):
        packaged_weights.infer(packaged_weights.YUNET, "input", np.zeros(1))
    monkeypatch.setattr(packaged_weights, "session", lambda item: Session("some bug"))
    with pytest.raises(RuntimeError, match="some bug"):
        packaged_weights.infer(packaged_weights.YUNET, "input", np.zeros(1))


def test_the_folded_arithmetic_is_that_of_the_stored_integers():
    """One block-quantised convolution with PRelu, against the onnx reference interpreter."""
    generator = np.random.default_rng(5)
    quantised = generator.integers(-128, 128, (4, 6), np.int8)
    scale = generator.random((4, 3), np.float32) / 50
    slope = np.array([0.25, -0.5, 1.2, 0.0], np.float32).reshape(4, 1, 1)
    node = onnx.helper.make_node
    nodes = [
        node("DequantizeLinear", ["q", "s", "z"], ["w6"], axis=1, block_size=2),
        node("Reshape", ["w6", "shape"], ["w"]),
        node("Conv", ["x", "w"], ["c"]),
        node("PRelu", ["c", "slope"], ["y"]),
    ]
    constants = {
        "q": quantised,
        "s": scale,
        "z": np.zeros((4, 3), np.int8),
        "shape": np.array([4, 6, 1, 1]),
        "slope": slope,
    }
    graph = onnx.helper.make_graph(
        nodes,
        "g",
        [onnx.helper.make_tensor_value_info("x", 1, [1, 6, 5, 5])],
        [onnx.helper.make_tensor_value_info("y", 1, [1, 4, 5, 5])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 21)])
    folded = onnx.load_from_string(packaged_weights.float_model(model.SerializeToString()))
    onnx.checker.check_model(folded)
    assert {item.op_type for item in folded.graph.node} == {"Conv", "Relu", "Min", "Mul", "Add"}
    x = generator.standard_normal((1, 6, 5, 5)).astype(np.float32)
    by_hand = (quantised.astype(np.float32) * np.repeat(scale, 2, axis=1)) @ x[0].reshape(6, 25)
    by_hand = np.where(by_hand > 0, by_hand, by_hand * slope[:, 0])
    (result,) = ReferenceEvaluator(folded).run(None, {"x": x})
    np.testing.assert_allclose(result.reshape(4, 25), by_hand, rtol=1e-5, atol=1e-5)
