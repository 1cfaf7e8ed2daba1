"""Motion blur: variance of the Laplacian, sharpest first."""

from core.faceset.ranking import Choices, Ranking, by_value
from core.faceset.scores.features import Features

NUMBER = 1


def rank(features: Features, choices: Choices) -> Ranking:
    return by_value(features, "motion_blur", descending=True, faces_only=True, zero_is="no detail at all")
