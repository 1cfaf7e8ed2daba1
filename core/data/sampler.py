"""Which face comes next: pure functions of (seed, position), so a resumed run needs only the number of its iteration.

Every face is shown once in each epoch. With uniform yaw, every occupied direction of view is shown once in each round,
and within a direction its faces take turns.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_EDGES = np.linspace(-1.2, 1.2, 128)


def shuffled_index(count: int, stream: tuple[int, ...], position: int) -> int:
    """The item at ``position`` of an endless sequence of shuffled epochs over ``count`` items.

    stream: numbers that name the sequence.
    """
    epoch, place = divmod(position, count)
    return int(_permutation(count, (*stream, epoch))[place])


def yaw_index(bins: Sequence[NDArray[np.int64]], stream: tuple[int, ...], position: int) -> int:
    """The face at ``position`` when directions of view take turns.

    bins: as from ``yaw_bins``.
    stream: numbers that name the sequence.
    """
    turn, place = divmod(position, len(bins))
    chosen = int(_permutation(len(bins), (*stream, 0, turn))[place])
    # A direction occurs once a turn, so the number of the turn is the position within it.
    return int(bins[chosen][shuffled_index(len(bins[chosen]), (*stream, 1, chosen), turn)])


def yaw_bins(yaws: NDArray[np.floating]) -> tuple[NDArray[np.int64], ...]:
    """Indices of faces grouped by yaw into 128 directions, the empty ones left out. yaws: (n,), radians."""
    last = len(_EDGES) - 1
    # The sign is the original's; the outermost bins take whatever is beyond them.
    numbers = np.clip(np.searchsorted(_EDGES, -np.asarray(yaws), side="right") - 1, 0, last)
    return tuple(np.flatnonzero(numbers == number) for number in np.unique(numbers))


def sample_seed(*words: int) -> int:
    """A seed in 0..2^31-1 made of the words (seed, side, position ...)."""
    return int(np.random.SeedSequence(words).generate_state(1)[0]) & 0x7FFFFFFF


@lru_cache(maxsize=512)
def _permutation(count: int, words: tuple[int, ...]) -> NDArray[np.int64]:
    """A shuffle of 0..count-1. Philox, whose numbers never change between versions of NumPy."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(words))).permutation(count)
