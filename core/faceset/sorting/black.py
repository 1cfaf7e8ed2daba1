"""Amount of black, least first."""

from core.faceset.ranking import Choices, Ranking, by_value
from core.faceset.scores.features import Features

NUMBER = 9


def rank(features: Features, choices: Choices) -> Ranking:
    return by_value(features, "black", descending=False)
