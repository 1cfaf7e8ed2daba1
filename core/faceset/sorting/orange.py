"""Colour: from orange to blue."""

from core.faceset.features import Features
from core.faceset.ranking import Choices, Ranking, by_value

ALIASES = ("color-orange",)


def rank(features: Features, choices: Choices) -> Ranking:
    return by_value(features, "orange", descending=True)
