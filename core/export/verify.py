"""Checks an exported file as a live program would use it, and against the same network computed another way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptFileError, PipelineError
from core.inference.sessions import CPU_ONLY, Session, TensorInfo, open_session

FloatArray = NDArray[np.float32]
Shape = tuple[int | None, ...]
# Faces (N, R, R, 3) float32 BGR 0..1 -> the outputs of the file in its order.
Run = Callable[[FloatArray], Sequence[FloatArray]]


@dataclass(frozen=True)
class Contract:
    """What a file promises.

    subject: what the file is, for messages.
    inputs, outputs: names and shapes in the order of the file, None for the free batch; all are float32.
    tolerance: a difference that is too large, from the reference and between sizes of the batch.
    hint: what to do where the reference gives something else.
    """

    subject: str
    inputs: tuple[tuple[str, Shape], ...]
    outputs: tuple[tuple[str, Shape], ...]
    tolerance: float
    hint: str = ""


def open_exported(path: Path, contract: Contract) -> Session:
    """The file on the CPU, where no reduced precision blurs a comparison.

    Raises:
        PipelineError: onnxruntime cannot open it, or names, order, types or shapes are not those of the contract.
    """
    try:
        session = open_session(path, path, CPU_ONLY)
    except CorruptFileError as error:
        raise _failed(contract, f"onnxruntime cannot open it: {error.why}") from error
    _compare("inputs", session.inputs, contract.inputs, contract)
    _compare("outputs", session.outputs, contract.outputs, contract)
    return session


def _compare(what: str, found: Sequence[TensorInfo], expected: Sequence[tuple[str, Shape]], contract: Contract) -> None:
    names_and_sizes = [(tensor.name, tensor.shape[1:]) for tensor in found]
    if names_and_sizes != [(name, shape[1:]) for name, shape in expected] or not all(map(_is_float, found)):
        seen = [(tensor.name, *tensor.shape, tensor.kind) for tensor in found]
        raise _failed(contract, f"its {what} are {seen} instead of {list(expected)}")
    for tensor, (_, shape) in zip(found, expected, strict=True):
        # A file of another program may say 1 where the batch could be free: live programs feed one face at a time.
        if tensor.shape[0] != 1 and (shape[0] is not None or isinstance(tensor.shape[0], int)):
            raise _failed(contract, f"{tensor.name} has a fixed batch of {tensor.shape[0]}")


def _is_float(tensor: TensorInfo) -> bool:
    return tensor.kind == "tensor(float)"


def sample_faces(resolution: int) -> FloatArray:
    """Two inputs (2, R, R, 3), 0..1: noise, and a smooth gradient."""
    noise = np.random.default_rng(7).random((resolution, resolution, 3), np.float32)
    ramp = np.linspace(0, 1, resolution, dtype=np.float32)
    down, up = ramp[:, None] * ramp, ramp[::-1, None] * ramp
    smooth = np.stack([down, up, 0.5 + 0.5 * ramp[:, None] * ramp[::-1]], axis=-1)
    return np.stack([noise, smooth])


def check_outputs(run: Run, reference: Run | None, faces: FloatArray, contract: Contract) -> float:
    """The largest absolute difference from ``reference``; 0 without one.

    Looks at shapes, finite values in 0..1, and that two faces at once give what each gives alone. Raises PipelineError
    saying what is wrong.
    """
    both, one = run(faces), run(faces[:1])
    for (name, shape), pair, single in zip(contract.outputs, both, one, strict=True):
        if pair.shape != (len(faces), *shape[1:]) or single.shape != (1, *shape[1:]):
            raise _failed(contract, f"{name} comes out as {pair.shape} for two faces and {single.shape} for one")
        if not np.isfinite(pair).all() or pair.min() < 0 or pair.max() > 1:
            hint = "the weights are not sound: look at the preview, go back to an earlier save"
            raise _failed(contract, f"{name} is not between 0 and 1", hint)
        # Put this way round because a NaN is neither smaller nor larger.
        if not np.abs(pair[:1] - single).max() <= contract.tolerance:
            raise _failed(contract, f"{name} depends on the size of the batch")
    if reference is None:
        return 0.0
    # NumPy's maximum, for it hands on a NaN of the reference.
    difference = float(np.max([np.abs(a - b).max() for a, b in zip(both, reference(faces), strict=True)]))
    if not difference < contract.tolerance:
        why = f"it differs from the {contract.subject} by {difference:.2g}, at most {contract.tolerance:.2g} is allowed"
        raise _failed(contract, why, contract.hint)
    return difference


def _failed(contract: Contract, why: str, hint: str = "") -> PipelineError:
    return PipelineError(f"the exported {contract.subject} failed its check", why=why, hint=hint)
