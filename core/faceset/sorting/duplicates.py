"""Near-duplicates: groups of pictures that show the same first, the largest groups first, the rest by name."""

import numpy as np

from core.faceset.duplicates import duplicate_groups
from core.faceset.ranking import Choices, Ranking
from core.faceset.scores.features import Features

ALIASES = ("near-duplicate",)


def rank(features: Features, choices: Choices) -> Ranking:
    groups = duplicate_groups(features["thumb"])
    size = np.bincount(groups)[groups]
    order = np.lexsort((np.arange(len(groups)), np.where(size > 1, groups, -1), -size))
    return Ranking(order, size.astype(np.float64))
