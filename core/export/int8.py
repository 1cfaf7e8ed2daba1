"""An exported ``.dfm`` with the swapped face's convolutions in 8-bit integers, for processors.

Only what nothing but the face depends on is rounded: codes and masks, where a step shows as a moving edge, are computed
as in the file that it is made from. So are the last convolutions, whose steps would show as bands of colour.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper
from onnxruntime import quantization

from core.errors import InputError, PipelineError
from core.export.dfm_check import MORPHS, dfm_contract
from core.export.files import write_checked
from core.export.verify import FloatArray, check_outputs, open_exported, sample_faces
from core.inference.dfm import FACE, MORPH, OUTPUTS, DfmModel, as_dfm
from core.networks.config import ModelConfig

# A scale for each channel of a weight, which the file needs, is of opset 13.
OPSET = 13
# Steps of an 8-bit image.
FACE_MEAN, MASK_MOST = 1.5, 4.0
FEWEST_FACES = 8
_KINDS = ("Conv", "LeakyRelu", "Add", "DepthToSpace")
# Says that shapes need no further work before; without it onnxruntime logs that they might.
_PREPARED = ("onnx.quant.pre_process", "onnxruntime.quant")


@dataclass(frozen=True)
class Int8Report:
    """A file in 8 bits. size: bytes. face: mean difference from the float file, of 255. mask: the largest, of 255."""

    path: Path
    size: int
    face: float
    mask: float


def export_int8(exported: Path, path: Path, config: ModelConfig, faces: FloatArray) -> Int8Report:
    """Write the 8-bit form of a file of ours in float32, which stays as it is.

    faces: (N, R, R, 3), 0..1 BGR, of those that the model will see; half of them set the scales, the others judge.

    Raises:
        InputError: too few faces.
        PipelineError: on the other faces it differs too much from the float file; an older file under ``path`` stays.
    """
    if len(faces) < FEWEST_FACES:
        raise InputError(
            "too few faces to choose the steps of 8 bits",
            why=f"{len(faces)}, at least {FEWEST_FACES} are needed",
            hint="extract the faces that the model will see, or leave --int8 out",
        )
    metadata = {item.key: item.value for item in onnx.load(exported).metadata_props} | {"precision": "int8"}
    found: list[tuple[float, float]] = []

    def write(stream: IO[bytes]) -> None:
        model = quantized(onnx.load(exported), faces[::2])
        helper.set_model_props(model, metadata)
        stream.write(model.SerializeToString())

    def check(written: Path) -> float:
        contract = dfm_contract(config, half=False)
        float_model = as_dfm(open_exported(exported, contract))
        model = as_dfm(open_exported(written, contract))
        loose = dfm_contract(config, half=True)
        found.append(_differences(model, float_model, faces[1::2]))
        return check_outputs(lambda batch: _outputs(model, batch, 1.0), None, sample_faces(config.resolution), loose)

    write_checked(path, write, check)
    return Int8Report(path, path.stat().st_size, *found[-1])


def quantized(model: onnx.ModelProto, faces: FloatArray) -> onnx.ModelProto:
    """The model with the face's convolutions in 8 bits; ``model`` itself is changed on the way.

    faces: (n, R, R, 3), 0..1, of which the ranges of all values are taken.
    """
    chosen = _face_only(model.graph)
    _set_apart(model.graph, chosen)
    model.opset_import[0].version = OPSET
    helper.set_model_props(model, dict([_PREPARED]))
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "int8.onnx"
        quantization.quantize_static(
            model,
            written,
            _Faces(faces, MORPH in (item.name for item in model.graph.input)),
            op_types_to_quantize=list(_KINDS),
            nodes_to_quantize=sorted(chosen),
            per_channel=True,
            # 7 bits for weights: processors without VNNI add two products in 16 bits, which 8 bits would overflow.
            reduce_range=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
        )
        return onnx.load(written)


class _Faces(quantization.CalibrationDataReader):  # type: ignore[misc]
    """Faces one by one, as the library asks for them."""

    def __init__(self, faces: FloatArray, takes_morph: bool):
        self._left = _feeds(faces, takes_morph)

    def get_next(self) -> dict[str, NDArray] | None:
        return next(self._left, None)


def _feeds(faces: FloatArray, takes_morph: bool) -> Iterator[dict[str, NDArray]]:
    for number, face in enumerate(faces):
        feed: dict[str, NDArray] = {FACE: face[None]}
        if takes_morph:
            feed[MORPH] = np.array([MORPHS[number % len(MORPHS)]], np.float32)
        yield feed


def _face_only(graph: onnx.GraphProto) -> set[str]:
    """Names of the nodes on which the face depends and no mask, and behind which another convolution comes."""
    made_by = {name: node for node in graph.node for name in node.output}
    target_mask, face, face_mask = (name for name, _ in OUTPUTS)
    own = _before(made_by, [face]) - _before(made_by, [target_mask, face_mask])
    read = [name for node in graph.node if node.op_type == "Conv" and node.name in own for name in node.input]
    return own & _before(made_by, read)


def _before(made_by: dict[str, onnx.NodeProto], tensors: list[str]) -> set[str]:
    """Names of the nodes that tensors depend on."""
    found: set[str] = set()
    waiting = list(tensors)
    while waiting:
        node = made_by.get(waiting.pop())
        if node is not None and node.name not in found:
            found.add(node.name)
            waiting += node.input
    return found


def _set_apart(graph: onnx.GraphProto, chosen: set[str]) -> None:
    """Give the chosen nodes a copy of what others read too: a rounded tensor is rounded for all who read it."""
    made = {name for node in graph.node if node.name not in chosen for name in node.output}
    shared = sorted({name for node in graph.node if node.name in chosen for name in node.input if name in made})
    for node in graph.node:
        if node.name in chosen:
            node.input[:] = [f"{name}/apart" if name in shared else name for name in node.input]
    for name in shared:
        place = next(place for place, node in enumerate(graph.node) if name in node.output)
        copy = helper.make_node("Identity", [name], [f"{name}/apart"], name=f"{name}/apart")
        graph.node.insert(place + 1, copy)


def _differences(model: DfmModel, float_model: DfmModel, faces: FloatArray) -> tuple[float, float]:
    """(mean of the face, largest of the masks), of 255. Raises PipelineError where they are too large."""
    face, mask = 0.0, 0.0
    for morph in MORPHS if model.takes_morph else (1.0,):
        pairs = [
            np.abs(one - other)
            for one, other in zip(_outputs(model, faces, morph), _outputs(float_model, faces, morph), strict=True)
        ]
        face = max(face, 255 * float(pairs[1].mean()))
        mask = max(mask, 255 * float(np.max([pairs[0].max(), pairs[2].max()])))
    # Put this way round because a NaN is neither smaller nor larger.
    if not (face < FACE_MEAN and mask < MASK_MOST):
        raise PipelineError(
            "the model does not stand 8 bits",
            why=f"its face differs by {face:.2f} of 255 in the mean (less than {FACE_MEAN} is allowed), "
            f"its masks by up to {mask:.2f} (less than {MASK_MOST})",
            hint="use the file in float32",
        )
    return face, mask


def _outputs(model: DfmModel, faces: FloatArray, morph: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """In the order of the file, some faces at a time."""
    parts = [model.swap(faces[start : start + 8], morph) for start in range(0, len(faces), 8)]
    return (
        np.concatenate([part.target_mask for part in parts]),
        np.concatenate([part.face for part in parts]),
        np.concatenate([part.face_mask for part in parts]),
    )
