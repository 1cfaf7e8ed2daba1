"""Colour: from green to magenta."""

from core.faceset.features import Features
from core.faceset.ranking import Choices, Ranking, by_value

ALIASES = ("color-green",)


def rank(features: Features, choices: Choices) -> Ranking:
    return by_value(features, "green", descending=True)
