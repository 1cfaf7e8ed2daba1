"""Which batch sizes fit: each is measured in a process of its own, so that running out of memory ends only that one."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from core.errors import InputError, Interrupted, OutOfMemoryFault
from core.networks import archs
from core.networks.weights import parameter_count
from core.training.hardware.machine import accelerators, free_memory
from core.training.hardware.measure import Failed, Measured, measure
from core.training.objective.discriminators import discriminator_networks
from core.training.objective.terms import objective_of
from core.training.recipe import Recipe, config_of, effective
from core.training.settings import TrainerSettings

log = logging.getLogger(__name__)
HEAD = f"{'batch':>6} {'memory':>10} {'ms/iteration':>13} {'samples/s':>10}"
LARGEST = 1024
_STEPS = 3
_WARM_UP = 3  # what a measurement takes beside its steps, in steps
_PATIENCE = 900.0  # seconds
# Of the memory of a computer that is free: the rest of it is for everything else.
_ROOM = 0.9
_FLOAT32 = 4  # bytes


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
        """A line under ``HEAD``."""
        memory = gigabytes(self.measured.peak_bytes)
        return f"{self.batch_size:>6} {memory:>10} {self.measured.ms:>13.0f} {self.samples:>10.1f}"


@dataclass(frozen=True)
class End:
    """Why no larger batch was measured; as text, a sentence.

    reason: ``limit`` (the largest was), ``no_time`` and ``no_room`` (not tried), ``memory``, ``timeout``, ``crashed``
    and ``error`` (tried).
    batch_size: the one that was not measured; 0 at the limit.
    detail: what was expected, or what the attempt said.
    """

    reason: Literal["limit", "no_time", "no_room", "memory", "timeout", "crashed", "error"]
    batch_size: int = 0
    detail: str = ""

    def __str__(self) -> str:
        text = _ENDS[self.reason].format(batch=f"batch {self.batch_size}")
        return f"{text}: {self.detail}" if self.detail else text


_ENDS = {
    "limit": "no larger batch is possible",
    "no_time": "{batch} is not tried, it would take long to measure",
    "no_room": "{batch} is not tried, it would need more memory than is free",
    "memory": "{batch} does not fit: memory is used up",
    "timeout": "{batch} takes too long",
    "crashed": "{batch}: the process ended",
    "error": "{batch} failed",
}


@dataclass(frozen=True)
class FittingSizes:
    """What was found.

    rows: what fits, from small to large.
    end: why there are no more.
    parameters: number of them in all networks.
    state_bytes: of weights, moments and averages.
    """

    rows: tuple[Row, ...]
    end: End
    parameters: int
    state_bytes: int


def gigabytes(size: float) -> str:
    """Bytes in words."""
    return f"{size / 2**30:.2f} GiB"


def find_batch_sizes(recipe: Recipe, settings: TrainerSettings) -> FittingSizes:
    """Measure 1, 2, 4 ... and the recipe's own batch size until memory ends. Nothing is trained.

    Raises:
        OutOfMemoryFault: not even one sample fits.
        InputError: the first measurement fails otherwise.
        Interrupted: on Ctrl-C.
    """
    parameters, state = size_of(recipe, settings)
    text = "%s parameters; weights and moments take about %s, before the first sample"
    log.info(text, f"{parameters:,}", gigabytes(state))
    log.info("%s", HEAD)
    rows: list[Row] = []
    end = None
    for size in sizes(recipe.batch_size, settings.devices * settings.parts):
        try:
            end = _not_tried(rows, size) or _measured(rows, size, recipe, settings)
        except KeyboardInterrupt:
            # The usual hint would say that a second run goes on; nothing is kept here.
            hint = "the lines that were printed stay true; another run measures from the start"
            raise Interrupted("measuring was stopped", hint=hint) from None
        if end:
            break
    end = end or End("limit")
    log.info("%s", end)
    return FittingSizes(tuple(rows), end, parameters, state)


def sizes(own: int, parts: int = 1) -> Iterator[int]:
    """1 2 4 8 ... 1024, times the number of parts or devices, with the model's own in its place if these divide it."""
    powers = {parts * 2**n for n in range(LARGEST.bit_length()) if parts * 2**n <= LARGEST}
    yield from sorted(powers | ({own} if own % parts == 0 else set()))


def size_of(recipe: Recipe, settings: TrainerSettings) -> tuple[int, int]:
    """Number of parameters, and bytes of weights, moments, averages and sums of gradients (all float32)."""
    recipe, networks = effective(recipe), archs.networks(config_of(recipe))
    discriminators = discriminator_networks(objective_of(recipe, settings.exact), recipe, networks)
    own = sum(map(parameter_count, networks.values()))
    judging = sum(map(parameter_count, discriminators.values()))
    moments = 2 if recipe.adabelief else 1
    # A discriminator has a frozen copy, but nothing else beside.
    # Parts of a batch have a sum of gradients, which is kept.
    copies, copies_judging = 1 + moments + bool(settings.ema) + (settings.parts > 1), 1 + moments + 1
    return own + judging, _FLOAT32 * (copies * own + copies_judging * judging)


def _measured(rows: list[Row], size: int, recipe: Recipe, settings: TrainerSettings) -> End | None:
    """Add a row, or say why there is none."""
    found = measure(recipe, settings, size, steps=_STEPS, timeout=_PATIENCE)
    if isinstance(found, Failed):
        return _failure(found, size, bool(rows))
    rows.append(Row(size, found))
    log.info("%s", rows[-1])
    return None


def _not_tried(rows: Sequence[Row], size: int) -> End | None:
    """Why the next size is not tried.

    A GPU refuses what it has not; a computer whose memory is used up stands still.
    """
    # A line needs two points, so the two smallest sizes are always tried.
    if len(rows) < 2:
        return None
    seconds = _extrapolated([row.measured.ms for row in rows], rows, size) * (_STEPS + _WARM_UP) / 1000
    if seconds > _PATIENCE:
        return End("no_time", size, f"about {seconds / 60:.0f} minutes")
    if accelerators():
        return None
    needed, free = _extrapolated([row.measured.peak_bytes for row in rows], rows, size), free_memory()
    if needed <= _ROOM * free:
        return None
    return End("no_room", size, f"about {gigabytes(needed)} of {gigabytes(free)}")


def _extrapolated(values: Sequence[float], rows: Sequence[Row], size: int) -> float:
    """The value at ``size`` on the line through the last two, which does not fall."""
    # Memory is taken in blocks, so a larger batch can seem to need less than the one before.
    slope = max(0.0, (values[-1] - values[-2]) / (rows[-1].batch_size - rows[-2].batch_size))
    return values[-1] + slope * (size - rows[-1].batch_size)


def _failure(failed: Failed, size: int, some_fit: bool) -> End:
    """Why a size does not fit; an error where none does."""
    if failed.kind == "memory":
        if not some_fit:
            raise OutOfMemoryFault(
                "not even one sample fits into memory",
                where=f"batch {size}",
                why=failed.why,
                hint="choose a smaller --resolution, --ae-dims or --d-dims, or --no-adabelief",
            )
        return End("memory", size)
    if not some_fit:
        hint = "run it again with --debug"
        raise InputError("the measurement failed", where=f"batch {size}", why=failed.why, hint=hint)
    return End(failed.kind, size, failed.why)
