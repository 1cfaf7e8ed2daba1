"""Weights stored as blocks of integers become floats without changing the arithmetic."""

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

from core.inference.dequantize import float_model


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
    folded = onnx.load_from_string(float_model(model.SerializeToString()))
    onnx.checker.check_model(folded)
    assert {item.op_type for item in folded.graph.node} == {"Conv", "Relu", "BatchNormalization", "Add"}
    x = generator.standard_normal((1, 6, 5, 5)).astype(np.float32)
    by_hand = (quantised.astype(np.float32) * np.repeat(scale, 2, axis=1)) @ x[0].reshape(6, 25)
    by_hand = np.where(by_hand > 0, by_hand, by_hand * slope[:, 0])
    (result,) = ReferenceEvaluator(folded).run(None, {"x": x})
    np.testing.assert_allclose(result.reshape(4, 25), by_hand, rtol=1e-5, atol=1e-5)
