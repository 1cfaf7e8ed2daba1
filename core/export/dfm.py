"""Writing a ``.dfm``: the swap as an ONNX graph that live programs load. ``core.inference.dfm`` has the contract.

Height and width are fixed, the batch is free, opset 12. Only the mask branch of the target's decoder is in the graph.
"""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from numpy.typing import NDArray

from core.export.dfm_check import Reference, verify
from core.export.files import Exported, write_checked
from core.formats.provenance import CREATOR_TOOL, DIGITAL_SOURCE_TYPE
from core.inference.dfm import DIRECTION, FACE, MORPH, OUTPUTS, REVERSE
from core.networks import archs
from core.networks.config import ModelConfig
from core.networks.onnx_builder import Value
from core.networks.onnx_graph import OnnxGraph, tensor_info

# Name of the network's file -> key -> array.
ModelWeights = Mapping[str, Mapping[str, NDArray]]


def export_dfm(
    weights: ModelWeights,
    config: ModelConfig,
    path: Path,
    provenance: Mapping[str, str],
    *,
    reference: Reference,
    half: bool = False,
    reverse: bool = False,
) -> Exported:
    """Build, check and only then put the file in its place; an older file stays until the new one has passed.

    provenance: further metadata (``core.export.provenance``).
    reference: the same model computed another way, ``core.export.reference.keras_reference``.
    half: convolutions in float16.
    reverse: swap the other way: source faces come in, and the target's face is put on them.

    Raises:
        InputError: the weights do not fit the model, or do not fit into half precision or one ONNX file.
        PipelineError: the check fails.
    """
    metadata = describe(config, provenance, half) | ({DIRECTION: REVERSE} if reverse else {})

    def write(stream: IO[bytes]) -> None:
        write_dfm(stream, weights, config, metadata, half=half, reverse=reverse)

    def check(written: Path) -> float:
        return verify(written, config, reference, half=half)

    difference = write_checked(path, write, check)
    return Exported(path, path.stat().st_size, difference, metadata)


def describe(config: ModelConfig, provenance: Mapping[str, str], half: bool = False) -> dict[str, str]:
    """The metadata of a file: what made it, from what, and that what comes out of it is synthetic."""
    return {
        "generator": CREATOR_TOOL,
        "resolution": str(config.resolution),
        "face_type": config.face_type,
        "archi": config.archi,
        "precision": "float16" if half else "float32",
        "synthetic": "true",
        "digital_source_type": DIGITAL_SOURCE_TYPE,
        **provenance,
    }


def build_dfm(
    weights: ModelWeights,
    config: ModelConfig,
    metadata: Mapping[str, str],
    *,
    half: bool = False,
    mask_only: bool = True,
    reverse: bool = False,
) -> bytes:
    """As ``write_dfm``, in memory."""
    stream = io.BytesIO()
    write_dfm(stream, weights, config, metadata, half=half, mask_only=mask_only, reverse=reverse)
    return stream.getvalue()


def write_dfm(
    stream: IO[bytes],
    weights: ModelWeights,
    config: ModelConfig,
    metadata: Mapping[str, str],
    *,
    half: bool = False,
    mask_only: bool = True,
    reverse: bool = False,
) -> None:
    """Write the file without checking it.

    Needs no deep-learning framework, nor memory for a second copy of the weights.

    mask_only=False also runs the image branch of the target's decoder, as a fourth output; for measuring what leaving
    it out gains.
    """
    arch = archs.load(config)
    graph = OnnxGraph(archs.networks(config), weights, half=half)
    morph = Value(MORPH, 1) if config.parsed().kind == "amp" else None
    codes, put_on, beneath = archs.direction(arch, reverse)
    own_code, swap_code = codes(graph, graph.image_input(FACE, 3), morph)
    celeb_face, celeb_mask = graph.call(put_on, swap_code)
    face_mask = graph.call(beneath, own_code, "mask")
    made = [(*OUTPUTS[0], face_mask), (*OUTPUTS[1], celeb_face), (*OUTPUTS[2], celeb_mask)]
    if not mask_only:
        made.append(("out_face:0", 3, graph.call(beneath, own_code, "image")))
    for name, _, value in made:
        graph.image_output(value, name)
    size = config.resolution
    inputs = [tensor_info(FACE, ["N", size, size, 3])]
    if morph:
        inputs.append(tensor_info(MORPH, [1]))
    outputs = [tensor_info(name, ["N", size, size, channels]) for name, channels, _ in made]
    graph.write(stream, inputs, outputs, metadata)
