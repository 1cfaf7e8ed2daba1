"""Histogram similarity: each picture is followed by the one most like it."""

import numpy as np

from core.faceset.chain import histogram_chain
from core.faceset.ranking import Choices, Ranking
from core.faceset.scores.features import Features

NUMBER = 5


def rank(features: Features, choices: Choices) -> Ranking:
    histograms = features["histogram"].reshape(len(features), 3, 256)
    use = np.flatnonzero(features.readable())
    return Ranking(use[histogram_chain(histograms[use])])
