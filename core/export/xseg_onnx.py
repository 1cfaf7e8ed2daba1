"""The mask network as an ONNX file, as DeepFaceLab exports it: input ``in_face:0`` (N, R, R, 3) float32 BGR 0..1, output
``out_mask:0`` (N, R, R, 1) 0..1, opset 13, height and width static (256 in the original), batch symbolic."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import helper

from core import fsio
from core.errors import PipelineError
from core.export.verify import FACE, open_session, sample_faces
from core.formats.onnx_file import write_onnx
from core.formats.provenance import CREATOR_TOOL
from core.inference.xseg_weights import XSegWeights
from core.networks.onnx_builder import IR_VERSION, OnnxGraph, tensor_info

Array = NDArray[np.float32]
MASK, OPSET = "out_mask:0", 13
# Dividing by small energies enlarges rounding; two sound float32 evaluations of the original's network differ by up to 5e-5.
TOLERANCE = 1e-3


@dataclass(frozen=True)
class XSegExport:
    """path: the file; size: bytes; difference: largest absolute difference from the reference; metadata: what the file says about itself."""

    path: Path
    size: int
    difference: float
    metadata: dict[str, str]


def export_xseg(
    weights: XSegWeights, path: Path, provenance: Mapping[str, str], *, reference: Callable[[Array], Array]
) -> XSegExport:
    """Build, check and only then put the file in its place; an older file stays until the new one has passed.

    reference: the same network computed another way, faces (n, R, R, 3) -> masks (n, R, R, 1). Raises PipelineError when the check fails.
    """
    metadata = describe(weights) | dict(provenance)
    with fsio.atomic_writer(path) as stream:
        write_xseg(stream, weights, metadata)
        stream.flush()
        difference = _verify(Path(stream.name), path, weights.resolution, reference)
    return XSegExport(path, path.stat().st_size, difference, metadata)


def describe(weights: XSegWeights) -> dict[str, str]:
    """The metadata of a file: what made it, and from what."""
    face_type = "unknown" if weights.face_type is None else weights.face_type.file_name
    return {
        "generator": CREATOR_TOOL,
        "content": "face mask",
        "resolution": str(weights.resolution),
        "face_type": face_type,
        "precision": "float32",
        "weights": weights.origin,
        "weights_sha256": weights.sha256,
    }


def write_xseg(stream: IO[bytes], weights: XSegWeights, metadata: Mapping[str, str]) -> None:
    """Write the file without checking it. Needs no deep-learning framework."""
    graph = OnnxGraph({"XSeg": weights.network}, {"XSeg": weights.weights})
    builder = graph.builder
    graph.image_output(builder.sigmoid(graph.call("XSeg", graph.image_input(FACE, 3))), MASK)
    side = weights.resolution
    made = helper.make_graph(
        builder.nodes, "graph", [tensor_info(FACE, ["N", side, side, 3])], [tensor_info(MASK, ["N", side, side, 1])]
    )
    model = helper.make_model(
        made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="DFM Forge"
    )
    helper.set_model_props(model, dict(metadata))
    write_onnx(stream, model, builder.tensors)


def keras_reference(weights: XSegWeights) -> Callable[[Array], Array]:
    """Evaluates the network in Keras in float32 on the CPU, to check an exported file against."""
    import keras

    from core.networks.keras_builder import build_network, set_weights

    with keras.device("cpu"):
        network = build_network("XSeg", weights.network, seed=None, dtype="float32")
        set_weights(network, weights.network, weights.weights, where=weights.origin)

    def evaluate(faces: Array) -> Array:
        with keras.device("cpu"):
            return np.asarray(keras.ops.convert_to_numpy(keras.ops.sigmoid(network(faces))))

    return evaluate


def _verify(written: Path, path: Path, side: int, reference: Callable[[Array], Array]) -> float:
    """The largest difference from ``reference``; raises PipelineError that names ``path``."""
    try:
        session = open_session(written)
        _check_signature(session, side)
        return _compare(session, sample_faces(side), reference)
    except PipelineError as error:
        kept = "the older file was kept" if path.exists() else "no file was written"
        raise type(error)(error.what, where=path, why=error.why, hint=kept) from error


def _check_signature(session: onnxruntime.InferenceSession, side: int) -> None:
    found = [(v.name, list(v.shape[1:]), v.type) for v in (*session.get_inputs(), *session.get_outputs())]
    expected = [(FACE, [side, side, 3], "tensor(float)"), (MASK, [side, side, 1], "tensor(float)")]
    if found != expected:
        raise _wrong(f"its inputs and outputs are {found} instead of {expected}")


def _compare(session: onnxruntime.InferenceSession, faces: Array, reference: Callable[[Array], Array]) -> float:
    both, one = session.run(None, {FACE: faces})[0], session.run(None, {FACE: faces[:1]})[0]
    if both.shape != (*faces.shape[:3], 1) or not np.isfinite(both).all() or both.min() < 0 or both.max() > 1:
        raise _wrong("its masks are not between 0 and 1")
    if np.abs(both[:1] - one).max() > TOLERANCE:
        raise _wrong("its masks depend on the size of the batch")
    difference = float(np.abs(both - reference(faces)).max())
    if not difference < TOLERANCE:
        raise _wrong(f"it differs from the network by {difference:.2g}, at most {TOLERANCE:.2g} is allowed")
    return difference


def _wrong(why: str) -> PipelineError:
    return PipelineError("the exported mask network failed its check", why=why)
