"""Amount of black, least first."""

from core.faceset.features import Features
from core.faceset.ranking import Choices, Ranking, by_value

NUMBER = 9


def rank(features: Features, choices: Choices) -> Ranking:
    return by_value(features, "black", descending=False)
