"""What the networks of a model get: the arrays of a batch or of a preview, src then dst along the first axis.

AMP gets some that say how the codes of both sides are mixed.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data.batches import TrainingBatch
from core.training.recipe import Recipe

Arrays = dict[str, NDArray[Any]]
# A word of its own in the seed: these draws must not follow those that others make of the same seed and iteration.
_SHARE = 20


def training_inputs(batch: TrainingBatch, recipe: Recipe, seed: int) -> Arrays:
    """warped, target (2B, R, R, 3), mask, eyes_mouth (2B, R, R, 1); uint8, 0..255, or float32, 0..1, as the batch is.

    Where the samples are still to be moved also motion (2B, MOTION_NUMBERS).
    For AMP also share (2B, inter_dims), of 0 and 1, drawn from the seed and the iteration.
    """
    x: Arrays = {}
    for name, array in batch.arrays().items():
        x[name] = array.reshape(-1, *array.shape[2:])
    if recipe.kind == "AMP":
        x["share"] = shares(len(x["warped"]), recipe.inter_dims, recipe.morph_factor, (seed, _SHARE, batch.iteration))
    return x


def preview_inputs(src: NDArray[np.float32], dst: NDArray[np.float32], recipe: Recipe, morph: float) -> Arrays:
    """Faces (n, R, R, 3) of both sides as ``warped`` (2n, R, R, 3).

    For AMP src comes whole from its own network, and ``morph`` (2n, 1) is how much of the swap does.
    """
    x: Arrays = {"warped": np.concatenate([src, dst])}
    if recipe.kind == "AMP":
        x["share"] = np.ones((len(x["warped"]), recipe.inter_dims), np.float32)
        x["morph"] = np.full((len(x["warped"]), 1), morph, np.float32)
    return x


def shares(rows: int, width: int, factor: float, words: tuple[int, ...]) -> NDArray[np.float32]:
    """(rows, width) of 0 and 1: in each row int(width * factor) ones in random places, a function of ``words``."""
    random = np.random.Generator(np.random.Philox(np.random.SeedSequence(words)))
    ones = (np.arange(width) < int(width * factor)).astype(np.float32)
    return random.permuted(np.tile(ones, (rows, 1)), axis=1)
