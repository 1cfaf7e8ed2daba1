"""What batch size fits: each one is measured in a process of its own, so that running out of memory ends only that one."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from core.errors import InputError, OutOfMemoryFault
from core.networks import archs
from core.networks.weights import parameter_count
from core.training.hardware.machine import accelerators, free_memory
from core.training.hardware.measure import Failed, Measured, measure
from core.training.objective.discriminators import discriminator_networks
from core.training.objective.terms import objective_of
from core.training.recipe import Recipe, config_of, effective
from core.training.trainer import TrainerSettings

log = logging.getLogger(__name__)
HEAD = f"{'batch':>6} {'memory':>10} {'ms/iteration':>13} {'samples/s':>10}"
_STEPS, _PATIENCE = 3, 900.0
_ROOM = 0.9


@dataclass(frozen=True)
class Row:
    """One batch size that fits."""

    batch_size: int
    measured: Measured

    @property
    def samples(self) -> float:
        """Samples of each side in a second."""
        return 1000 * self.batch_size / self.measured.ms

    def __str__(self) -> str:
        return f"{self.batch_size:>6} {gigabytes(self.measured.peak_bytes):>10} {self.measured.ms:>13.0f} {self.samples:>10.1f}"


@dataclass(frozen=True)
class Fit:
    """rows: what fits; end: why there are no more; parameters: of all networks; state_bytes: of weights, moments and averages."""

    rows: tuple[Row, ...]
    end: str
    parameters: int
    state_bytes: int


def gigabytes(size: float) -> str:
    return f"{size / 2**30:.2f} GiB"


def fit(recipe: Recipe, settings: TrainerSettings) -> Fit:
    """Measure 1, 2, 4 ... and the recipe's own batch size until memory ends. Nothing is trained.

    Raises OutOfMemoryFault when not even one sample fits, InputError when the first measurement fails otherwise.
    """
    parameters, state = size_of(recipe, settings)
    log.info(
        "%s parameters; weights and moments take about %s, before the first sample", f"{parameters:,}", gigabytes(state)
    )
    log.info("%s", HEAD)
    rows: list[Row] = []
    end = "no larger batch is possible"
    for size in sizes(recipe.batch_size, settings.devices):
        if stop := _foreseen(rows, size):
            end = stop
            break
        found = measure(recipe, settings, size, steps=_STEPS, timeout=_PATIENCE)
        if isinstance(found, Failed):
            end = _failure(found, size, bool(rows))
            break
        rows.append(Row(size, found))
        log.info("%s", rows[-1])
    log.info("%s", end)
    return Fit(tuple(rows), end, parameters, state)


def sizes(own: int, devices: int = 1) -> Iterator[int]:
    """1 2 4 8 ..., times the number of devices, with the model's own in its place if they can share it; 1024 at most."""
    powers = {devices * 2**n for n in range(11) if devices * 2**n <= 1024}
    yield from sorted(powers | ({own} if own % devices == 0 else set()))


def size_of(recipe: Recipe, settings: TrainerSettings) -> tuple[int, int]:
    """Number of parameters, and bytes of weights, moments and averages (all float32)."""
    r, networks = effective(recipe), archs.networks(config_of(recipe))
    discriminators = discriminator_networks(objective_of(recipe, settings.exact), r, networks)
    own, judging = (sum(map(parameter_count, some)) for some in (networks.values(), discriminators.values()))
    copies = 1 + (2 if r.adabelief else 1)
    return own + judging, 4 * (
        (copies + bool(settings.ema)) * own + (copies + 1) * judging
    )  # a discriminator has a twin, no averages


def _foreseen(rows: list[Row], size: int) -> str:
    """Why the next size is not tried, or an empty text. A GPU refuses what it has not; a computer whose memory is used up stands still."""
    if len(rows) < 2:
        return ""
    seconds = _then([row.measured.ms for row in rows], rows, size) * (_STEPS + 3) / 1000
    if seconds > _PATIENCE:
        return f"batch {size} is not tried: it would take about {seconds / 60:.0f} minutes to measure"
    if accelerators():
        return ""
    needed, free = _then([row.measured.peak_bytes for row in rows], rows, size), free_memory()
    if needed > _ROOM * free:
        return f"batch {size} is not tried: it would need about {gigabytes(needed)}, and {gigabytes(free)} of memory are free"
    return ""


def _then(values: list[float] | list[int], rows: list[Row], size: int) -> float:
    """The value at ``size`` on the line through the last two, which does not fall."""
    slope = max(0.0, (values[-1] - values[-2]) / (rows[-1].batch_size - rows[-2].batch_size))
    return values[-1] + slope * (size - rows[-1].batch_size)


def _failure(failed: Failed, size: int, some_fit: bool) -> str:
    if failed.kind == "memory":
        if not some_fit:
            raise OutOfMemoryFault(
                "not even one sample fits into memory",
                where=f"batch {size}",
                why=failed.why,
                hint="choose a smaller --resolution, --ae-dims or --d-dims, or --no-adabelief",
            )
        return f"batch {size} does not fit: memory is used up"
    if not some_fit:
        raise InputError(
            "the measurement failed", where=f"batch {size}", why=failed.why, hint="run it again with --debug"
        )
    said = {"timeout": "it takes too long", "crashed": "the process ended", "error": "it failed"}[failed.kind]
    return f"batch {size}: {said}: {failed.why}"
