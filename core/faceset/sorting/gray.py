"""Mean grey (luminance), brightest first."""

from core.faceset.ranking import Choices, Ranking, by_value
from core.faceset.scores.features import Features

ALIASES = ("color-gray",)


def rank(features: Features, choices: Choices) -> Ranking:
    return by_value(features, "gray", descending=True)
