"""A model's files in DeepFaceLab's format: weights, optimizer state, ``data.dat`` and ``summary.txt``.

The ``.npy`` files are pickled dicts, variable path -> array; they are read through the safe unpickler only, and written
one tensor at a time so that saving needs no second copy of a model.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptFileError
from core.formats.pickle import safe_pickle

ITERATIONS = "iters:0"
SLOTS = ("ms", "vs", "acc")
# Before the name of a network: a weight file of ours with the running averages of its weights. DeepFaceLab does not
# look at it.
AVERAGED = "ema_"


def read_weights(path: Path) -> dict[str, NDArray[np.float32]]:
    """Key (``down1/conv1/weight:0``) -> float32 array; float16 and float64 are converted.

    Raises:
        InputError: no such file.
        CorruptFileError: it is damaged, no weight file, or holds a number that is not finite.
    """
    out = {}
    for key, value in _read_dict(path).items():
        if not _is_floats(value):
            raise CorruptFileError(
                "not a weight file", where=path, why=f"{key} is not an array of floating-point numbers"
            )
        out[key] = value.astype(np.float32, copy=False)
        if not np.isfinite(out[key]).all():
            raise CorruptFileError(
                "damaged weights",
                where=path,
                why=f"{key} holds numbers that are not finite",
                hint="take the file from an earlier save or a backup",
            )
    return out


def write_arrays(stream: IO[bytes], arrays: Iterable[tuple[str, NDArray | np.generic]]) -> None:
    """Write a weight or optimizer file; each array is asked for, written and forgotten before the next."""
    safe_pickle.dump_items(arrays, stream)


@dataclass(frozen=True)
class OptimizerState:
    """What an optimizer keeps.

    iterations: steps done.
    slots: slot (``ms`` first and ``vs`` second moment of AdaBelief, ``acc`` of RMSprop) -> variable path with the
        network's name in front (``encoder/down1/conv1/weight:0``) -> float32 array.
    """

    iterations: int
    slots: dict[str, dict[str, NDArray[np.float32]]]


def slot_key(slot: str, variable: str) -> str:
    """Key of a slot: ``ms``, ``encoder/down1/conv1/weight:0`` -> ``ms_encoder/down1/conv1/weight_0:0``."""
    return f"{slot}_{variable.replace(':', '_')}:0"


def read_optimizer(path: Path) -> OptimizerState:
    """The state in an optimizer file.

    Raises:
        InputError: no such file.
        CorruptFileError: it is damaged, or no optimizer file.
    """
    raw = _read_dict(path)
    iterations = raw.pop(ITERATIONS, None)
    if not _is_whole_number(iterations):
        raise CorruptFileError(
            "not an optimizer file", where=path, why=f"{ITERATIONS} is missing or not a whole number"
        )
    slots: dict[str, dict[str, NDArray[np.float32]]] = {}
    for key, value in raw.items():
        slot, _, variable = key.partition("_")
        if slot not in SLOTS or not variable.endswith("_0:0") or not _is_floats(value):
            raise CorruptFileError(
                "not an optimizer file", where=path, why=f"{key} belongs neither to AdaBelief nor to RMSprop"
            )
        slots.setdefault(slot, {})[variable.removesuffix("_0:0") + ":0"] = value.astype(np.float32, copy=False)
    return OptimizerState(int(iterations), slots)


def _is_floats(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def _is_whole_number(value: Any) -> bool:
    """An int of Python or numpy, or an array of one without dimensions."""
    scalar = isinstance(value, np.ndarray) and value.shape == () and value.dtype.kind in "iu"
    return scalar or isinstance(value, (int, np.integer))


def write_optimizer(stream: IO[bytes], iterations: int, slots: Iterable[tuple[str, str, NDArray[np.float32]]]) -> None:
    """Write an optimizer file. slots: (slot, variable path with the network's name, array), asked for one at a time."""
    arrays = ((slot_key(slot, variable), array) for slot, variable, array in slots)
    # A scalar of NumPy, as in the original's files, not an array.
    write_arrays(stream, chain([(ITERATIONS, np.int64(iterations))], arrays))


def _read_dict(path: Path) -> dict[str, Any]:
    value = safe_pickle.load(path)
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise CorruptFileError("not a weight file", where=path, why="it holds no dict of names")
    return value


@dataclass(frozen=True)
class ModelData:
    """What ``data.dat`` holds.

    iteration: done so far.
    options: plain Python values.
    loss_history: one (src, dst) pair an iteration.
    preview_sample: batches that the original keeps for its previews, None to let it draw anew.
    extra: other keys, kept.
    """

    iteration: int
    options: dict[str, Any]
    loss_history: list[list[float]] = field(default_factory=list)
    preview_sample: Any = None
    extra: dict[str, Any] = field(default_factory=dict)


_DATA_KEYS = ("iter", "options", "loss_history", "sample_for_preview")


def read_data(path: Path) -> ModelData:
    """The data in ``data.dat``.

    Raises:
        InputError: no such file.
        CorruptFileError: it is damaged, or no ``data.dat``.
    """
    raw = _read_dict(path)
    iteration, options, history = raw.get("iter"), raw.get("options"), raw.get("loss_history", [])
    if not isinstance(iteration, (int, np.integer)) or not isinstance(options, dict) or not isinstance(history, list):
        raise CorruptFileError(
            "not a model's data.dat", where=path, why="iter, options or loss_history is missing or of another kind"
        )
    try:
        losses = [[float(x) for x in np.atleast_1d(entry)] for entry in history]
    except (ValueError, TypeError, OverflowError) as error:
        why = f"its losses are not numbers: {str(error)[:100]}"
        raise CorruptFileError("not a model's data.dat", where=path, why=why) from None
    extra = {k: v for k, v in raw.items() if k not in _DATA_KEYS}
    return ModelData(
        iteration=int(iteration),
        options={key: _plain(value) for key, value in options.items()},
        loss_history=losses,
        preview_sample=raw.get("sample_for_preview"),
        extra=extra,
    )


def write_data(stream: IO[bytes], data: ModelData) -> None:
    """Write ``data.dat``. ``data.options`` must be plain values (numbers, texts, lists, None)."""
    values = (data.iteration, data.options, data.loss_history, data.preview_sample)
    raw = dict(zip(_DATA_KEYS, values, strict=True))
    # The spelling is the original's; the value is never anything else.
    safe_pickle.dump({**raw, "choosed_gpu_indexes": None, **data.extra}, stream)


def _plain(value: Any) -> Any:
    # The original clips answers with NumPy, so its options may be NumPy's scalars.
    return value.item() if isinstance(value, np.generic) else value


def summary_text(
    prefix: str,
    iteration: int,
    options: Mapping[str, Any],
    devices: Sequence[tuple[str, str]] = (("Using device", "CPU"),),
) -> str:
    """The box of ``summary.txt``. prefix: ``<name>_SAEHD``; devices: (label, value) rows of the last part."""
    name = ("Model name", prefix)
    done = ("Current iteration", str(iteration))
    chosen = [(key, str(value)) for key, value in options.items()]
    left = max(len(key) for key, _ in [done, *chosen]) + 1
    right = max(len(value) for _, value in [name, done, *chosen, *devices]) + 1
    width = left + right + 2

    def line(text: str) -> str:
        return f"=={text}=="

    def title(text: str, fill: str) -> str:
        before = (width - len(text)) // 2
        return line(fill * before + text + fill * (width - len(text) - before))

    def row(pair: tuple[str, str]) -> str:
        return line(f"{pair[0]:>{left}}: {pair[1]:<{right}}")

    blank = line(" " * width)
    lines = [title(" Model Summary ", "="), blank, row(name), blank, row(done), blank]
    lines += [title(" Model Options ", "-"), blank, *map(row, chosen), blank]
    lines += [title(" Running On ", "-"), blank, *map(row, devices), blank, line("=" * width)]
    return "\n".join(lines)
