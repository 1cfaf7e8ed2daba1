"""Colour: from orange to blue."""

from core.faceset.ranking import Choices, Ranking, by_value
from core.faceset.scores.features import Features

ALIASES = ("color-orange",)


def rank(features: Features, choices: Choices) -> Ranking:
    return by_value(features, "orange", descending=True)
