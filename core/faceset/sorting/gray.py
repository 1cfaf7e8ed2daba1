"""Mean grey (luminance), brightest first."""

from core.faceset.features import Features
from core.faceset.ranking import Choices, Ranking, by_value

ALIASES = ("color-gray",)


def rank(features: Features, choices: Choices) -> Ranking:
    return by_value(features, "gray", descending=True)
