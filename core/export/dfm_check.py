"""Checks a written ``.dfm``: the contract of live programs, and the same model computed another way."""

from collections.abc import Callable
from pathlib import Path

from core.export.verify import Contract, FloatArray, check_outputs, open_exported, sample_faces
from core.inference.dfm import FACE, MORPH, OUTPUTS, Swap, as_dfm
from core.networks.config import ModelConfig

# (faces (N, R, R, 3) float32 BGR 0..1, share of the source 0..1, which models without a morph ignore) -> the swap.
Reference = Callable[[FloatArray, float], Swap]

TOLERANCE = 1e-4
# x * cos(x) turns rounding of large activations into visible differences: two sound float32 evaluations differ by up
# to 2e-3.
TOLERANCE_X_COS_X = 5e-3
# float16 keeps 11 bits; over some twenty convolutions that adds up to a few steps of an 8-bit image.
TOLERANCE_HALF = 2e-2
MORPHS = (0.0, 0.33, 1.0)


def verify(path: Path, config: ModelConfig, reference: Reference | None, *, half: bool = False) -> float:
    """The largest absolute difference from ``reference``, 0 without one.

    Checks names, order, types, fixed height and width, batches of 1 and 2, values finite and in 0..1.
    half: the file was written in half precision.

    Raises:
        PipelineError: what is wrong with the file.
    """
    contract = dfm_contract(config, half)
    model = as_dfm(open_exported(path, contract))
    faces = sample_faces(config.resolution)
    differences = []
    for morph in MORPHS if model.takes_morph else (1.0,):
        expected = None if reference is None else _at(reference, morph)
        differences.append(check_outputs(_at(model.swap, morph), expected, faces, contract))
    return max(differences)


def dfm_contract(config: ModelConfig, half: bool) -> Contract:
    """What a ``.dfm`` of this model promises; see ``core.inference.dfm``."""
    size = config.resolution
    morph = ((MORPH, (1,)),) if config.parsed().kind == "amp" else ()
    return Contract(
        subject="model",
        inputs=((FACE, (None, size, size, 3)), *morph),
        outputs=tuple((name, (None, size, size, channels)) for name, channels in OUTPUTS),
        tolerance=tolerance(config, half),
        hint="export without --half" if half else "",
    )


def tolerance(config: ModelConfig, half: bool) -> float:
    """How far two sound evaluations may be apart, 0..1."""
    if half:
        return TOLERANCE_HALF
    return TOLERANCE_X_COS_X if "c" in config.parsed().letters else TOLERANCE


def _at(swap: Reference, morph: float) -> Callable[[FloatArray], tuple[FloatArray, ...]]:
    """The outputs at one morph value, in the order of the file."""

    def run(faces: FloatArray) -> tuple[FloatArray, ...]:
        made = swap(faces, morph)
        return made.target_mask, made.face, made.face_mask

    return run
