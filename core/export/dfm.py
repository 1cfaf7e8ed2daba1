"""The ``.dfm`` file: the swap as an ONNX graph that live programs load.

Contract: input ``in_face:0`` (N, R, R, 3) float32 BGR 0..1, for AMP also ``morph_value:0`` (1,); outputs in this order
``out_face_mask:0`` (N, R, R, 1), ``out_celeb_face:0`` (N, R, R, 3), ``out_celeb_face_mask:0`` (N, R, R, 1), all 0..1. Height and
width are static, the batch is symbolic, opset 12. Only the mask branch of the target's decoder is in the graph.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from numpy.typing import NDArray

from core import fsio
from core.errors import PipelineError
from core.export.verify import FACE, MORPH, OUTPUTS, Reference, verify
from core.formats.provenance import CREATOR_TOOL, DIGITAL_SOURCE_TYPE
from core.networks import archs
from core.networks.config import ModelConfig
from core.networks.onnx_builder import OnnxGraph, Value, tensor_info

ModelWeights = Mapping[str, Mapping[str, NDArray]]


@dataclass(frozen=True)
class ExportReport:
    """path: the file; size: bytes; half: float16 convolutions; difference: largest absolute difference from the reference, None
    when there was none; metadata: what the file says about itself."""

    path: Path
    size: int
    half: bool
    difference: float | None
    metadata: dict[str, str]


def export_dfm(
    weights: ModelWeights,
    config: ModelConfig,
    path: Path,
    provenance: Mapping[str, str],
    *,
    reference: Reference | None,
    half: bool = False,
) -> ExportReport:
    """Build, check and only then put the file in its place; an older file stays until the new one has passed.

    weights: name of the network's file -> key -> array; provenance: further metadata (``core.export.provenance``); reference: the
    same model computed another way, ``core.export.reference.keras_reference``. Raises InputError for weights that do not fit,
    PipelineError when the check fails.
    """
    metadata = describe(config, provenance, half)
    with fsio.atomic_writer(path) as stream:
        write_dfm(stream, weights, config, metadata, half=half)
        stream.flush()
        difference = _checked(Path(stream.name), path, config, reference, half)
    return ExportReport(path, path.stat().st_size, half, difference, metadata)


def _checked(written: Path, path: Path, config: ModelConfig, reference: Reference | None, half: bool) -> float | None:
    try:
        return verify(written, config, reference, half=half)
    except PipelineError as error:
        kept = "the older file was kept" if path.exists() else "no file was written"
        raise type(error)(
            error.what, where=path, why=error.why, hint=f"{kept}; {error.hint}".removesuffix("; ")
        ) from error


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
) -> bytes:
    """As ``write_dfm``, in memory."""
    stream = io.BytesIO()
    write_dfm(stream, weights, config, metadata, half=half, mask_only=mask_only)
    return stream.getvalue()


def write_dfm(
    stream: IO[bytes],
    weights: ModelWeights,
    config: ModelConfig,
    metadata: Mapping[str, str],
    *,
    half: bool = False,
    mask_only: bool = True,
) -> None:
    """Write the file without checking it. Needs no deep-learning framework, nor memory for a second copy of the weights.

    mask_only=False also runs the image branch of the target's decoder, as a fourth output; for measuring what leaving it out gains.
    """
    arch = archs.load(config)
    graph = OnnxGraph(archs.networks(config), weights, half=half)
    morph = Value(MORPH, 1) if config.parsed().kind == "amp" else None
    dst_code, swap_code = arch.dst_codes(graph, graph.image_input(FACE, 3), morph)
    celeb_face, celeb_mask = graph.call(arch.DECODER_SRC, swap_code)
    face_mask = graph.call(arch.DECODER_DST, dst_code, "mask")
    made = [(*OUTPUTS[0], face_mask), (*OUTPUTS[1], celeb_face), (*OUTPUTS[2], celeb_mask)]
    if not mask_only:
        made.append(("out_face:0", 3, graph.call(arch.DECODER_DST, dst_code, "image")))
    for name, _, value in made:
        graph.image_output(value, name)
    size = config.resolution
    inputs = [tensor_info(FACE, ["N", size, size, 3])] + ([tensor_info(MORPH, [1])] if morph else [])
    graph.write(stream, inputs, [tensor_info(name, ["N", size, size, n]) for name, n, _ in made], metadata)
