"""``--precision auto``: whether the layers of a model compute in bfloat16, decided by measuring its own step."""

import logging
from dataclasses import dataclass, replace

from core.training.choices import AUTO, WORTH_BFLOAT16
from core.training.hardware.measure import Failed, measure
from core.training.recipe import Recipe
from core.training.settings import TrainerSettings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Verdict:
    """precision: float32 or bfloat16. why: in a person's words, with what was measured."""

    precision: str
    why: str


def decided(recipe: Recipe, settings: TrainerSettings) -> TrainerSettings:
    """The settings themselves, but with a precision where they leave it open. Call it before building networks."""
    if settings.precision != AUTO:
        return settings
    log.info("measuring whether bfloat16 makes training faster here")
    verdict = compare(recipe, settings)
    log.info("%s", verdict.why)
    return replace(settings, precision=verdict.precision)


def compare(recipe: Recipe, settings: TrainerSettings, *, steps: int = 5) -> Verdict:
    """Measure a step in float32 and in bfloat16, each in a process of its own."""
    full, half = (
        measure(recipe, replace(settings, precision=precision), recipe.batch_size, steps=steps)
        for precision in ("float32", "bfloat16")
    )
    if isinstance(half, Failed):
        return Verdict("float32", f"float32: the step in bfloat16 failed ({half.kind}: {half.why.strip()[:200]})")
    if isinstance(full, Failed):
        return Verdict("bfloat16", f"bfloat16: the step in float32 failed ({full.kind}: {full.why.strip()[:200]})")
    better = half.ms < WORTH_BFLOAT16 * full.ms
    times = f"{half.ms:.1f} ms an iteration in bfloat16, {full.ms:.1f} in float32, on {full.device}"
    return Verdict("bfloat16", f"bfloat16: {times}") if better else Verdict("float32", f"float32: {times}")
