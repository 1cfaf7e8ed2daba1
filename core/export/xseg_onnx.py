"""The mask network as an ONNX file, as DeepFaceLab exports it.

Input ``in_face:0`` (N, R, R, 3) float32 BGR 0..1, output ``out_mask:0`` (N, R, R, 1) 0..1, opset 13, height and width
fixed (256 in the original), the batch free.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from core.export.files import Exported, write_checked
from core.export.verify import Contract, FloatArray, check_outputs, open_exported, sample_faces
from core.formats.provenance import CREATOR_TOOL
from core.inference.dfm import FACE
from core.inference.xseg_weights import XSegWeights
from core.networks.onnx_graph import OnnxGraph, tensor_info

MASK, OPSET = "out_mask:0", 13
# Dividing by small energies enlarges rounding; two sound float32 evaluations of the original's network differ by up to
# 5e-5.
TOLERANCE = 1e-3


def export_xseg(
    weights: XSegWeights,
    path: Path,
    provenance: Mapping[str, str],
    *,
    reference: Callable[[FloatArray], FloatArray],
) -> Exported:
    """Build, check and only then put the file in its place; an older file stays until the new one has passed.

    provenance: further metadata (``core.export.provenance``).
    reference: the same network computed another way, faces (n, R, R, 3) -> masks (n, R, R, 1).

    Raises:
        PipelineError: the check fails.
    """
    metadata = describe(weights) | dict(provenance)

    def write(stream: IO[bytes]) -> None:
        write_xseg(stream, weights, metadata)

    def check(written: Path) -> float:
        return verify(written, weights.resolution, reference)

    difference = write_checked(path, write, check)
    return Exported(path, path.stat().st_size, difference, metadata)


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
    logits = graph.call("XSeg", graph.image_input(FACE, 3))
    graph.image_output(graph.builder.sigmoid(logits), MASK)
    side = weights.resolution
    inputs = [tensor_info(FACE, ["N", side, side, 3])]
    outputs = [tensor_info(MASK, ["N", side, side, 1])]
    graph.write(stream, inputs, outputs, metadata, opset=OPSET)


def verify(path: Path, side: int, reference: Callable[[FloatArray], FloatArray]) -> float:
    """The largest absolute difference from ``reference``. Raises PipelineError saying what is wrong with the file."""
    contract = Contract(
        subject="mask network",
        inputs=((FACE, (None, side, side, 3)),),
        outputs=((MASK, (None, side, side, 1)),),
        tolerance=TOLERANCE,
    )
    session = open_exported(path, contract)

    def expected(faces: FloatArray) -> tuple[FloatArray]:
        return (reference(faces),)

    return check_outputs(session, expected, sample_faces(side), contract)
