"""Motion blur: variance of the Laplacian, sharpest first."""

from core.faceset.features import Features
from core.faceset.ranking import Choices, Ranking, by_value

NUMBER = 1


def rank(features: Features, choices: Choices) -> Ranking:
    return by_value(features, "motion_blur", descending=True, faces_only=True, zero_is="no detail at all")
