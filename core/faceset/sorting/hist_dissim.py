"""Histogram dissimilarity: the most unusual pictures first."""

import numpy as np

from core.faceset.chain import summed_distances
from core.faceset.ranking import Choices, Ranking, ordered
from core.faceset.scores.features import Features

NUMBER = 6


def rank(features: Features, choices: Choices) -> Ranking:
    values = summed_distances(features["masked_histogram"])
    return Ranking(ordered(values, True, np.arange(len(features))), values)
