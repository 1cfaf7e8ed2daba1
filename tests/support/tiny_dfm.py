"""A .dfm that live programs would load and that does something simple, made without any framework."""

from pathlib import Path

import onnx
from onnx import TensorProto, helper

SIZE = 64


def write_dfm(
    path: Path,
    *,
    inverts: bool = False,
    size: int = SIZE,
    metadata: dict[str, str] | None = None,
    morphs: bool = False,
) -> Path:
    """A model that gives back the face that it is given, or its negative; its masks are 1 everywhere.

    morphs: it has a morph value, by which it multiplies the face.
    """
    square = ["n", size, size]

    def value(name: str, channels: int):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, [*square, channels])

    one = helper.make_tensor("one", TensorProto.FLOAT, [], [1.0])
    axes = helper.make_tensor("axes", TensorProto.INT64, [1], [3])
    made = "negative" if inverts else "in_face:0"
    last = ("Mul", [made, "morph_value:0"]) if morphs else ("Identity", [made])
    nodes = [
        helper.make_node("Sub", ["one", "in_face:0"], ["negative"]),
        helper.make_node(*last, ["out_celeb_face:0"]),
        helper.make_node("Sub", ["in_face:0", "in_face:0"], ["zeros"]),
        helper.make_node("Add", ["zeros", "one"], ["ones"]),
        helper.make_node("ReduceMax", ["ones", "axes"], ["out_face_mask:0"], keepdims=1),
        helper.make_node("Identity", ["out_face_mask:0"], ["out_celeb_face_mask:0"]),
    ]
    outputs = [value("out_face_mask:0", 1), value("out_celeb_face:0", 3), value("out_celeb_face_mask:0", 1)]
    inputs = [value("in_face:0", 3)]
    if morphs:
        inputs.append(helper.make_tensor_value_info("morph_value:0", TensorProto.FLOAT, [1]))
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, [one, axes])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    helper.set_model_props(model, {"face_type": "wf", **(metadata or {})})
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())
    return path
