"""Checks an exported file as a live program would use it, and against the same model computed another way."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from core.errors import PipelineError
from core.networks.config import ModelConfig

Array = NDArray[np.float32]
# (faces (N, R, R, 3), morph value or None) -> (face mask, swapped face, its mask), all N x R x R x C.
Reference = Callable[[Array, float | None], tuple[Array, Array, Array]]

TOLERANCE = 1e-4
# x * cos(x) turns rounding of large activations into visible differences: two sound float32 evaluations differ by up to 2e-3.
TOLERANCE_X_COS_X = 5e-3
# float16 keeps 11 bits; over some twenty convolutions that adds up to a few steps of an 8-bit image.
TOLERANCE_HALF = 2e-2
MORPHS = (0.0, 0.33, 1.0)

FACE, MORPH = "in_face:0", "morph_value:0"
OUTPUTS = (("out_face_mask:0", 1), ("out_celeb_face:0", 3), ("out_celeb_face_mask:0", 1))


def verify(path: Path, config: ModelConfig, reference: Reference | None, *, half: bool = False) -> float | None:
    """The largest absolute difference from ``reference``, None without one.

    Checks names, order, types, static height and width, batches of 1 and 2, values finite and in 0..1. Raises PipelineError saying what is wrong.
    """
    amp = config.parsed().kind == "amp"
    session = open_session(path)
    check_signature(session, config.resolution, amp)
    faces = sample_faces(config.resolution)
    differences = [
        _run(session, faces, morph, reference, tolerance(config, half)) for morph in (MORPHS if amp else (None,))
    ]
    return None if reference is None else max(differences)


def tolerance(config: ModelConfig, half: bool) -> float:
    if half:
        return TOLERANCE_HALF
    return TOLERANCE_X_COS_X if "c" in config.parsed().letters else TOLERANCE


def open_session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has no common base for its errors
        raise _wrong(f"onnxruntime cannot open it: {str(error)[:300]}") from error


def check_signature(session: onnxruntime.InferenceSession, resolution: int, amp: bool) -> None:
    """Raises PipelineError when names, order, types or shapes are not those of the contract."""
    expected = [(FACE, [resolution, resolution, 3])] + ([(MORPH, [])] if amp else [])
    _compare("inputs", session.get_inputs(), expected)
    _compare("outputs", session.get_outputs(), [(name, [resolution, resolution, n]) for name, n in OUTPUTS])


def _compare(what: str, found: list, expected: list) -> None:
    seen = [(v.name, list(v.shape[1:])) for v in found]
    if seen != expected or any(v.type != "tensor(float)" for v in found):
        raise _wrong(f"its {what} are {[(*s, v.type) for s, v in zip(seen, found, strict=True)]} instead of {expected}")
    for v in found:
        if v.name == MORPH:
            continue
        if isinstance(v.shape[0], int) and v.shape[0] != 1:
            raise _wrong(f"{v.name} has a fixed batch of {v.shape[0]}")


def sample_faces(resolution: int) -> Array:
    """Two inputs: noise, and a smooth gradient."""
    noise = np.random.default_rng(7).random((resolution, resolution, 3), np.float32)
    ramp = np.linspace(0, 1, resolution, dtype=np.float32)
    smooth = np.stack([ramp[:, None] * ramp, ramp[::-1, None] * ramp, 0.5 + 0.5 * ramp[:, None] * ramp[::-1]], axis=-1)
    return np.stack([noise, smooth])


def _run(
    session: onnxruntime.InferenceSession, faces: Array, morph: float | None, reference: Reference | None, limit: float
) -> float:
    feed = {} if morph is None else {MORPH: np.array([morph], np.float32)}
    both = session.run(None, {FACE: faces, **feed})
    one = session.run(None, {FACE: faces[:1], **feed})
    for (name, channels), pair, single in zip(OUTPUTS, both, one, strict=True):
        if pair.shape != (*faces.shape[:3], channels) or single.shape != (1, *faces.shape[1:3], channels):
            raise _wrong(f"{name} comes out as {pair.shape} for a batch of 2 and {single.shape} for one face")
        if not np.isfinite(pair).all() or pair.min() < 0 or pair.max() > 1:
            raise _wrong(
                f"{name} is not between 0 and 1",
                "the weights are not sound: look at the preview, go back to an earlier save",
            )
        if np.abs(pair[:1] - single).max() > limit:
            raise _wrong(f"{name} depends on the size of the batch")
    if reference is None:
        return 0.0
    differences = [float(np.abs(a - b).max()) for a, b in zip(both, reference(faces, morph), strict=True)]
    if not max(differences) < limit:
        hint = "export without --half" if limit == TOLERANCE_HALF else ""
        raise _wrong(f"it differs from the model by {max(differences):.2g}, at most {limit:.2g} is allowed", hint)
    return max(differences)


def _wrong(why: str, hint: str = "") -> PipelineError:
    return PipelineError("the exported model failed its check", why=why, hint=hint)
