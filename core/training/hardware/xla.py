"""Whether XLA shall compile the training step.

On an accelerator under TensorFlow that is measured once for each device and kind of model. Elsewhere the answer is
known: JAX always compiles, PyTorch never does, and on a CPU TensorFlow's compiled step takes three times as long.
"""

import json
import logging
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import keras

from core import fsio
from core.errors import PipelineError
from core.safe_files import read_object
from core.training.hardware.machine import accelerators, compiled, device_name
from core.training.hardware.measure import Failed, Measured, measure
from core.training.objective.terms import TERMS
from core.training.recipe import Recipe, config_of, effective
from core.training.settings import TrainerSettings

log = logging.getLogger(__name__)
CACHE = ".xla.json"
# Compiling takes a minute at every start: a smaller gain is none.
_WORTH = 0.97
# What of the recipe shapes the step, beside the networks.
# fmt: off
_SHAPING = (
    "batch_size", "masked_training", "eyes_mouth_prio", "blur_out_mask", "adabelief", "lr_dropout", "clipgrad",
    "gan_patch_size", "gan_dims",
)
# fmt: on
# Not how strong a term is matters, but whether it is computed.
_POWERS = tuple(str(term.weight) for term in TERMS if term.weight in Recipe.model_fields)


@dataclass(frozen=True)
class Verdict:
    """Whether to compile.

    plain_ms, xla_ms: milliseconds of an iteration without and with it, None where it failed.
    why: in a person's words.
    """

    xla: bool
    plain_ms: float | None
    xla_ms: float | None
    why: str


class Chooser:
    """Measures at most once in a process.

    As soon as training has begun it holds the device's memory, and a measurement would find none.
    """

    def __init__(self) -> None:
        self._may_measure = True

    def choose(self, recipe: Recipe, settings: TrainerSettings, folder: Path) -> bool:
        """Whether to compile the steps of this recipe. Call it before building networks.

        folder: keeps the answers, in ``.xla.json``.
        """
        may_measure, self._may_measure = self._may_measure, False
        usual = compiled(several=settings.devices > 1)
        if keras.backend.backend() != "tensorflow" or not usual:
            return usual
        key, known = key_of(recipe, settings), read_cache(folder / CACHE)
        if key in known:
            return known[key]["xla"]
        if not may_measure:
            return usual
        log.info("measuring once whether XLA makes training faster on %s", device_name())
        verdict = compare(recipe, settings)
        log.info("%s", verdict.why)
        # Two failures say nothing about the device: something else may have used it.
        if verdict.plain_ms is not None or verdict.xla_ms is not None:
            remember(folder / CACHE, key, verdict)
        return verdict.xla


# Of this process.
choose = Chooser().choose


def compare(recipe: Recipe, settings: TrainerSettings, *, steps: int = 5) -> Verdict:
    """Measure the step with and without XLA, each in a process of its own."""
    plain = measure(recipe, settings, recipe.batch_size, xla=False, steps=steps)
    fast = measure(recipe, settings, recipe.batch_size, xla=True, steps=steps)
    if isinstance(fast, Failed):
        return Verdict(False, _ms(plain), None, f"XLA is not used: its step failed ({_reason(fast)})")
    if isinstance(plain, Failed):
        return Verdict(True, None, fast.ms, f"XLA is used: without it the step failed ({_reason(plain)})")
    better = fast.ms < _WORTH * plain.ms
    verb = "is used" if better else "is not used"
    why = f"XLA {verb}: {fast.ms:.1f} ms an iteration with it, {plain.ms:.1f} without"
    return Verdict(better, plain.ms, fast.ms, why)


def _reason(failed: Failed) -> str:
    return f"{failed.kind}: {failed.why.strip()[:200]}"


def _ms(found: Measured | Failed) -> float | None:
    return found.ms if isinstance(found, Measured) else None


def key_of(recipe: Recipe, settings: TrainerSettings) -> str:
    """All that the answer depends on, as one line of JSON: devices, versions, networks, terms of the objective."""
    recipe = effective(recipe)
    key: dict[str, Any] = {"device": accelerators() or device_name()}
    key |= {name: metadata.version(name) for name in ("tensorflow", "keras")}
    key |= asdict(config_of(recipe))
    key |= {name: getattr(recipe, name) for name in _SHAPING}
    key |= {name: bool(getattr(recipe, name)) for name in _POWERS}
    key |= {"precision": settings.precision, "ema": bool(settings.ema), "exact": settings.exact}
    key |= {"parts": settings.parts}
    if settings.warp_on_device:
        key |= {"warp_on_device": True}
    return json.dumps(key, sort_keys=True, default=str)


def read_cache(path: Path) -> dict[str, dict]:
    """Key -> answer. What is missing or damaged is left out: everything in a cache can be measured again."""
    try:
        raw = read_object(path, "damaged cache")
    except PipelineError:
        return {}
    return {key: entry for key, entry in raw.items() if isinstance(entry, dict) and isinstance(entry.get("xla"), bool)}


def remember(path: Path, key: str, verdict: Verdict) -> None:
    """Add an answer to the cache."""
    fsio.write_text(path, json.dumps(read_cache(path) | {key: asdict(verdict)}, indent=1))
