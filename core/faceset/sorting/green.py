"""Colour: from green to magenta."""

from core.faceset.ranking import Choices, Ranking, by_value
from core.faceset.scores.features import Features

ALIASES = ("color-green",)


def rank(features: Features, choices: Choices) -> Ranking:
    return by_value(features, "green", descending=True)
